"""Effects of the licence services: what an approval changes in the register and issues."""

from __future__ import annotations

from datetime import date
from typing import Any

from clearance import issuing
from clearance.licences import register as licence_register
from clearance.models import Licence
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, SuspendedBy, VoidReason
from clearance.services.effects import StepContext, approval_effect

_PARTICULARS = (*licence_register.IDENTITY_FIELDS, *licence_register.CONTACT_FIELDS)
_ACTIVE = {"status": LicenceStatus.ACTIVE, "suspended_by": None}


@approval_effect
def update_particulars(step: StepContext) -> None:
    """What the agent was asked of the broker's identity and contact goes into the register.

    What was sent as the register had it then is no news, and undoes no change made since.
    """
    broker, seen = _licence(step).broker, step.req.subject_seen
    given = {name: getattr(step.req, name) for name in _PARTICULARS if name in step.asked}
    new = {
        name: value
        for name, value in given.items()
        if value not in (None, "", seen.get(name)) and value != getattr(broker, name)
    }
    if new:
        _change(step, LicenceStep.UPDATED, new)


@approval_effect
def make_licence(step: StepContext) -> None:
    """The person becomes a broker of the organisation, with a new licence."""
    licence = licence_register.issue(
        step.req, expires=_granted(step), now=step.now, actor_id=step.actor_id
    )
    step.req.licence_id, step.req.broker_id = licence.id, licence.broker_id


@approval_effect
def renew_licence(step: StepContext) -> None:
    """The licence runs until the granted day, with the guarantee given, and is active."""
    values = {"expires": _granted(step), **_ACTIVE}
    for name in ("guarantee_no", "guarantee_expiry"):
        if getattr(step.req, name):
            values[name] = getattr(step.req, name)
    _change(step, LicenceStep.RENEWED, values)


@approval_effect
def suspend_licence(step: StepContext) -> None:
    """The licence is suspended at its holder's will."""
    values = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
    _change(step, LicenceStep.SUSPENDED, values)


@approval_effect
def reactivate_licence(step: StepContext) -> None:
    """The licence is active again."""
    _change(step, LicenceStep.REACTIVATED, _ACTIVE)


@approval_effect
def cancel_licence(step: StepContext) -> None:
    """The licence is cancelled for good, and so is all that was issued for it."""
    values = {"status": LicenceStatus.CANCELLED, "suspended_by": None}
    _change(step, LicenceStep.CANCELLED, values)
    issuing.void_all(_licence(step), VoidReason.CANCELLED, step.now)


@approval_effect
def void_card(step: StepContext) -> None:
    """The lost card counts no more."""
    issuing.void_living(_licence(step), IssuedKind.CARD, VoidReason.LOST, step.now)


@approval_effect
def issue_certificate(step: StepContext) -> None:
    """A licence certificate as the licence now stands."""
    issuing.issue(IssuedKind.CERTIFICATE, _licence(step), step.req, now=step.now)


@approval_effect
def issue_card(step: StepContext) -> None:
    """An identity card."""
    issuing.issue(IssuedKind.CARD, _licence(step), step.req, now=step.now)


@approval_effect
def issue_letter(step: StepContext) -> None:
    """A letter stating the licence's status, in the language that was asked for."""
    issuing.issue(IssuedKind.LETTER, _licence(step), step.req, now=step.now)


def _licence(step: StepContext) -> Licence:
    if step.req.licence_id is None:
        raise ValueError("this effect needs a licence")
    return licence_register.lock(step.req.licence_id)


def _granted(step: StepContext) -> date:
    if step.req.granted_expiry is None:
        raise ValueError("this effect needs a granted expiry date")
    return step.req.granted_expiry


def _change(step: StepContext, kind: LicenceStep, values: dict[str, Any]) -> None:
    licence_register.change(
        _licence(step),
        kind,
        values,
        now=step.now,
        actor_id=step.actor_id,
        request_id=step.req.id,
    )
