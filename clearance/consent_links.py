"""The link by which a broker answers his transfer: sent anew when either organisation asks."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clearance import throttle, timeline, workflow
from clearance.actor import Actor
from clearance.database import own_transaction
from clearance.errors import NotFound
from clearance.extensions import db
from clearance.models import Broker, Event, Request
from clearance.procedures.flows import Action
from clearance.procedures.transfer_guards import registered_mobile
from clearance.vocabulary import Status


def send_again(request_id: int, actor: Actor, version: int, now: datetime) -> None:
    """Send the broker a new link to where he is registered now; the earlier one is void. Flushes.

    version: the request's as the actor saw it. His time to answer stays the same. Counted against
    what may be sent to his mobile: call it before the request's first query. Raises: NotFound,
    TooManyTries, PermissionDenied, Refused, TransitionNotAllowed. Source: security rules 8 and 41.
    """
    mobile = _awaited_mobile(request_id, actor)
    if mobile is not None:
        counted = [("consent_link_sent", mobile), ("sms_all", "all")]
        throttle.hit_all([*counted, ("code_sent_ip", throttle.client_ip())], now)
    req = db.session.get(Request, request_id)
    if req is None:
        raise NotFound
    workflow.perform(req, Action.SEND_LINK, actor=actor, now=now, version=version)


def last_sent(req: Request) -> datetime | None:
    """When the broker was sent his link, the last time; None before."""
    sending = [timeline.kind_of(action) for action in (Action.ACCEPT, Action.SEND_LINK)]
    return db.session.scalar(
        sa.select(sa.func.max(Event.at, type_=Event.at.type)).where(
            Event.request_id == req.id, Event.kind.in_(sending)
        )
    )


def _awaited_mobile(request_id: int, actor: Actor) -> str | None:
    """The mobile that a link would go to; None where the actor can send none."""
    general = [each.organisation_id for each in actor.standings if each.is_general]
    statement = (
        sa.select(Broker.mobile)
        .join(Request, Request.broker_id == Broker.id)
        .where(
            Request.id == request_id,
            Request.status == Status.AWAITING_BROKER,
            sa.or_(
                Request.organisation_id.in_(general), Request.other_organisation_id.in_(general)
            ),
        )
    )
    with own_transaction(write=False) as connection:
        mobile = connection.execute(statement).scalar_one_or_none()
    return registered_mobile(mobile) if mobile else None
