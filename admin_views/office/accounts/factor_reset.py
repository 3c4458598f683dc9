"""Second factor reset for users who lost both phone and spare codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import post_once
from admin_views.office.asking import ask
from clearance.accounts import staff_accounts
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.request_kind import is_sent
from clearance.models import User
from clearance.models.enums import STAFF_ROLES
from forms.my_account import FactorResetForm


class FactorReset:
    """Mixin of the people lists; `get_one` aborts with 404 for users not in the list."""

    get_one: Callable[[Any], User]
    get_url: Callable[..., str]
    render: Callable[..., str]

    @expose("/<int:user_id>/factor/reset", methods=("GET", "POST"))
    def reset_factor(self, user_id: int) -> Any:
        """Ask for a reason, then remove the user's second factor."""
        require(current_actor().is_administrator)
        user, form = self.get_one(user_id), FactorResetForm()
        if not (is_sent() and form.validate()):
            return self._show_reset(user, form)
        return post_once(
            lambda: staff_accounts.reset_factor(user, current_actor(), form.reason.data, utc_now()),
            result=self.get_url(".details_view", id=user.id),
            told=_("Two-step verification was reset and the person was notified."),
        )

    def _show_reset(self, user: User, form: FactorResetForm) -> str:
        refusal = None
        try:
            staff_accounts.require_resettable(user, current_actor())
        except DomainError as fault:
            refusal = Refusal(fault.message)
        return ask(
            self.render,
            "office/accounts/factor_reset.html",
            form,
            self.get_url(".details_view", id=user.id),
            user=user,
            is_staff=user.role in STAFF_ROLES,
            refusal=refusal,
        )
