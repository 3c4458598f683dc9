"""Sign-in, second factor, session keep-alive and sign-out."""

from __future__ import annotations

from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user

from clearance.accounts import sign_in as account_sign_in
from clearance.auth import known_devices, rate_limits, second_factor, sessions
from clearance.core import cookies, urls
from clearance.core.clock import utc_now
from clearance.core.errors import TooManyTries
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models.enums import SessionStage
from clearance.public import session_gate
from forms.public_account import FactorForm, SignInForm


def sign_in() -> Any:
    """GET and POST /login?next=…"""
    target = urls.safe_local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return session_gate.redirect_to_next_step(target)
    form = SignInForm()
    if is_sent() and form.validate():
        result = account_sign_in.sign_in(
            form.email.data,
            form.password.data or "",
            ip=rate_limits.client_ip(),
            device=cookies.read(known_devices.COOKIE),
            now=utc_now(),
        )
        db.session.commit()
        if result.key is not None:
            enter(result.key, target)
            return known_device(session_gate.redirect_to_next_step(target), result.device)
        form.password.errors = [_("The e-mail address or password is incorrect.")]
    return render_template(
        "public/sign_in.html",
        form=form,
        next=target,
        demo_accounts=current_app.extensions.get("demo_accounts", ()),
    )


def factor() -> Any:
    """GET and POST /login/factor: the code of the second factor."""
    form = FactorForm()
    target = session_gate.remembered()
    if is_sent():
        if "_resend" in request.form:
            return _send_factor_again()
        if form.validate():
            result = account_sign_in.pass_factor(
                current_user,
                form.code.data,
                device=cookies.read(known_devices.COOKIE),
                now=utc_now(),
            )
            db.session.commit()
            if result.key is not None:
                enter(result.key, target)
                return known_device(session_gate.redirect_to_next_step(target), result.device)
            form.code.errors = [_("This code is wrong or has expired.")]
    uses_totp = second_factor.uses_totp(current_user.user_id)
    return render_template("public/factor.html", form=form, uses_totp=uses_totp)


def sign_out() -> Any:
    """POST /logout: end this session at once, in the browser and on the server."""
    if current_user.is_authenticated:
        sessions.end_session(utc_now(), session_id=current_user.session_id)
        db.session.commit()
    sessions.leave()
    flash(_("You are signed out."), "success")
    response = redirect(url_for("public.sign_in"), code=303)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


def stay() -> Response:
    """POST /session/stay: the request itself keeps the session alive."""
    return jsonify(ok=True)


def enter(key: str, target: str) -> None:
    """Set the session cookie to `key` (already committed) and redirect to its current step."""
    sessions.enter(key)
    if current_user.is_full:
        return
    session_gate.remember(target)
    if current_user.stage == SessionStage.FACTOR:
        try:
            second_factor.start(current_user, utc_now())
        except TooManyTries as error:
            db.session.rollback()
            flash(str(error.message), "warning")
        else:
            db.session.commit()


def known_device(response: Any, device: str) -> Response:
    """Set the known-device cookie: separate rate limits, and nothing else (rule 17)."""
    made: Response = make_response(response)
    cookies.keep(made, known_devices.COOKIE, device)
    return made


def _send_factor_again() -> Any:
    second_factor.start(current_user, utc_now())
    db.session.commit()
    flash(_("We sent a new code. The old code no longer works."), "success")
    return redirect(url_for("public.factor"), code=303)
