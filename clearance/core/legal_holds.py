"""Legal holds: whose data the purge leaves alone, by request, account or civil number.

A manager or administrator sets and lifts them with a reason; both are in the audit trail. A hold on
an account is also one on its civil number, and one on a civil number also on the account of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from clearance.core import audit, reasons, values
from clearance.core.actor import Actor
from clearance.core.constraints import is_violation_of
from clearance.core.errors import NotFound, PermissionDenied, ReasonRequired, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import (
    Base,
    Broker,
    Document,
    IssuedDocument,
    LegalHold,
    Licence,
    Registration,
    Request,
    User,
)
from clearance.models.enums import Status

REASON_MAX_LENGTH = 1000
SHOWN = 200
"""How many holds of each kind, in force and lifted, the office's page lists."""
ALREADY = Refusal(_l("It is under a legal hold already."))

Subject = Request | User | str
"""What a hold is on; text is a civil number."""
_IN_FORCE = LegalHold.lifted_at.is_(None)
_Condition = sa.ColumnElement[bool]
_Ids = sa.CompoundSelect[Any] | sa.Select[Any]


def of(subject: Subject) -> LegalHold | None:
    """Return the subject's own hold in force, if any."""
    found = _in_force(_is_on(subject))
    return found[0] if found else None


def over(subject: Request | User | Broker) -> Sequence[LegalHold]:
    """Return the holds in force on a request or account, and on the civil number it has."""
    numbers = [subject.civil_id]
    if isinstance(subject, Request) and subject.broker is not None:
        numbers.append(subject.broker.civil_id)
    of_number = LegalHold.civil_id.in_([number for number in numbers if number])
    if isinstance(subject, Broker):
        return _in_force(of_number)
    return _in_force(sa.or_(_is_on(subject), of_number))


def protects(req: Request) -> bool:
    """Return whether a hold keeps the request, as `keeps_request` says."""
    query = sa.select(sa.literal(1)).where(Request.id == req.id, keeps_request())
    return db.session.scalar(query) is not None


def keeps_request() -> _Condition:
    """Return the condition that a request is under a hold, or its creator, sender or owner is."""
    people = (Request.created_by_id, Request.sender_id, Request.handed_to_id)
    return sa.or_(*_ways_of_request(), *(among(person, users()) for person in people))


def among(column: Any, chosen: _Ids) -> _Condition:
    """Return the condition that the column has one of the chosen values; false for NULL."""
    return sa.and_(column.is_not(None), column.in_(chosen))


def users() -> _Ids:
    """Select the ids of accounts under a hold."""
    of_number = sa.select(User.id).join(LegalHold, LegalHold.civil_id == User.civil_id)
    return sa.union(_held(LegalHold.user_id), of_number.where(_IN_FORCE))


def registrations() -> _Ids:
    """Select the ids of registrations that have a held civil number, or name a broker of it."""
    is_own = Registration.civil_id.in_(_numbers())
    return sa.select(Registration.id).where(sa.or_(is_own, _mentions(Registration.customs_data)))


def requests() -> _Ids:
    """Select the ids of requests under a hold, and of those about a civil number that is held.

    A request is about the number in its field, and about that of its licence's broker; a draft also
    about each one in its answers (those of a sent request are never deleted).
    """
    return sa.union(*(sa.select(Request.id).where(way) for way in _ways_of_request()))


def addresses() -> _Ids:
    """Select the e-mail addresses and mobiles of accounts and registrations under a hold."""
    owners: tuple[tuple[Any, _Ids], ...] = ((User, users()), (Registration, registrations()))
    return sa.union(
        *(
            sa.select(address).where(owner.id.in_(chosen), address.is_not(None))
            for owner, chosen in owners
            for address in (owner.email, owner.mobile)
        )
    )


def records() -> Iterator[tuple[type[Base], _Ids]]:
    """Yield tables with the ids of the rows that are about somebody or something under a hold."""
    yield User, users()
    yield Request, requests()
    yield Broker, sa.select(Broker.id).where(Broker.civil_id.in_(_numbers()))
    yield Licence, _licences()
    of_document = (Document.request_id.in_(requests()), Document.uploaded_by_id.in_(users()))
    yield Document, sa.union(*(sa.select(Document.id).where(way) for way in of_document))
    issued = (
        IssuedDocument.request_id.in_(requests()),
        IssuedDocument.licence_id.in_(_licences()),
    )
    yield IssuedDocument, sa.union(*(sa.select(IssuedDocument.id).where(way) for way in issued))


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


def place(subject: Subject, reason: str, actor: Actor, now: datetime) -> LegalHold:
    """Put a request, an account or a civil number under a hold. Flushes.

    reason: up to 1,000 characters, for the office alone. A civil number need not be known.
    Raises: PermissionDenied, ReasonRequired, Refused (there is one), BadValue.
    """
    reason = _given(reason, actor)
    if isinstance(subject, str):
        subject = values.civil_number(subject)
    else:
        db.session.refresh(subject, with_for_update={"key_share": True})
    if of(subject) is not None:
        raise Refused(ALREADY)
    name, value = _named(subject)
    hold = LegalHold(**{name: value}, reason=reason, set_by_id=actor.id, set_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(hold)
    except IntegrityError as error:  # nothing was locked for a civil number
        if not is_violation_of(error, "uq_legal_hold_civil_id"):
            raise
        raise Refused(ALREADY) from None
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
    subject = {"request_id": hold.request_id, "user_id": hold.user_id, "civil_id": hold.civil_id}
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


def _named(subject: Subject) -> tuple[str, Any]:
    """Return the column of a hold on the subject, and its value."""
    if isinstance(subject, str):
        return "civil_id", subject
    return ("request_id" if isinstance(subject, Request) else "user_id"), subject.id


def _is_on(subject: Subject) -> _Condition:
    name, value = _named(subject)
    condition: _Condition = getattr(LegalHold, name) == value
    return condition


def _held(column: Any) -> sa.Select[Any]:
    return sa.select(column).where(_IN_FORCE, column.is_not(None))


def _numbers() -> sa.CompoundSelect[Any]:
    """Select the civil numbers under a hold, those of held accounts included."""
    of_account = sa.select(User.civil_id).join(LegalHold, LegalHold.user_id == User.id)
    return sa.union(
        _held(LegalHold.civil_id), of_account.where(_IN_FORCE, User.civil_id.is_not(None))
    )


def _licences() -> sa.Select[Any]:
    of_number = Broker.civil_id.in_(_numbers())
    return sa.select(Licence.id).join(Broker, Broker.id == Licence.broker_id).where(of_number)


def _ways_of_request() -> tuple[_Condition, ...]:
    """Return the ways in which a request is under a hold; each can follow an index."""
    return (
        Request.id.in_(_held(LegalHold.request_id)),
        among(Request.civil_id, _numbers()),
        among(Request.licence_id, _licences()),
        sa.and_(Request.status == Status.DRAFT, _mentions(Request.answers)),
    )


def _mentions(column: Any) -> _Condition:
    """Return the condition that a held civil number is anywhere in the JSON of the column."""
    number = _numbers().subquery().c[0]
    return sa.exists().where(sa.cast(column, sa.Text).contains(number))


def _in_force(about: _Condition) -> Sequence[LegalHold]:
    query = sa.select(LegalHold).where(_IN_FORCE, about).options(joinedload(LegalHold.set_by))
    return db.session.scalars(query.order_by(LegalHold.id)).all()
