"""Legal holds: whose data the purge leaves alone, by request or person.

A manager or administrator sets and lifts them with a reason; both are in the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from clearance.core import audit, reasons
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, PermissionDenied, ReasonRequired, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import LegalHold, Request, User

REASON_MAX_LENGTH = 1000
SHOWN = 200
"""How many holds of each kind, in force and lifted, the office's page lists."""

_IN_FORCE = LegalHold.lifted_at.is_(None)


def of_request(request_id: int) -> LegalHold | None:
    """Return the request's own hold in force, if any."""
    return _in_force(LegalHold.request_id == request_id)


def of_user(user_id: int) -> LegalHold | None:
    """Return the person's hold in force, if any."""
    return _in_force(LegalHold.user_id == user_id)


def protects(req: Request) -> bool:
    """Return whether the request, its creator, sender or present owner is under a hold."""
    return bool(db.session.scalar(sa.select(sa.literal(1)).where(_holds_request(req))))


def holds(*, user: Any = None, request: Any = None) -> sa.ColumnElement[bool]:
    """Return the condition that a hold in force is on the user or the request.

    user, request: columns with their ids. False for a row in which both are NULL.
    """
    subjects = [LegalHold.user_id == user] if user is not None else []
    if request is not None:
        subjects.append(LegalHold.request_id == request)
    return sa.exists().where(_IN_FORCE, sa.or_(*subjects))


def listed(*, in_force: bool) -> Sequence[LegalHold]:
    """Return the newest holds in force, or those lifted last, with what they are about."""
    order = LegalHold.set_at if in_force else LegalHold.lifted_at
    query = (
        sa.select(LegalHold)
        .where(_IN_FORCE if in_force else ~_IN_FORCE)
        .options(*(joinedload(getattr(LegalHold, name)) for name in _ABOUT))
        .order_by(order.desc(), LegalHold.id.desc())
        .limit(SHOWN)
    )
    return db.session.scalars(query).all()


_ABOUT = ("request", "user", "set_by", "lifted_by")


def place(subject: Request | User, reason: str, actor: Actor, now: datetime) -> LegalHold:
    """Put a request or person under a hold. Flushes.

    reason: up to 1,000 characters, for the office alone.
    Raises: PermissionDenied, ReasonRequired, Refused (there is one), BadValue.
    """
    reason = _given(reason, actor)
    db.session.refresh(subject, with_for_update={"key_share": True})
    is_request = isinstance(subject, Request)
    if (of_request if is_request else of_user)(subject.id) is not None:
        raise Refused(Refusal(_l("It is under a legal hold already.")))
    name = "request_id" if is_request else "user_id"
    hold = LegalHold(**{name: subject.id}, reason=reason, set_by_id=actor.id, set_at=now)
    db.session.add(hold)
    db.session.flush()
    _record("set", hold, reason, actor, now)
    return hold


def lift(hold_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Lift a hold. Flushes. Raises: NotFound, PermissionDenied, ReasonRequired, Refused, BadValue.

    What is past its retention period by then goes with the next purge.
    """
    reason = _given(reason, actor)
    hold = db.session.get(LegalHold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None:
        raise NotFound
    if hold.lifted_at is not None:
        raise Refused(Refusal(_l("This legal hold was lifted already.")))
    hold.lifted_at, hold.lifted_by_id, hold.lift_reason = now, actor.id, reason
    _record("lifted", hold, reason, actor, now)


def _given(reason: str, actor: Actor) -> str:
    if not (actor.is_manager or actor.is_administrator):
        raise PermissionDenied
    cleaned = reasons.cleaned(reason, REASON_MAX_LENGTH)
    if not cleaned:
        raise ReasonRequired
    return cleaned


def _record(verb: str, hold: LegalHold, reason: str, actor: Actor, now: datetime) -> None:
    subject = {"request_id": hold.request_id, "user_id": hold.user_id}
    changes = {
        name: [None, key] if verb == "set" else [key, None]
        for name, key in subject.items()
        if key is not None
    }
    audit.record(
        f"retention:hold:{verb}",
        obj=hold,
        actor_id=actor.id,
        at=now,
        request_id=hold.request_id,
        reason=reason,
        changes=changes,
    )


def _in_force(about: sa.ColumnElement[bool]) -> LegalHold | None:
    query = sa.select(LegalHold).where(_IN_FORCE, about).options(joinedload(LegalHold.set_by))
    return db.session.scalar(query)


def _holds_request(req: Request) -> sa.ColumnElement[bool]:
    people = [req.created_by_id, req.sender_id, req.handed_to_id]
    known = [person for person in people if person is not None]
    subjects = sa.or_(LegalHold.request_id == req.id, LegalHold.user_id.in_(known))
    return sa.exists().where(_IN_FORCE, subjects)
