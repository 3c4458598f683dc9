"""Registration, with and without a customs account, and accepting a staff invitation."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from clearance.accounts import registration, staff_invitations
from clearance.auth import password_changes
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, Refused, ServiceUnavailable
from clearance.core.extensions import db
from clearance.core.i18n import in_language, language
from clearance.core.request_kind import is_sent
from clearance.customs import client as customs_client
from clearance.models.enums import Role
from clearance.organisations import opening
from clearance.public import form_helpers
from forms.public_account import EntityChoice, InvitationForm, RegistrationForm

FORM_NAME = "register"


def register() -> Any:
    """GET and POST /register."""
    form = RegistrationForm(_entities())
    faults: list[str] = []
    status = 200
    if is_sent():
        is_image_right = form_helpers.spend_image(FORM_NAME)
        if not is_image_right and form_helpers.result_of_first_click(FORM_NAME):
            return _to_sent()
        form_helpers.note_leftovers(form)
        if form_helpers.validate(form, is_image_right):
            try:
                return _send(form)
            except (customs_client.Rejected, ServiceUnavailable) as error:
                faults, status = [str(error.message)], _status_of(error)
            except Refused as error:
                faults = [str(text) for text in (error.refusal.text, error.refusal.change) if text]
            except password_changes.WeakPassword as error:
                form.password.errors = [*form.password.errors, *map(str, error.faults)]
    return _page(form, faults), status


def registered() -> str:
    """GET /register/sent: the same page for known and unknown applicants."""
    return render_template("public/registered.html")


def invitation(token: str) -> Any:
    """GET and POST /invitation/<token>: staff enter their name and password."""
    invited = staff_invitations.find_invitation(token, utc_now())
    if invited is None:
        raise NotFound
    form = InvitationForm()
    if is_sent() and form.validate():
        try:
            user = staff_invitations.accept_invitation(
                token,
                utc_now(),
                first_name=form.first_name.data,
                last_name=form.last_name.data,
                latin_name=form.latin_name.data or "",
                password=form.password.data or "",
                language=language(),
                mobile=form.mobile.data,
            )
        except password_changes.WeakPassword as error:
            form.password.errors = [*form.password.errors, *map(str, error.faults)]
        else:
            if user is None:
                raise NotFound
            db.session.commit()
            flash(
                _("Your account is ready. Sign in with your e-mail and your password."), "success"
            )
            return redirect(url_for("public.sign_in"), code=303)
    return render_template(
        "public/invitation.html", form=form, email=invited.email, role=Role(invited.role).label
    )


def _send(form: RegistrationForm) -> Any:
    """Query the customs system if needed, create the registration, redirect to the sent page."""
    now = utc_now()
    answer = None
    if form.uses_customs:
        answer = customs_client.verify(
            form.licence_no.data, form.customs_user.data, form.customs_password.data or ""
        )
    registration.register(_applicant(form), customs=answer, now=now)
    form_helpers.remember_result(FORM_NAME, url_for("public.registered"))
    db.session.commit()
    return _to_sent()


def _applicant(form: RegistrationForm) -> registration.Applicant:
    return registration.Applicant(
        legal_entity=form.legal_entity.data or "",
        organisation_name=form.organisation_name.data or "",
        first_name=form.first_name.data or "",
        last_name=form.last_name.data or "",
        latin_name=form.latin_name.data or "",
        gender=form.gender.data or "",
        civil_id=form.civil_id.data or "",
        mobile=form.mobile.data,
        email=form.email.data,
        password=form.password.data or "",
        language=language(),
    )


def _page(form: RegistrationForm, faults: list[str]) -> str:
    image = form_helpers.new_image(FORM_NAME)
    return render_template("public/register.html", form=form, faults=faults, image=image)


def _to_sent() -> Any:
    return redirect(url_for("public.registered"), code=303)


def _status_of(error: Exception) -> int:
    return error.status_code if isinstance(error, ServiceUnavailable) else 200


def _entities() -> list[EntityChoice]:
    return [
        EntityChoice(
            code=row.code,
            label=in_language(row, "name"),
            has_customs_account=row.has_customs_account,
            needs_name=row.needs_organisation_name,
        )
        for row in opening.legal_entities()
    ]
