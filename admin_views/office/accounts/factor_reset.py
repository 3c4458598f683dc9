"""Second factor reset for users who lost both phone and spare codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import idempotency_owner, posted_key
from clearance.accounts import staff_accounts
from clearance.core import idempotency
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import STAFF_ROLES
from clearance.public import form_helpers
from forms.my_account import FactorResetForm


class FactorReset:
    """Mixin of the people lists; `get_one` aborts with 404 for users not in the list."""

    get_one: Callable[[Any], User]
    get_url: Callable[..., str]
    render: Callable[..., str]

    @expose("/<int:user_id>/factor/reset", methods=("GET", "POST"))
    def reset_factor(self, user_id: int) -> Any:
        """Ask for a reason, then remove the user's second factor."""
        if not current_actor().is_administrator:
            not_found()
        user, form = self.get_one(user_id), FactorResetForm()
        if not (form_helpers.is_sent() and form.validate()):
            return self._show_reset(user, form)
        back = self.get_url(".details_view", id=user.id)
        if (
            idempotency.claim(posted_key(), idempotency_owner(current_actor()), back, utc_now())
            is None
        ):
            staff_accounts.reset_factor(user, current_actor(), form.reason.data, utc_now())
        db.session.commit()
        flash(_("The second factor was reset, and the person is told."), "success")
        return redirect(back, code=303)

    def _show_reset(self, user: User, form: FactorResetForm) -> str:
        try:
            staff_accounts.require_resettable(user, current_actor())
        except DomainError as refused:
            refusal = str(refused)
        else:
            refusal = ""
        return self.render(
            "office/accounts/factor_reset.html",
            user=user,
            form=form,
            form_key=posted_key() or idempotency.new(),
            is_staff=user.role in STAFF_ROLES,
            refusal=refusal,
        )
