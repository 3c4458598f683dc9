"""Verifying e-mail and mobile by code. Labels: the registration manual, step 5."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from clearance.accounts import verification
from clearance.auth import known_devices, one_time_codes, sessions
from clearance.core import cookies
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.core.values import mask_email, mask_mobile
from clearance.models.enums import Channel, CodePurpose
from clearance.public import session_gate, sign_in
from forms.public_account import VerifyForm


def verify() -> Any:
    """GET and POST /verify."""
    form = VerifyForm()
    if is_sent():
        _leave_out_proved(form)
        form.validate()
        # A missing or misread code neither costs a try nor keeps the other one from counting.
        if any(field.data for field in _code_fields(form)):
            answer = _try_codes(form)
            if answer is not None:
                return answer
    return _page(form)


def resend() -> Any:
    """POST /verify/resend: a new code on one channel; the earlier one is void."""
    try:
        channel = Channel(request.form.get("channel", ""))
    except ValueError:
        abort(400)
    verification.resend(current_user, channel, utc_now())
    db.session.commit()
    texts = {
        Channel.EMAIL: _(
            "We sent a new code to your e-mail address. The old code no longer works."
        ),
        Channel.SMS: _("We sent a new code to your mobile number. The old code no longer works."),
    }
    flash(texts[channel], "success")
    return redirect(url_for("public.verify"), code=303)


def verified() -> str:
    """GET /verify/done: the confirmation with «موافق», which leads into the portal."""
    target = session_gate.remembered() or session_gate.home_url(current_user)
    return render_template("public/verified.html", target=target)


def _try_codes(form: VerifyForm) -> Any:
    """Check the codes; return a response once both are verified, None to show the page again."""
    target = session_gate.remembered()
    result = verification.verify(
        current_user,
        form.email_code.data if "email_code" in form else None,
        form.mobile_code.data if "mobile_code" in form else None,
        utc_now(),
        device=cookies.read(known_devices.COOKIE),
    )
    db.session.commit()
    if result.refusal is not None:
        sessions.leave()
        flash(str(result.refusal.text), "error")
        flash(str(result.refusal.change), "info")
        return redirect(url_for("public.sign_in"), code=303)
    if result.key is not None:
        sign_in.enter(result.key, target)
        session_gate.remember(target)
        return redirect(url_for("public.verified"), code=303)
    wrong = _("This code is wrong or has expired. You can get a new one.")
    for field in _code_fields(form):
        is_proved = result.email_ok if field.name == "email_code" else result.mobile_ok
        if field.data and not is_proved:
            field.errors = [wrong]
    return None


def _code_fields(form: VerifyForm) -> list[Any]:
    return [form[name] for name in ("email_code", "mobile_code") if name in form]


def _page(form: VerifyForm) -> str:
    contacts = verification.contacts(current_user)
    return render_template(
        "public/verify.html",
        form=form,
        contacts=contacts,
        email=mask_email(contacts.email),
        mobile=mask_mobile(contacts.mobile),
        email_wait=_seconds_until_resend(Channel.EMAIL),
        mobile_wait=_seconds_until_resend(Channel.SMS),
    )


def _leave_out_proved(form: VerifyForm) -> None:
    contacts = verification.contacts(current_user)
    if contacts.email_ok:
        del form.email_code
    if contacts.mobile_ok:
        del form.mobile_code


def _seconds_until_resend(channel: Channel) -> int:
    now = utc_now()
    owner = one_time_codes.owner_of(current_user)
    until = one_time_codes.expires_at(owner, CodePurpose.VERIFY, channel, now)
    return one_time_codes.seconds_until_resend(until, now)
