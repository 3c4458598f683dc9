"""A new password: forgotten (by e-mail and code), or one of one's own instead of a given one."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import Field

from clearance import accounts
from clearance.calendar import utc_now
from clearance.extensions import db
from clearance.i18n import language
from clearance.public import gate, journey, sign_in
from forms.account import NewPasswordForm, ResetConfirmForm, ResetForm

ASK_FORM = "reset"
CONFIRM_FORM = "reset_confirm"
REF_MAX_LENGTH = 80


def reset() -> Any:
    """GET and POST /reset: e-mail and image text; the same answer for every address."""
    form = ResetForm()
    if journey.is_sent():
        is_image_right = journey.spend_image(ASK_FORM)
        if journey.validate(form, is_image_right):
            ref = accounts.ask_reset(form.email.data, language(), utc_now())
            db.session.commit()
            return redirect(url_for("public.reset_sent", ref=ref), code=303)
    return render_template("public/reset.html", form=form, image=journey.new_image(ASK_FORM))


def reset_sent() -> str:
    """GET /reset/sent?ref=…: the confirmation with «موافق», whoever asked."""
    return render_template("public/reset_sent.html", ref=_ref())


def reset_confirm() -> Any:
    """GET and POST /reset/confirm?ref=…: image text, code, new password twice."""
    form = ResetConfirmForm()
    if journey.is_sent():
        is_image_right = journey.spend_image(CONFIRM_FORM)
        if journey.validate(form, is_image_right) and _confirm(form):
            flash(_("Your password has been changed. Sign in with the new one."), "success")
            return redirect(url_for("public.sign_in"), code=303)
    return render_template(
        "public/reset_confirm.html", form=form, ref=_ref(), image=journey.new_image(CONFIRM_FORM)
    )


def choose_password() -> Any:
    """GET and POST /password: one's own password instead of one that somebody else chose."""
    form = NewPasswordForm()
    form.known_words = (current_user.first_name, current_user.last_name, current_user.email)
    if journey.is_sent() and form.validate():
        target = gate.remembered()
        try:
            chosen = accounts.choose_password(current_user, form.new_password.data or "", utc_now())
        except accounts.WeakPassword as error:
            _tell_weakness(form.new_password, error)
        else:
            db.session.commit()
            sign_in.enter(chosen.key, target)
            return gate.go_on(target)
    return render_template("public/password.html", form=form)


def _confirm(form: ResetConfirmForm) -> bool:
    """Set the new password; False, with the reason beside its field, when it is refused."""
    try:
        is_done = accounts.confirm_reset(
            _ref(), form.code.data, form.new_password.data or "", utc_now()
        )
    except accounts.WeakPassword as error:
        _tell_weakness(form.new_password, error)
        return False
    db.session.commit()
    if not is_done:
        form.code.errors = [_("This code is not right, or no longer valid.")]
    return is_done


def _tell_weakness(field: Field, error: accounts.WeakPassword) -> None:
    field.errors = [*field.errors, *(str(text) for text in error.faults)]


def _ref() -> str:
    return request.args.get("ref", "")[:REF_MAX_LENGTH]
