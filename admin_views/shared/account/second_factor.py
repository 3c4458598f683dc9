"""The user's second factor: app setup, spare codes and removal."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.base.form_post import posted_key, refuse
from clearance.auth import recovery_codes, second_factor, second_factor_setup, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent
from clearance.files.typesetting import qr_svg
from clearance.models import User
from forms.my_account import AppForm, PasswordForm

FEW_SPARES = 3
GROUP = 4


class FactorRoutes:
    """Mixin of the account view."""

    render: Callable[..., str]
    endpoint: Any

    @expose("/factor", methods=("GET", "POST"))
    def factor(self) -> Any:
        """Set up an authenticator app, or replace it."""
        if not is_posted():
            return self._show_setup(
                second_factor_setup.begin(current_actor(), utc_now()), AppForm(formdata=None)
            )
        try:
            setup = second_factor_setup.resume(
                current_actor(), request.form.get("setup", ""), utc_now()
            )
        except second_factor_setup.SetupExpired as stale:
            fresh = second_factor_setup.begin(current_actor(), utc_now())
            return self._show_setup(fresh, AppForm(formdata=None), alert=str(stale)), 409
        form = AppForm()
        if "_language" in request.form or not form.validate():
            return self._show_setup(setup, form)
        return self._enrol(setup, form)

    @expose("/factor/spare-codes", methods=("GET", "POST"))
    def spare_codes(self) -> Any:
        """Create new spare codes, voiding the old ones."""
        form = PasswordForm()
        if not _is_sent(form):
            return self._show_confirmation("my/account/factor_recovery_codes.html", form)
        typed, key = form.current_password.data, posted_key()
        try:
            changed = second_factor_setup.new_spare_codes(current_actor(), typed, key, utc_now())
        except WrongPassword as wrong:
            return self._show_confirmation(
                "my/account/factor_recovery_codes.html", refuse(form, form.current_password, wrong)
            )
        return self._show_spares(
            changed, _("You have new recovery codes. The old ones no longer work.")
        )

    @expose("/factor/remove", methods=("GET", "POST"))
    def remove_factor(self) -> Any:
        """Remove the app after showing the consequences."""
        form = PasswordForm()
        if not _is_sent(form):
            return self._show_confirmation("my/account/factor_remove.html", form)
        try:
            changed = second_factor_setup.disable(
                current_actor(), form.current_password.data, utc_now()
            )
        except WrongPassword as wrong:
            return self._show_confirmation(
                "my/account/factor_remove.html", refuse(form, form.current_password, wrong)
            )
        db.session.commit()
        sessions.enter(changed.key)
        flash(_("The app was removed. You have been signed out everywhere else."), "success")
        return redirect(url_for(f"{self.endpoint}.index"), code=303)

    def _enrol(self, setup: second_factor_setup.Setup, form: AppForm) -> Any:
        code, password = str(form.code.data), form.current_password.data
        try:
            changed = second_factor_setup.enable(current_actor(), setup, code, password, utc_now())
        except WrongPassword as wrong:
            return self._show_setup(setup, refuse(form, form.current_password, wrong))
        if changed is None:
            form.code.errors = [
                _("This is not the code the app shows now. Wait for the next one and enter it.")
            ]
            return self._show_setup(setup, form)
        return self._show_spares(
            changed, _("The app is set up. From now on you need a code from it to sign in.")
        )

    def _show_setup(
        self, setup: second_factor_setup.Setup, form: AppForm, *, alert: str = ""
    ) -> str:
        address = second_factor_setup.uri(current_actor(), setup)
        picture = b64encode(qr_svg(address).encode()).decode()
        groups = (setup.secret[at : at + GROUP] for at in range(0, len(setup.secret), GROUP))
        return self.render(
            "my/account/factor_setup.html",
            form=form,
            alert=alert,
            token=setup.token,
            address=address,
            picture=f"data:image/svg+xml;base64,{picture}",
            written=" ".join(groups),
            replaces=_own_means() == second_factor.Means.APP,
        )

    def _show_confirmation(self, template: str, form: PasswordForm) -> str:
        """Ask for the password; without an app, explain that there is nothing to do."""
        return self.render(
            template,
            form=form,
            refusal="" if _own_means() == second_factor.Means.APP else second_factor_setup.NoApp(),
        )

    def _show_spares(self, changed: second_factor_setup.Changed, told: str) -> str:
        """Commit the change and show the spare codes once."""
        db.session.commit()
        sessions.enter(changed.key)
        halves = [(spare[:5], spare[5:]) for spare in changed.spares]
        return self.render(
            "my/account/factor_codes.html", halves=halves, told=told, made_at=utc_now()
        )


def standing_of(user: User) -> dict[str, Any]:
    """Return the account page's data on the second factor."""
    means = second_factor.means_of(user)
    spares = recovery_codes.left(user.id) if means == second_factor.Means.APP else 0
    return {
        "means": means,
        "spares": spares,
        "few_spares": spares < FEW_SPARES,
    }


def _own_means() -> second_factor.Means:
    return second_factor.means_of(db.session.get_one(User, current_actor().id))


def _is_sent(form: PasswordForm) -> bool:
    """Return whether the form was submitted and is valid."""
    return is_sent() and bool(form.validate())
