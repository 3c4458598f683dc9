"""Account page of both areas: overview, password and sessions."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, not_found
from admin_views.base.form_post import post_once, refuse
from admin_views.base.model_view import OwnView
from admin_views.shared.account.contact import ContactRoutes, waiting_contacts
from admin_views.shared.account.data_export import DataRoutes
from admin_views.shared.account.preferences import NoticeRoutes
from admin_views.shared.account.second_factor import FactorRoutes, standing_of
from clearance.accounts import latin_names
from clearance.auth import known_devices, password_changes, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core import audit
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import User
from forms.my_account import KeysForm, LatinNameForm, PasswordChangeForm


class AccountView(ContactRoutes, NoticeRoutes, DataRoutes, FactorRoutes, OwnView):
    """The reader's own account."""

    @expose("/")
    def index(self) -> Any:
        """Show the account."""
        return self._show()

    @expose("/name", methods=("POST",))
    def latin_name(self) -> Any:
        """Store the reader's name in Latin letters."""
        form = LatinNameForm()
        if not (is_sent() and form.validate()):
            return self._show(name_form=form)
        is_changed = latin_names.change(current_actor(), form.latin_name.data, utc_now())
        db.session.commit()
        flash(_("Your name was saved.") if is_changed else _("Nothing was changed."), "success")
        return redirect(url_for(f"{self.endpoint}.index", _anchor="person"), code=303)

    @expose("/keys", methods=("POST",))
    def keys(self) -> Any:
        """Store whether the reader wants single keys in lists."""
        form = KeysForm()
        if not (is_sent() and form.validate()):
            return self._show()
        user = db.session.get_one(User, current_actor().id)
        is_changed = user.uses_keys != form.uses_keys.data
        user.uses_keys = bool(form.uses_keys.data)
        db.session.commit()
        flash(_("Your choice was saved.") if is_changed else _("Nothing was changed."), "success")
        return redirect(url_for(f"{self.endpoint}.index", _anchor="keys"), code=303)

    @expose("/password", methods=("POST",))
    def password(self) -> Any:
        """Change the password and end all other sessions."""
        actor, form = current_actor(), PasswordChangeForm()
        names = (actor.first_name, actor.last_name, actor.latin_name)
        form.known_words = (*names, actor.email, actor.civil_id)
        if not (is_sent() and form.validate()):
            return self._show(form)
        current, new = form.current_password.data, form.new_password.data
        try:
            key = password_changes.change_password(actor, current, new, utc_now())
        except password_changes.WeakPassword as weak:
            db.session.rollback()
            form.new_password.errors = [str(fault) for fault in weak.faults]
            return self._show(form)
        except WrongPassword as wrong:
            return self._show(refuse(form, form.current_password, wrong))
        db.session.commit()
        sessions.enter(key)
        flash(_("Your password was changed. You have been signed out everywhere else."), "success")
        return redirect(url_for(f"{self.endpoint}.index"), code=303)

    @expose("/sessions/<int:session_id>/end", methods=("POST",))
    def end_session(self, session_id: int) -> Any:
        """End one of the reader's own sessions."""
        user_id, session_id = current_actor().id, id_or_404(session_id)

        def told(_ended: Any) -> Any:
            audit.access("session:end", object_type="user_session", object_id=str(session_id))
            return _("The session was ended.")

        return post_once(
            lambda: (
                sessions.end_one(utc_now(), user_id=user_id, session_id=session_id) or not_found()
            ),
            result=self._sessions_url(),
            told=told,
        )

    @expose("/sessions/end-others", methods=("POST",))
    def end_other_sessions(self) -> Any:
        """End all of the reader's other sessions."""
        actor = current_actor()
        ended = sessions.end_sessions(utc_now(), user_id=actor.id, but=actor.session_id)
        db.session.commit()
        audit.access("session:end:others", object_type="user_session", detail=str(ended))
        flash(_("You have been signed out everywhere else."), "success")
        return redirect(self._sessions_url(), code=303)

    def _sessions_url(self) -> str:
        return url_for(f"{self.endpoint}.index", _anchor="sessions")

    def _show(
        self, form: PasswordChangeForm | None = None, name_form: LatinNameForm | None = None
    ) -> Any:
        actor = current_actor()
        user = db.session.get_one(User, actor.id)
        return self.render(
            "my/account/overview.html",
            form=form or PasswordChangeForm(formdata=None),
            name_form=name_form or LatinNameForm(formdata=None, latin_name=user.latin_name),
            keys_form=KeysForm(formdata=None, uses_keys=user.uses_keys),
            form_id="password-form" if form else "name-form" if name_form else None,
            user=user,
            factor=standing_of(user),
            standings=actor.standings,
            waiting=waiting_contacts(),
            sessions=[
                (session, known_devices.describe_user_agent(session.user_agent))
                for session in sessions.active_sessions(actor.id, utc_now())
            ],
            own_session_id=actor.session_id,
        )
