"""Resending the link by which a broker answers his transfer."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clearance.auth import rate_limits
from clearance.core.actor import Actor
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import Broker, Event, Request
from clearance.requests import timeline, transitions
from clearance.transfers.flow import TransferAction
from clearance.transfers.guards import registered_mobile
from clearance.transfers.statuses import TransferStatus


def send_again(
    request_id: int, shown: sa.ColumnElement[bool], actor: Actor, version: int, now: datetime
) -> None:
    """Send the broker a new link to his registered contacts and void the earlier one. Flushes.

    shown: condition on Request for what the actor may see. version: as the actor saw it. His time
    to answer stays the same. Rate-limited per mobile; call it before the request's first query.
    Raises: NotFound, TooManyTries, PermissionDenied, Refused, TransitionNotAllowed.
    Source: security rules 8 and 41.
    """
    mobile = _awaited_mobile(sa.and_(Request.id == request_id, shown), actor)
    pairs = [] if mobile is None else _budget(mobile, actor)
    with rate_limits.counted(*pairs):
        req = db.session.get_one(Request, request_id)
        transitions.perform(req, TransferAction.SEND_LINK, actor=actor, now=now, version=version)


def last_sent(req: Request) -> datetime | None:
    """Return when the broker's link was last sent, or None."""
    sending = [
        timeline.kind_of(action) for action in (TransferAction.ACCEPT, TransferAction.SEND_LINK)
    ]
    return db.session.scalar(
        sa.select(sa.func.max(Event.at, type_=Event.at.type)).where(
            Event.request_id == req.id, Event.kind.in_(sending)
        )
    )


def _budget(mobile: str, actor: Actor) -> list[rate_limits.Pair]:
    """Return the limits; others' messages to that mobile only delay the link."""
    sent = rate_limits.of_target("consent_link_sent", mobile, f"user:{actor.id}")
    return [*sent, ("sms_all", "all"), ("code_sent_ip", rate_limits.client_ip())]


def _awaited_mobile(which: sa.ColumnElement[bool], actor: Actor) -> str | None:
    """Return the mobile for a link; None if the actor cannot send one. Raises: NotFound."""
    columns = (Request.status, Request.organisation_id, Request.other_organisation_id)
    statement = sa.select(*columns, Broker.mobile).outerjoin(Request.broker).where(which)
    with own_transaction(write=False) as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    general = {standing.organisation_id for standing in actor.standings if standing.is_general}
    is_theirs = bool({row.organisation_id, row.other_organisation_id} & general)
    is_awaited = row.status == TransferStatus.AWAITING_BROKER
    return registered_mobile(row.mobile or "") if is_theirs and is_awaited else None
