"""Message texts of every event, edited with a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import ForKeepers, current_actor, require
from admin_views.base.form_post import claim_key, fingerprint
from admin_views.base.model_view import GuardedView
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.core.values import BadValue
from clearance.models.enums import Channel
from clearance.notifications import events, text_overrides
from clearance.notifications.text_overrides import Wording

CHANNEL_LABELS: dict[str, Any] = {"portal": _l("In the portal"), **dict(Channel.choices())}
LANGUAGE_LABELS: dict[str, Any] = {"ar": _l("Arabic"), "en": _l("English")}
AUDIENCE_LABELS: dict[str, Any] = {
    "agent": _l("To applicants"),
    "person": _l("To candidates"),
    "staff": _l("To the office"),
    "user": _l("To applicants and the office"),
    "code": _l("Codes"),
}


class MessageTexts(ForKeepers, GuardedView):
    """Message texts; managers read, administrators edit."""

    @expose("/")
    def index(self) -> Any:
        """List the events by audience."""
        own, lang = text_overrides.own_counts(), i18n.language()
        known = events.registered()
        groups = [
            (label, [message for message in known.values() if message.audience == audience])
            for audience, label in AUDIENCE_LABELS.items()
        ]
        return self.render(
            "office/notifications/text_list.html", groups=groups, own=own, label_in=lang
        )

    @expose("/<event>/", methods=("GET", "POST"))
    def event(self, event: str) -> Any:
        """Show, preview and save the texts of an event."""
        require(event in events.registered())
        if not is_posted():
            stored = text_overrides.of_event(event)
            return self._show(event, stored, {}, fingerprint(stored))
        require(current_actor().is_administrator)
        here = url_for("office_texts.event", event=event)
        if earlier := claim_key(here):
            return redirect(earlier, code=303)
        text_overrides.hold()
        stored = text_overrides.of_event(event)
        typed = [_typed(wording) for wording in stored]
        faults = _faults(event, typed)
        is_stale = request.form.get("seen") != fingerprint(stored)
        if is_stale:
            flash(
                _(
                    "Someone else, or you in another tab, saved these texts in the meantime. "
                    "Compare and save again."
                ),
                "error",
            )
            faults |= _stale_faults(stored, typed)
        if faults or is_stale or {"preview", "_language"} & set(request.form):
            status = 400 if faults or is_stale else 200
            return self._show(event, typed, faults, fingerprint(stored)), status
        return self._save(event, typed, here)

    def _save(self, event: str, typed: Sequence[Wording], here: str) -> Any:
        actor, now = current_actor(), utc_now()
        changed = [
            text_overrides.save(
                event, wording.channel, wording.language, wording.subject, wording.body, actor, now
            )
            for wording in typed
        ]
        db.session.commit()
        message = _("The texts were saved.") if any(changed) else _("Nothing was changed.")
        flash(message, "success")
        return redirect(here, code=303)

    def _show(
        self, event: str, wordings: Sequence[Wording], faults: dict[str, str], seen: str
    ) -> Any:
        message = events.registered()[event]
        return self.render(
            "office/notifications/text_edit.html",
            event=event,
            heading=message.label(i18n.language()),
            placeholders=[(name, _sample(name, event)) for name in message.placeholders],
            texts=[
                {
                    "name": _name(wording),
                    "wording": wording,
                    "channel": CHANNEL_LABELS[wording.channel],
                    "language": LANGUAGE_LABELS[wording.language],
                    "fault": faults.get(_name(wording), ""),
                    "preview": text_overrides.preview(
                        event,
                        wording.channel,
                        wording.language,
                        wording.subject,
                        wording.body,
                    ),
                }
                for wording in wordings
            ],
            seen=seen,
            can_change=current_actor().is_administrator,
            longest={"sms": text_overrides.SMS_MAX_LENGTH},
            longest_body=text_overrides.BODY_MAX_LENGTH,
        )


def _sample(placeholder: str, event: str) -> str:
    """Return a placeholder's sample value in the texts of `event`, in the page's language."""
    value = text_overrides.sample(placeholder, event)
    return i18n.in_language(value, "") if isinstance(value, dict) else str(value)


def _name(wording: Wording) -> str:
    return f"{wording.channel}-{wording.language}"


def _typed(wording: Wording) -> Wording:
    name = _name(wording)
    return replace(
        wording,
        subject=request.form.get(f"{name}-subject", ""),
        body=request.form.get(f"{name}-body", "").replace("\r\n", "\n"),
    )


def _faults(event: str, typed: Sequence[Wording]) -> dict[str, str]:
    faults = {}
    for wording in typed:
        try:
            text_overrides.check(
                event, wording.channel, wording.language, wording.subject, wording.body
            )
        except (BadValue, DomainError) as fault:
            faults[_name(wording)] = str(getattr(fault, "message", fault))
    return faults


def _stale_faults(stored: Sequence[Wording], typed: Sequence[Wording]) -> dict[str, str]:
    return {
        _name(mine): _("Now saved: %(value)s", value=f"{theirs.subject}\n{theirs.body}".strip())
        for theirs, mine in zip(stored, typed, strict=True)
        if (theirs.subject, theirs.body) != (mine.subject, mine.body)
    }
