"""Password reset by e-mail and code, and replacing a password set by somebody else."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import Field

from clearance.auth import password_changes
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.i18n import language
from clearance.core.request_kind import is_sent
from clearance.public import form_helpers, session_gate, sign_in
from forms.public_account import NewPasswordForm, ResetConfirmForm, ResetForm

ASK_FORM = "reset"
CONFIRM_FORM = "reset_confirm"
REF_MAX_LENGTH = 80


def reset() -> Any:
    """GET and POST /reset: e-mail and image text; the same answer for every address."""
    form = ResetForm()
    if is_sent():
        is_image_right = form_helpers.spend_image(ASK_FORM)
        if not is_image_right and (earlier := form_helpers.result_of_first_click(ASK_FORM)):
            return redirect(earlier, code=303)
        if form_helpers.validate(form, is_image_right):
            ref = password_changes.ask_reset(form.email.data, language(), utc_now())
            sent = url_for("public.reset_sent", ref=ref)
            form_helpers.remember_result(ASK_FORM, sent)
            db.session.commit()
            return redirect(sent, code=303)
    return render_template("public/reset.html", form=form, image=form_helpers.new_image(ASK_FORM))


def reset_sent() -> str:
    """GET /reset/sent?ref=…: the confirmation with «موافق», the same for every address."""
    return render_template("public/reset_sent.html", ref=_ref())


def reset_confirm() -> Any:
    """GET and POST /reset/confirm?ref=…: image text, code, new password twice."""
    form = ResetConfirmForm()
    if is_sent():
        is_image_right = form_helpers.spend_image(CONFIRM_FORM)
        if not is_image_right and (earlier := form_helpers.result_of_first_click(CONFIRM_FORM)):
            return redirect(earlier, code=303)
        if form_helpers.validate(form, is_image_right) and _confirm(form):
            flash(_("Your password has been changed. Sign in with the new one."), "success")
            return redirect(url_for("public.sign_in"), code=303)
    return render_template(
        "public/reset_confirm.html",
        form=form,
        ref=_ref(),
        image=form_helpers.new_image(CONFIRM_FORM),
    )


def choose_password() -> Any:
    """GET and POST /password: replace a password that somebody else set."""
    form = NewPasswordForm()
    names = (current_user.first_name, current_user.last_name, current_user.latin_name)
    form.known_words = (*names, current_user.email)
    if is_sent() and form.validate():
        target = session_gate.remembered()
        try:
            chosen = password_changes.choose_password(
                current_user, form.new_password.data or "", utc_now()
            )
        except password_changes.WeakPassword as error:
            _tell_weakness(form.new_password, error)
        else:
            db.session.commit()
            sign_in.enter(chosen.key, target)
            return session_gate.redirect_to_next_step(target)
    return render_template("public/password.html", form=form)


def _confirm(form: ResetConfirmForm) -> bool:
    """Set the new password; False, with errors on the fields, if it is refused."""
    try:
        is_done = password_changes.confirm_reset(
            _ref(), form.code.data, form.new_password.data or "", utc_now()
        )
    except password_changes.WeakPassword as error:
        _tell_weakness(form.new_password, error)
        return False
    if is_done:
        form_helpers.remember_result(CONFIRM_FORM, url_for("public.sign_in"))
    db.session.commit()
    if not is_done:
        form.code.errors = [_("This code is wrong or has expired.")]
    return is_done


def _tell_weakness(field: Field, error: password_changes.WeakPassword) -> None:
    field.errors = [*field.errors, *(str(text) for text in error.faults)]


def _ref() -> str:
    return request.args.get("ref", "")[:REF_MAX_LENGTH]
