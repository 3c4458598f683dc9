"""Licence steps initiated by the office: confirmation page and execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import idempotency_owner, posted_key, posted_version
from admin_views.office.requests.actions import ready_reasons
from admin_views.shared import licence_details
from clearance.core import i18n, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.extensions import db
from clearance.licences import field_values, office_actions
from clearance.licences import register as licence_register
from clearance.licences.office_actions import BadCorrection, StaleLicence
from clearance.models import Licence
from clearance.models.enums import ReasonFor
from clearance.public import form_helpers
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
                "The licence is suspended until the office lifts it; what was issued for it is "
                "void meanwhile. The holder is told at once."
            ),
            is_grave=True,
        ),
        OfficeStep(
            ReasonFor.REINSTATE,
            office_actions.reinstate_refusal,
            _l("The suspension was lifted."),
            _l(
                "The licence is active again, or expired if its last day has passed. The holder is "
                "told at once."
            ),
        ),
        OfficeStep(
            ReasonFor.CORRECT,
            office_actions.correct_refusal,
            _l("The register was corrected."),
            _l("What you change here replaces what the register says. The holder is told at once."),
        ),
    )
}
Act = Callable[[Licence, Actor, str, int, datetime], object]


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
        if not current_actor().is_reviewer or step not in STEPS:
            not_found()
        licence = self.get_one(licence_id)
        form = _form(licence, step)
        if not form_helpers.is_sent():
            return self._ask(licence, step, form)
        if not form.validate():
            return self._ask(licence, step, form), 400
        return self._take(licence, step, form)

    def _ask(
        self, licence: Licence, step: str, form: OfficeForm, *, version: int | None = None
    ) -> str:
        """Render the confirmation page. version: of the licence as shown there."""
        office_step = STEPS[step]
        return self.render(
            "office/licences/do.html",
            licence=licence,
            broker=licence.broker,
            step=office_step,
            refusal=office_step.refusal(licence, current_actor()),
            form=form,
            is_correction=isinstance(form, CorrectionForm),
            version=version or request.form.get("version", licence.version),
            form_key=posted_key() or idempotency.new(),
            back_url=_details_url(licence.id),
        )

    def _take(self, licence: Licence, step: str, form: OfficeForm) -> Any:
        actor, now, key = current_actor(), utc_now(), posted_key()
        licence_id, owner, result = licence.id, idempotency_owner(actor), _details_url(licence.id)
        try:
            if idempotency.claim(key, owner, result, now) is None:
                lang = licence_details.language_of(licence.broker.organisation_id)
                reason = form.reason_in(lang)
                _act(step, form)(licence, actor, reason, posted_version(), now)
            db.session.commit()
        except (BadCorrection, StaleLicence) as fault:
            db.session.rollback()
            return self._ask_again(licence_id, step, form, fault, key, owner)
        except DomainError as refusal:
            db.session.rollback()
            if idempotency.result_of(key, owner) is not None:
                return redirect(result, code=303)  # double click: the first click took the step
            return self.show(self.get_one(licence_id), alert=str(refusal), status=409)
        flash(str(STEPS[step].told), "success")
        return redirect(result, code=303)

    def _ask_again(
        self,
        licence_id: int,
        step: str,
        form: OfficeForm,
        fault: BadCorrection | StaleLicence,
        key: str,
        owner: str,
    ) -> Any:
        """Show faults at their fields; after another user's change both values (rule 56)."""
        if idempotency.result_of(key, owner) is not None:
            return redirect(_details_url(licence_id), code=303)
        licence = self.get_one(licence_id)
        if not isinstance(form, CorrectionForm):
            return self.show(licence, alert=str(fault), status=409)
        if isinstance(fault, BadCorrection):
            form.add_faults(fault.faults)
            return self._ask(licence, step, form), 400
        flash(_("Somebody else changed this licence meanwhile. Compare and save again."), "error")
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
