"""Changing the user's e-mail or mobile: request, code confirmation and cancellation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import refuse
from clearance.accounts import contact_change
from clearance.auth import sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import User
from clearance.models.enums import Channel
from forms.my_account import ContactCodeForm, EmailChangeForm, MobileChangeForm

CHANNELS = {"email": Channel.EMAIL, "mobile": Channel.SMS}
RESEND_AFTER_SECONDS = 60  # shortest interval of the code_sent_* policies


class ContactRoutes:
    """Mixin of the account view for the reader's own contacts."""

    render: Callable[..., str]
    endpoint: Any

    @expose("/contact/<kind>", methods=("GET", "POST"))
    def contact(self, kind: str) -> Any:
        """Ask for a new address, or for the code of a pending change."""
        channel = _channel(kind)
        form = _form_of(channel)
        if not is_sent():
            return self._show_contact(kind, form)
        if not form.validate():
            return self._show_asking(kind, form)
        typed, password = form.address.data, form.current_password.data
        try:
            contact_change.ask(current_actor(), channel, typed, password, utc_now())
        except WrongPassword as wrong:
            return self._show_asking(kind, refuse(form, form.current_password, wrong))
        except contact_change.SameAddress as same:
            return self._show_asking(kind, refuse(form, form.address, same))
        db.session.commit()
        return self._to_contact(kind)

    @expose("/contact/<kind>/code", methods=("POST",))
    def contact_code(self, kind: str) -> Any:
        """Check the code; if correct, the new address takes effect."""
        channel, form = _channel(kind), ContactCodeForm()
        if "_language" in request.form or not form.validate():
            return self._show_contact(kind, code_form=form)
        done = contact_change.confirm(current_actor(), channel, str(form.code.data), utc_now())
        db.session.commit()
        if done is None:
            form.code.errors = [_("This code is wrong or has expired. You can get a new one.")]
            return self._show_contact(kind, code_form=form)
        if done.refusal is not None:
            flash(f"{done.refusal.text} {done.refusal.change}", "error")
            return self._to_contact(kind)
        sessions.enter(str(done.key))
        messages = {
            Channel.EMAIL: _(
                "Your e-mail address was changed. You have been signed out everywhere else."
            ),
            Channel.SMS: _(
                "Your mobile number was changed. You have been signed out everywhere else."
            ),
        }
        flash(messages[channel], "success")
        return redirect(url_for(f"{self.endpoint}.index", _anchor="contact"), code=303)

    @expose("/contact/<kind>/resend", methods=("POST",))
    def contact_resend(self, kind: str) -> Any:
        """Send a new code to the pending address, voiding the earlier one."""
        is_sent = contact_change.resend(current_actor(), _channel(kind), utc_now())
        db.session.commit()
        if is_sent:
            flash(_("We sent a new code. The old code no longer works."), "success")
        return self._to_contact(kind)

    @expose("/contact/<kind>/cancel", methods=("POST",))
    def contact_cancel(self, kind: str) -> Any:
        """Cancel the change and void its code."""
        contact_change.cancel(current_actor(), _channel(kind), utc_now())
        db.session.commit()
        flash(_("The change was cancelled. Your contact details stay as they are."), "info")
        return redirect(url_for(f"{self.endpoint}.index", _anchor="contact"), code=303)

    def _to_contact(self, kind: str) -> Any:
        return redirect(url_for(f"{self.endpoint}.contact", kind=kind), code=303)

    def _show_contact(
        self, kind: str, form: Any = None, *, code_form: ContactCodeForm | None = None
    ) -> str:
        waiting = contact_change.pending(current_actor(), CHANNELS[kind], utc_now())
        if waiting is None:
            return self._show_asking(kind, form or _form_of(CHANNELS[kind], formdata=None))
        age = (utc_now() - waiting.sent_at).total_seconds()
        return self.render(
            "my/account/contact_code.html",
            kind=kind,
            form=code_form or ContactCodeForm(formdata=None),
            waiting=waiting,
            wait=max(0, math.ceil(RESEND_AFTER_SECONDS - age)),
        )

    def _show_asking(self, kind: str, form: Any) -> str:
        user = db.session.get_one(User, current_actor().id)
        present = user.email if kind == "email" else user.mobile
        return self.render("my/account/contact.html", kind=kind, form=form, present=present)


def waiting_contacts() -> dict[str, bool]:
    """Map the reader's contacts to whether a change is pending, for the account page."""
    now = utc_now()
    return {
        name: contact_change.pending(current_actor(), channel, now) is not None
        for name, channel in CHANNELS.items()
    }


def _channel(kind: str) -> Channel:
    return CHANNELS.get(kind) or not_found()


def _form_of(channel: Channel, **given: Any) -> Any:
    return (EmailChangeForm if channel == Channel.EMAIL else MobileChangeForm)(**given)
