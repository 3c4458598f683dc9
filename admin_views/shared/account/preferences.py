"""The user's choice of notifications sent by e-mail and SMS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models.enums import Channel
from clearance.notifications import preferences
from forms.my_account import NoticesForm


class NoticeRoutes:
    """Mixin of the account view."""

    render: Callable[..., str]
    endpoint: Any

    @expose("/notices", methods=("GET", "POST"))
    def notices(self) -> Any:
        """Show and save the preferences by channel."""
        actor, form = current_actor(), NoticesForm(current_actor().role)
        if not is_posted():
            return self._show_notices(None)
        if "_language" in request.form:
            return self._show_notices(form.wanted.data or [])
        if not form.validate():
            return self._show_notices(form.wanted.data or [], alert=str(form.wanted.errors[0])), 400
        changed = preferences.choose(actor, form.wanted.data or [], utc_now())
        db.session.commit()
        flash(_("Your choice was saved.") if changed else _("Nothing was changed."), "success")
        return redirect(url_for(f"{self.endpoint}.notices"), code=303)

    def _show_notices(self, posted: list[str] | None, *, alert: str = "") -> str:
        """Render the preferences. posted: ticked keys, or None for the saved ones."""
        actor, lang = current_actor(), i18n.language()
        rows = preferences.choosable(actor.id, actor.role, lang)
        ticked = {
            row.key(channel)
            for row in rows
            for channel, is_wanted in row.wanted.items()
            if (row.key(channel) in posted if posted is not None else is_wanted)
        }
        return self.render(
            "my/account/preferences.html",
            rows=rows,
            fixed=preferences.mandatory_events(actor.role, lang),
            ticked=ticked,
            channels={Channel.EMAIL: _("E-mail"), Channel.SMS: _("SMS")},
            alert=alert,
        )
