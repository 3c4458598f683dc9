"""A broker's consent to a transfer, by a link and a code sent to his mobile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from clearance.auth import one_time_codes
from clearance.core.clock import utc_now
from clearance.core.errors import Refused, TooManyTries, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.core.i18n import language
from clearance.core.request_kind import is_sent
from clearance.core.values import mask_mobile
from clearance.public import form_helpers
from clearance.transfers import consents
from clearance.transfers import operations as transfer_operations
from clearance.transfers.consents import Asked
from clearance.transfers.flow import TransferAction
from forms.transfers import ConsentForm

ANSWERS = {"consent": TransferAction.CONSENT, "refuse": TransferAction.REFUSE}


def consent(token: str) -> Any:
    """GET and POST /consent/<token>: the transfer's details, and the broker's answer."""
    asked, now = consents.find(token), utc_now()
    if asked is None:
        return _gone()
    form = ConsentForm()
    if is_sent():
        action = ANSWERS.get(request.form.get("answer", ""))
        if action is None:
            abort(400)
        form_helpers.note_leftovers(form)
        if form.validate():
            answered = _answer(asked, action, form, now)
            if answered is not None:
                return answered
    return _page(token, asked, form, now)


def send_code(token: str) -> Any:
    """POST /consent/<token>/code: send a new code to the registered mobile, voiding the last."""
    asked = consents.find(token)
    if asked is None:
        return _gone()
    try:
        consents.send_code(asked, language(), utc_now())
        db.session.commit()
    except (Refused, TooManyTries) as refusal:
        db.session.rollback()
        flash(str(refusal), "error")
    else:
        flash(_("A code was sent to the registered mobile. It is valid for 10 minutes."), "success")
    return redirect(url_for("public.consent", token=token), code=303)


def answered() -> Any:
    """GET /consent/answered?answer=…: thank-you page after either answer; the link is void now."""
    answer = request.args.get("answer", "")
    if answer not in ANSWERS:
        abort(404)
    return render_template("public/consent_answered.html", has_consented=answer == "consent")


def _answer(asked: Asked, action: TransferAction, form: ConsentForm, now: datetime) -> Any | None:
    try:
        is_right = consents.answer(asked, action, form.code.data or "", now)
        db.session.commit()
    except (Refused, TransitionNotAllowed):  # withdrawn, lapsed or answered meanwhile
        db.session.rollback()
        return _gone()
    if is_right:
        return redirect(url_for("public.consent_answered", answer=action.value), code=303)
    form.code.errors = [_("This code is wrong or has expired. You can get a new one.")]
    return None


def _page(token: str, asked: Asked, form: ConsentForm, now: datetime) -> Any:
    if transfer_operations.is_over(asked.asked_at, now):  # lapsed, but the job has not run yet
        return _gone()
    until = consents.code_until(asked, now)
    return render_template(
        "public/consent.html",
        form=form,
        asked=asked,
        token=token,
        mobile=mask_mobile(asked.mobile or ""),
        answer_by=transfer_operations.last_day(asked.asked_at),
        has_code=until is not None,
        wait=one_time_codes.seconds_until_resend(until, now),
    )


def _gone() -> Any:
    """Render the same page for unknown and closed links."""
    return render_template("public/consent_gone.html"), 404
