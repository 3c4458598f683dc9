"""Licence steps initiated by the office: confirmation page and execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import flash, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import posted_version
from admin_views.office.asking import ask, ask_and_take
from admin_views.office.requests.actions import ready_reasons
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.reasons import Reason
from clearance.licences import field_values, office_actions
from clearance.licences import register as licence_register
from clearance.licences.office_actions import BadCorrection, StaleLicence
from clearance.models import Licence
from clearance.models.enums import ReasonFor
from forms.licence_actions import CorrectionForm, OfficeForm, correction_form, licence_action_form


@dataclass(frozen=True)
class OfficeStep:
    """A step. refusal: why an officer cannot take it now. told: the success message."""

    reason_for: ReasonFor
    refusal: Callable[[Licence, Actor], Refusal | None]
    told: Any
    causes: Any
    is_grave: bool = False

    @property
    def label(self) -> Any:
        """The button's text."""
        return self.reason_for.label


@dataclass(frozen=True)
class AvailableAction:
    """A step offered on the page. refusal: why it is impossible now, or None."""

    step: str
    label: Any
    is_grave: bool
    refusal: Refusal | None


STEPS: dict[str, OfficeStep] = {
    step.reason_for: step
    for step in (
        OfficeStep(
            ReasonFor.SUSPEND,
            office_actions.suspend_refusal,
            _l("The licence was suspended."),
            _l(
                "The licence is suspended until the office lifts the suspension. Documents "
                "issued for it are void until then. The holder is notified immediately."
            ),
            is_grave=True,
        ),
        OfficeStep(
            ReasonFor.REINSTATE,
            office_actions.reinstate_refusal,
            _l("The suspension was lifted."),
            _l(
                "The licence becomes active again, or expired if its last day has passed. "
                "The holder is notified immediately."
            ),
        ),
        OfficeStep(
            ReasonFor.CORRECT,
            office_actions.correct_refusal,
            _l("The register was corrected."),
            _l("Your changes replace what is in the register. The holder is notified immediately."),
        ),
    )
}
Act = Callable[[Licence, Actor, Reason, int, datetime], object]


class RegisterSteps:
    """Mixin of the licence view; `get_one` respects the reader's scope."""

    get_one: Callable[[Any], Licence]
    render: Callable[..., str]
    show: Callable[..., Any]

    def offered_steps(self, licence: Licence) -> list[AvailableAction]:
        """Return a reviewer's steps, with the refusals of those impossible now."""
        actor = current_actor()
        if not actor.is_reviewer:
            return []
        return [
            AvailableAction(str(name), step.label, step.is_grave, step.refusal(licence, actor))
            for name, step in STEPS.items()
        ]

    @expose("/<int:licence_id>/do/<step>", methods=("GET", "POST"))
    def do(self, licence_id: int, step: str) -> Any:
        """Confirm and take a step on a licence."""
        require(current_actor().is_reviewer and step in STEPS)
        licence = self.get_one(licence_id)
        form = _form(licence, step)

        def act() -> None:
            _act(step, form)(
                licence, current_actor(), form.given_reason(), posted_version(), utc_now()
            )

        return ask_and_take(
            partial(self._ask, licence, step, form),
            form,
            act,
            result=_details_url(licence_id),
            told=STEPS[step].told,
            refused=lambda fault: self._refused(self.get_one(licence_id), step, form, fault),
        )

    def _ask(
        self, licence: Licence, step: str, form: OfficeForm, *, version: int | None = None
    ) -> str:
        """Render the confirmation page. version: of the licence as shown there."""
        return ask(
            self.render,
            "office/licences/ask.html",
            form,
            _details_url(licence.id),
            licence=licence,
            broker=licence.broker,
            office_step=STEPS[step],
            refusal=STEPS[step].refusal(licence, current_actor()),
            version=version or request.form.get("version", licence.version),
        )

    def _refused(self, licence: Licence, step: str, form: OfficeForm, fault: DomainError) -> Any:
        """Show faults at their fields; after another user's change both values (rule 56)."""
        if isinstance(form, CorrectionForm) and isinstance(fault, BadCorrection):
            form.add_faults(fault.faults)
            return self._ask(licence, step, form), 400
        if not (isinstance(form, CorrectionForm) and isinstance(fault, StaleLicence)):
            return self.show(licence, alert=str(fault), status=409)
        flash(
            _(
                "Someone else, or you in another tab, changed this licence in the meantime. "
                "Compare and save again."
            ),
            "error",
        )
        form.add_faults(
            {
                name: _(
                    "In the register now: %(value)s", value=field_values.format_value(name, stored)
                )
                for name, (stored, _given) in fault.changed.items()
            }
        )
        return self._ask(licence, step, form, version=fault.version), 409


def _form(licence: Licence, step: str) -> OfficeForm:
    ready, lang = ready_reasons(step), i18n.language()
    if step != ReasonFor.CORRECT:
        return licence_action_form(ready, lang)
    stored = {
        name: getattr(licence if name in licence_register.LICENCE_FIELDS else licence.broker, name)
        for name in office_actions.CORRECTABLE
    }
    return correction_form(ready, stored, lang)


def _act(step: str, form: OfficeForm) -> Act:
    if isinstance(form, CorrectionForm):
        values = form.values()
        return lambda licence, actor, reason, version, now: office_actions.correct(
            licence, values, actor, reason, version, now
        )
    return office_actions.suspend if step == ReasonFor.SUSPEND else office_actions.reinstate


def _details_url(licence_id: int) -> str:
    return url_for("office_licences.details_view", id=licence_id)
