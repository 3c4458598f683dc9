"""Steps of requests and what they leave behind, for tests of the transitions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, Notice, Request, User
from clearance.requests import transitions
from clearance.services.flows import Action
from tests.support import request_factories as requests

STANDARD = {"code": "plain", "prefix": "PL"}


def events_of(req: Request) -> list[Event]:
    return list(
        db.session.scalars(sa.select(Event).where(Event.request_id == req.id).order_by(Event.id))
    )


def steps_of(req: Request) -> list[str]:
    return [event.kind.removeprefix("request:step:") for event in events_of(req)]


def notices_of(req: Request) -> list[str]:
    return list(
        db.session.scalars(
            sa.select(Notice.event).where(Notice.request_id == req.id).order_by(Notice.id)
        )
    )


def act(req: Request, action: Action, user: User | None, **options: Any) -> Event:
    return transitions.perform(
        req,
        action,
        actor=actor_of(user) if user else None,
        now=options.pop("now", None) or utc_now(),
        version=options.pop("version", req.version),
        **options,
    )


def publish_plain(**changes: Any) -> None:
    """A trivial service; `changes` replace what stands at the top of its definition."""
    requests.publish(requests.TRIVIAL, **(STANDARD | changes))


def make_plain(agent: User, code: str = "plain") -> Request:
    return requests.make_sent(agent, code, words="سلام")
