"""Office actions on a licence without a request: suspend, reinstate, correct."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance.core import reasons
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.constraints import is_violation_of
from clearance.core.errors import (
    BadFields,
    DomainError,
    PermissionDenied,
    ReasonRequired,
    Refusal,
    Refused,
)
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.licences import field_values, validity
from clearance.licences import notifications as licence_notices
from clearance.licences import register as licence_register
from clearance.models import BrokerType, Licence, LicenceChange
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy
from clearance.services.standard_fields import STANDARD_FIELDS, Kind, value_fault

REASON_MAX_LENGTH = 1000
CORRECTABLE: tuple[str, ...] = (
    *licence_register.IDENTITY_FIELDS,
    *licence_register.CONTACT_FIELDS,
    "guarantee_no",
    "guarantee_expiry",
    "issued",
    "expires",
)
"""Fields that a correction may change; not the state, organisation or number."""
MAY_BE_EMPTY = frozenset(
    {"mobile", "email", "address", *(f"name_{s}_{n}" for s in ("ar", "en") for n in (2, 3, 4))}
)
_MAY_BE_PAST = frozenset({Kind.FUTURE_DATE})


class StaleLicence(DomainError):
    """The licence was changed meanwhile. changed: field → (current value, submitted value)."""

    def __init__(self, changed: Mapping[str, tuple[Any, Any]], version: int) -> None:
        super().__init__(_stale_text(changed))
        self.changed = dict(changed)
        self.version = version


class BadCorrection(BadFields):
    """Invalid values for the register. faults: field → message."""


def suspend_refusal(licence: Licence, actor: Actor) -> Refusal | None:
    """Return why `actor` cannot suspend the licence, or None. Expired ones can be suspended."""
    refusal = _not_theirs(licence, actor)
    if refusal is not None:
        return refusal
    if licence.status == LicenceStatus.CANCELLED:
        return Refusal(_l("The licence is cancelled permanently."))
    if licence.suspended_by == SuspendedBy.OFFICE:
        return Refusal(_l("The office has already suspended this licence."))
    return None


def reinstate_refusal(licence: Licence, actor: Actor) -> Refusal | None:
    """Return why `actor` cannot lift the suspension now, or None."""
    refusal = _not_theirs(licence, actor)
    if refusal is not None:
        return refusal
    if licence.status != LicenceStatus.SUSPENDED:
        return Refusal(_l("The licence is not suspended."))
    if licence.suspended_by == SuspendedBy.HOLDER:
        return Refusal(
            _l("The licence is suspended at its holder's request."),
            _l("The holder can request a reactivation."),
        )
    return None


def correct_refusal(licence: Licence, actor: Actor) -> Refusal | None:
    """Return why `actor` cannot correct the register, or None."""
    return _not_theirs(licence, actor)


def suspend(
    licence: Licence, actor: Actor, reason: Reason | str, version: int, now: datetime
) -> LicenceChange:
    """Suspend the licence until the office reinstates it, and notify its users. Flushes.

    version: of the licence that the actor saw. reason: shown to the users.
    Raises: PermissionDenied, ReasonRequired, Refused, StaleLicence.
    """
    values = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}
    kept, licence = _begin(licence, actor, reason)
    _check_version(licence, version, values)
    _refuse(suspend_refusal(licence, actor))
    return _carry_out(licence, LicenceStep.SUSPENDED, values, actor, kept, now)


def reinstate(
    licence: Licence, actor: Actor, reason: Reason | str, version: int, now: datetime
) -> LicenceChange:
    """Lift the office's suspension: active, or expired if the last day has passed. Flushes.

    Arguments and errors as for `suspend`.
    """
    kept, licence = _begin(licence, actor, reason)
    has_ended = licence.expires < kuwait_date(now)
    status = LicenceStatus.EXPIRED if has_ended else LicenceStatus.ACTIVE
    values = {"status": status, "suspended_by": None}
    _check_version(licence, version, values)
    _refuse(reinstate_refusal(licence, actor))
    return _carry_out(licence, LicenceStep.REINSTATED, values, actor, kept, now)


def correct(
    licence: Licence,
    values: Mapping[str, Any],
    actor: Actor,
    reason: Reason | str,
    version: int,
    now: datetime,
) -> LicenceChange:
    """Correct the register's values for licence and broker, and notify the users. Flushes.

    values: fields of CORRECTABLE → typed new values. An expiry date may be in the past; the status
    is adapted. Raises: PermissionDenied, ReasonRequired, BadCorrection, Refused, StaleLicence.
    """
    unknown = set(values) - set(CORRECTABLE)
    if unknown:
        raise ValueError(f"not to be corrected: {', '.join(sorted(unknown))}")
    kept, licence = _begin(licence, actor, reason)
    _check_version(licence, version, values)
    _refuse(correct_refusal(licence, actor))
    changed = {name: value for name, value in values.items() if _stands(licence, name) != value}
    if not changed:
        raise Refused(Refusal(_l("Nothing was changed.")))
    faults = _faults(licence, changed, now)
    if faults:
        raise BadCorrection(faults)
    changed |= _state_after(licence, changed, now)
    try:
        with db.session.begin_nested():
            return _carry_out(licence, LicenceStep.CORRECTED, changed, actor, kept, now)
    except IntegrityError as error:
        if not is_violation_of(error, "uq_broker_civil_id"):
            raise
        raise BadCorrection({"civil_id": _l("Another broker has this civil number.")}) from None


def _not_theirs(licence: Licence, actor: Actor) -> Refusal | None:
    return licence_register.keeper_refusal(
        actor, civil_id=licence.broker.civil_id, organisation_id=licence.broker.organisation_id
    )


def _begin(licence: Licence, actor: Actor, reason: Reason | str) -> tuple[str, Licence]:
    """Lock the licence and check permission and reason. Returns the stored reason and licence."""
    licence = licence_register.lock(licence.id)
    refusal = _not_theirs(licence, actor)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    kept = reasons.cleaned(reason, REASON_MAX_LENGTH)
    if not kept:
        raise ReasonRequired
    return kept, licence


def _check_version(licence: Licence, version: int, values: Mapping[str, Any]) -> None:
    if licence.version != version:
        current = {name: _stands(licence, name) for name in values}
        raise StaleLicence(
            {
                name: (current[name], value)
                for name, value in values.items()
                if current[name] != value
            },
            licence.version,
        )


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal)


def _carry_out(
    licence: Licence,
    step: LicenceStep,
    values: Mapping[str, Any],
    actor: Actor,
    reason: str,
    now: datetime,
) -> LicenceChange:
    entry = licence_register.change(
        licence, step, values, now=now, actor_id=actor.id, reason=reason
    )
    licence_notices.tell(f"licence:{step}", licence, now=now, reason=reasons.in_both(reason))
    return entry


def _stands(licence: Licence, name: str) -> Any:
    row = licence if name in licence_register.LICENCE_FIELDS else licence.broker
    return getattr(row, name)


def _faults(licence: Licence, changed: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return field → message for the invalid new values."""
    faults = {
        name: fault
        for name, value in changed.items()
        if (fault := _fault(name, value, now)) is not None
    }
    issued = changed.get("issued", licence.issued)
    expires = changed.get("expires", licence.expires)
    if not faults and expires < issued:
        faults["expires"] = _l("The licence cannot expire before it was issued.")
    return faults


def _fault(name: str, value: Any, now: datetime) -> Any | None:
    if value in (None, ""):
        return None if name in MAY_BE_EMPTY else _l("Fill in this field.")
    field = STANDARD_FIELDS.get(name)
    if field is None or field.kind in _MAY_BE_PAST:
        return None
    if field.kind is Kind.BROKER_TYPE:
        known = db.session.get(BrokerType, value)
        return None if known is not None else _l("Choose one from the list.")
    return value_fault(field.kind, value, today=kuwait_date(now), max_length=field.max_length)


def _state_after(licence: Licence, changed: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the status changes that follow from a corrected expiry date."""
    if "expires" not in changed:
        return {}
    has_ended = changed["expires"] < kuwait_date(now)
    if has_ended and validity.is_expirable(licence):
        return {"status": LicenceStatus.EXPIRED, "suspended_by": None}
    if not has_ended and licence.status == LicenceStatus.EXPIRED:
        return {"status": LicenceStatus.ACTIVE}
    return {}


def _stale_text(changed: Mapping[str, tuple[Any, Any]]) -> str:
    """Return the message with the current and submitted value of every field."""
    head = _(
        "Someone else, or you in another tab, changed this licence in the meantime. "
        "Compare and decide again."
    )
    lines = [
        _(
            "%(field)s is now “%(stored)s”. You entered “%(given)s”.",
            field=field_values.LABELS[name],
            stored=field_values.format_value(name, stored),
            given=field_values.format_value(name, given),
        )
        for name, (stored, given) in changed.items()
    ]
    return " ".join([head, *lines])
