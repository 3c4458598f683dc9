"""Writes to the licence register: all changes of licences and brokers, with their history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.core import audit, name_folding, numbering
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.errors import NotFound, Refusal
from clearance.core.extensions import db
from clearance.models import Broker, Licence, LicenceChange, Request
from clearance.models.enums import LicenceStatus, LicenceStep
from clearance.models.names import NAME_COLUMNS
from clearance.services import registry

LICENCE_FIELDS = frozenset(
    {"guarantee_no", "guarantee_expiry", "issued", "expires", "status", "suspended_by"}
)
IDENTITY_FIELDS = (
    "broker_type",
    *NAME_COLUMNS,
    "nationality",
    "civil_id",
    "civil_id_expiry",
    "passport_no",
    "passport_expiry",
)
CONTACT_FIELDS = ("mobile", "email", "address")
BROKER_FIELDS = frozenset({"organisation_id", *IDENTITY_FIELDS, *CONTACT_FIELDS})
NUMBER_PREFIX = "KW"
_NO_YEAR = 0  # licence numbers do not restart every year
_OUT_OF_ORDER = Refusal(_l("This service is out of order."))


def keeper_refusal(actor: Actor, *, civil_id: str, organisation_id: int) -> Refusal | None:
    """Return why `actor` cannot change the register, or None.

    civil_id, organisation_id: whom the change is about. Refuses everyone but reviewers, reviewers
    on their own file (security rule 24), and everyone where licences are left out.
    """
    if not registry.current().has("licences"):
        return _OUT_OF_ORDER
    return permissions.keeps_register(actor, civil_id=civil_id, organisation_id=organisation_id)


def lock(licence_id: int) -> Licence:
    """Lock and reload the licence and its broker, in this order, until the transaction ends.

    The broker's other licences are locked too, since a change of the broker changes them all. On
    SQLite the writing transaction itself is the lock. Raises: NotFound.
    """
    db.session.flush()
    found = {row.id: row for row in _locked_licences(_brokers_of([licence_id]))}
    if licence_id not in found:
        raise NotFound
    licence = found[licence_id]
    _locked_broker(Broker.id == licence.broker_id)
    return licence


def lock_many(licence_ids: Collection[int]) -> None:
    """Lock many licences and their brokers as `lock` does, before any of them is changed.

    All callers lock them in the same order, to avoid deadlocks.
    """
    db.session.flush()
    brokers = {licence.broker_id for licence in _locked_licences(_brokers_of(licence_ids))}
    ordered = sa.select(Broker.id).where(Broker.id.in_(brokers)).order_by(Broker.id)
    db.session.execute(_for_change(ordered))


def lock_unless_busy(licence_id: int) -> Licence | None:
    """Lock the licence as `lock` does, or return None if any of its rows is locked already.

    For repeated jobs: they hold many locks, and waiting could cause deadlocks.
    """
    together = sa.select(Licence).where(Licence.broker_id.in_(_brokers_of([licence_id])))
    free = together.order_by(Licence.id).with_for_update(key_share=True, skip_locked=True)
    locked = db.session.scalars(free.execution_options(populate_existing=True)).all()
    count = db.session.scalar(sa.select(sa.func.count()).select_from(together.subquery()))
    return lock(licence_id) if len(locked) == count else None


def change(
    licence: Licence,
    step: LicenceStep,
    values: Mapping[str, Any],
    *,
    now: datetime,
    actor_id: int | None,
    request_id: int | None = None,
    reason: str = "",
) -> LicenceChange:
    """Change fields of `licence` and its broker as one history entry, which is returned. Flushes.

    values: field of either → new value; equal ones are not recorded. Locks and reloads both rows
    first, increments the licence's version and writes an audit event. Raises: ValueError for an
    unknown field, NotFound if the licence does not exist.
    """
    unknown = set(values) - LICENCE_FIELDS - BROKER_FIELDS
    if unknown:
        raise ValueError(f"the register has no field {', '.join(sorted(unknown))}")
    licence = lock(licence.id)
    changes = _put(licence, licence.broker, values)
    return _note(licence, step, changes, now, actor_id, request_id, reason)


def issue(req: Request, *, expires: date, now: datetime, actor_id: int | None) -> Licence:
    """Register the person of `req` as a broker of its organisation, with a new licence. Flushes.

    Takes guarantee, identity and contact from the request. If the person had a licence, since
    cancelled, their broker row is updated and moves to the requesting organisation.
    expires: the last Kuwait day, as granted. Source: specification section 5.
    """
    if req.guarantee_expiry is None:
        raise ValueError("a licence needs a bank guarantee")
    broker, changes = _broker_of(req, now)
    licence = Licence(
        number=_next_number(),
        broker_id=broker.id,
        guarantee_no=req.guarantee_no,
        guarantee_expiry=req.guarantee_expiry,
        issued=kuwait_date(now),
        expires=expires,
        status=LicenceStatus.ACTIVE,
    )
    db.session.add(licence)
    db.session.flush()
    given = {name: getattr(licence, name) for name in ("number", *sorted(LICENCE_FIELDS))}
    changes |= {
        name: [None, audit.as_json(value)] for name, value in given.items() if value is not None
    }
    _note(licence, LicenceStep.ISSUED, changes, now, actor_id, req.id, "")
    return licence


def _broker_of(req: Request, now: datetime) -> tuple[Broker, dict[str, list[Any]]]:
    """Return the broker with the request's data, created if needed, and the changes made."""
    values = {name: getattr(req, name) for name in (*IDENTITY_FIELDS, *CONTACT_FIELDS)}
    values["organisation_id"] = req.organisation_id
    _locked_licences(sa.select(Broker.id).where(Broker.civil_id == req.civil_id))
    broker = _locked_broker(Broker.civil_id == req.civil_id)
    if broker is not None:
        return broker, _put(None, broker, values)
    broker = Broker(name_folded=_folded(values), created_at=now, **values)
    db.session.add(broker)
    db.session.flush()
    return broker, {}


def _brokers_of(licence_ids: Collection[int]) -> sa.Select[int]:
    return sa.select(Licence.broker_id).where(Licence.id.in_(licence_ids))


def _locked_licences(broker_ids: sa.Select[int]) -> Sequence[Licence]:
    """Lock all licences of the brokers, always in the same order."""
    ordered = sa.select(Licence).where(Licence.broker_id.in_(broker_ids)).order_by(Licence.id)
    return db.session.scalars(_for_change(ordered)).all()


def _locked_broker(which: sa.ColumnElement[bool]) -> Broker | None:
    return db.session.execute(_for_change(sa.select(Broker).where(which))).scalar_one_or_none()


def _for_change(rows: sa.Select[Any]) -> sa.Select[Any]:
    """Lock and reload the rows.

    NO KEY UPDATE does not conflict with the foreign-key locks that writing a request takes on its
    broker and licence, in an order that we do not control.
    """
    return rows.with_for_update(key_share=True).execution_options(populate_existing=True)


def _put(licence: Licence | None, broker: Broker, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set the values that differ; return field → [before, after] as JSON."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        row = licence if name in LICENCE_FIELDS else broker
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            changes[name] = [audit.as_json(before), audit.as_json(value)]
    if not BROKER_FIELDS.isdisjoint(changes):
        broker.version += 1
        others = [other for other in broker.licences if other is not licence]
        for other in others:  # their pages show the broker too
            other.version += 1
    if not set(NAME_COLUMNS).isdisjoint(changes):
        broker.name_folded = _folded({name: getattr(broker, name) for name in NAME_COLUMNS})
    if licence is not None:
        licence.version += 1
    db.session.flush()
    return changes


def _note(
    licence: Licence,
    step: LicenceStep,
    changes: Mapping[str, Any],
    now: datetime,
    actor_id: int | None,
    request_id: int | None,
    reason: str,
) -> LicenceChange:
    entry = LicenceChange(
        licence_id=licence.id,
        request_id=request_id,
        actor_id=actor_id,
        at=now,
        kind=step,
        reason=reason,
        changes=dict(changes),
    )
    db.session.add(entry)
    audit.record(
        f"register:{step}",
        obj=licence,
        actor_id=actor_id,
        at=now,
        organisation_id=licence.broker.organisation_id,
        request_id=request_id,
        reason=reason,
        changes=changes,
    )
    return entry


def _next_number() -> str:
    """Return the next licence number, skipping numbers in use, such as those from customs."""
    while True:
        number = f"{NUMBER_PREFIX}-{numbering.next_serial(NUMBER_PREFIX, _NO_YEAR)}"
        if db.session.scalar(sa.select(Licence.id).where(Licence.number == number)) is None:
            return number


def _folded(values: Mapping[str, Any]) -> str:
    names = (values[name] for name in NAME_COLUMNS)
    return name_folding.name_index(*names)
