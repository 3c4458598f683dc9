"""Approval effects of the licence services on the register."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.licences import register as licence_register
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.licences.guards import LICENCE
from clearance.models import Licence
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy
from clearance.services.effects import StepContext, approval_effect
from clearance.services.needs import Needs

_PARTICULARS = (*licence_register.IDENTITY_FIELDS, *licence_register.CONTACT_FIELDS)
_ACTIVE = {"status": LicenceStatus.ACTIVE, "suspended_by": None}


@approval_effect(
    words=_l("The register is updated with the details and contact data in the request."),
    needs=LICENCE,
)
def update_particulars(step: StepContext) -> None:
    """Update the broker's identity and contact data with what the form asked the agent for.

    Values equal to the register's at sending are skipped, so that later changes are not undone.
    """
    broker, seen = licence_of(step).broker, step.req.subject_seen
    given = {name: getattr(step.req, name) for name in _PARTICULARS if name in step.asked}
    new = {
        name: value
        for name, value in given.items()
        if value not in (None, "", seen.get(name)) and value != getattr(broker, name)
    }
    if new:
        change_licence(step, LicenceStep.UPDATED, new)


@approval_effect(
    words=_l("The person is added to the register as a broker with a new licence."),
    needs=Needs(fields=(*_PARTICULARS, "guarantee_no", "guarantee_expiry")),
    asks=GrantedExpiry,
)
def make_licence(step: StepContext) -> None:
    """Register the person as a broker of the organisation, with a new licence."""
    licence = licence_register.issue(
        step.req, expires=_granted(step), now=step.now, actor_id=step.actor_id
    )
    step.req.licence_id, step.req.broker_id = licence.id, licence.broker_id


@approval_effect(
    words=_l(
        "The licence is active until the approved expiry date, with the bank guarantee provided."
    ),
    needs=LICENCE,
    asks=GrantedExpiry,
)
def renew_licence(step: StepContext) -> None:
    """Extend the licence to the granted expiry date, with any new guarantee, and activate it."""
    values = {"expires": _granted(step), **_ACTIVE}
    for name in ("guarantee_no", "guarantee_expiry"):
        if getattr(step.req, name):
            values[name] = getattr(step.req, name)
    change_licence(step, LicenceStep.RENEWED, values)


@approval_effect(words=_l("The licence is suspended at its holder's request."), needs=LICENCE)
def suspend_licence(step: StepContext) -> None:
    """Suspend the licence at its holder's request."""
    values = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
    change_licence(step, LicenceStep.SUSPENDED, values)


@approval_effect(words=_l("The licence becomes active again."), needs=LICENCE)
def reactivate_licence(step: StepContext) -> None:
    """Reactivate the licence."""
    change_licence(step, LicenceStep.REACTIVATED, _ACTIVE)


def licence_of(step: StepContext) -> Licence:
    """Lock and return the request's licence."""
    if step.req.licence_id is None:
        raise ValueError("this effect needs a licence")
    return licence_register.lock(step.req.licence_id)


def _granted(step: StepContext) -> date:
    """Keep the granted expiry date with the request, and return it."""
    step.req.granted_expiry = step.given.require(GrantedExpiry).granted_expiry
    return step.req.granted_expiry


def change_licence(step: StepContext, kind: LicenceStep, values: dict[str, Any]) -> None:
    """Change the licence through the register, recording step, actor and request."""
    licence_register.change(
        licence_of(step),
        kind,
        values,
        now=step.now,
        actor_id=step.actor_id,
        request_id=step.req.id,
    )
