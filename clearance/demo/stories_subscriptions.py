"""How the offices of the demo world stand to services: one has given a service up."""

from __future__ import annotations

from clearance import subscribing, subscriptions
from clearance.demo.stage import Stage, Story

LEFT = "suspension"


def story(stage: Stage) -> Story:
    """The second office, which suspends no licences, leaves that service."""
    actor = stage.actor("receiver")
    now = yield from stage.wait(-45)
    entries = subscriptions.catalogue(actor, now)
    version = next(each.version for each in entries if each.code == LEFT)
    organisation_id = stage.cast.bahr.id
    subscribing.leave(organisation_id, LEFT, actor, now, version=version)
