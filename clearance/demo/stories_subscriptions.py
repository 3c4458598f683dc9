"""How the offices of the demo world stand to the services that the office grants by approval."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import datetime

from clearance import definition, subscribing, subscriptions
from clearance.demo.stage import Stage, Story
from clearance.models import Subscription

# What the first office was given, the second one still waits for.
GIVEN = ASKED = "lost_card"
REFUSED = "suspension"
OBLIGATIONS = {
    "ar": "على الجهة التزامات قائمة لدى الإدارة العامة للجمارك لم تُسوَّ بعد.",
    "en": "The organisation has obligations to customs that are not settled yet.",
}


def stories(stage: Stage) -> Iterator[Story]:
    """Two services are made to need an approval; one is given, one refused, one still asked for."""
    yield _by_approval(stage)
    yield _given(stage)
    yield _refused(stage)
    yield _asked(stage)


def _by_approval(stage: Stage) -> Story:
    """The administrator publishes versions of two services that the office approves."""
    now = yield from stage.wait(-210)
    for code in (ASKED, REFUSED):
        document = definition.shipped()[code] | {"subscription": "by_approval"}
        definition.publish(document, stage.actor("admin").id, now)


def _given(stage: Stage) -> Story:
    """The first office gave a service up, and was given it again."""
    yield from _take(stage, subscribing.leave, GIVEN, "general", -209)
    row = yield from _take(stage, subscribing.ask, GIVEN, "general", -206)
    yield from _decide(stage, row, "reviewer", -204, approve=True)


def _refused(stage: Stage) -> Story:
    """The second office, which suspends no licences, left that; its asking anew was refused."""
    yield from _take(stage, subscribing.leave, REFUSED, "receiver", -45)
    row = yield from _take(stage, subscribing.ask, REFUSED, "receiver", -30)
    yield from _decide(stage, row, "reviewer2", -27, approve=False)


def _asked(stage: Stage) -> Story:
    """It waits for another."""
    yield from _take(stage, subscribing.leave, ASKED, "receiver", -16)
    yield from _take(stage, subscribing.ask, ASKED, "receiver", -2)


def _take(
    stage: Stage, step: Callable[..., Subscription], code: str, name: str, days: int
) -> Generator[datetime, None, Subscription]:
    """Take a step about the service for that agent's office, as its page shows it then."""
    now, actor = (yield from stage.wait(days)), stage.actor(name)
    entries = subscriptions.catalogue(actor, now)
    version = next(each.version for each in entries if each.code == code)
    return step(stage.office_of(name).id, code, actor, now, version=version)


def _decide(stage: Stage, row: Subscription, name: str, days: int, *, approve: bool) -> Story:
    now = yield from stage.wait(days, 12)
    subscribing.decide(
        row.id,
        approve=approve,
        reason_in=OBLIGATIONS.__getitem__,
        actor=stage.actor(name),
        version=row.version,
        now=now,
    )
