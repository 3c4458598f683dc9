"""Staff accounts: invitations, disabling, enabling and roles."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, require
from admin_views.base.columns import Column
from admin_views.base.filters import ListFilter, yes_filter
from admin_views.base.form_post import post_once, posted_version, repeated
from admin_views.office.accounts.users import People, people_columns
from admin_views.office.asking import ask
from admin_views.office.requests import queues
from clearance.accounts import staff_accounts, staff_invitations
from clearance.accounts.teams import LastMember
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.request_kind import is_sent
from clearance.models import User
from clearance.models.enums import STAFF_ROLES, Role
from forms.reference_data import ROLES, InvitationForm, RoleForm


class Staff(People):
    """Staff accounts; only administrators change them."""

    roles = frozenset(STAFF_ROLES)
    columns = people_columns(Column("role", _l("Role"), Role.label_of))
    column_filters = (
        ListFilter("role", _l("Role"), User.role, ROLES),
        yes_filter("active", _l("Status"), User.is_active),
    )
    list_template = "office/accounts/list.html"

    @expose("/")
    def index_view(self) -> Any:
        """List the staff and the pending invitations."""
        self._template_args.update(
            invitations=staff_accounts.open_invitations(utc_now()),
            can_change=current_actor().is_administrator,
        )
        return super().index_view()

    @expose("/invite", methods=("GET", "POST"))
    def invite(self) -> Any:
        """Invite a staff member by e-mail."""
        require(current_actor().is_administrator)
        form = InvitationForm(queues.team_choices())
        if not is_sent():
            return self._show_invitation(form)
        if not form.validate():
            return repeated() or (self._show_invitation(form), 400)

        def refused(refusal: DomainError) -> Any:
            form.email.errors = [str(refusal)]
            return self._show_invitation(form), refusal.status_code

        return post_once(
            lambda: staff_invitations.invite_staff(
                form.email.data,
                str(form.role.data),
                utc_now(),
                invited_by=current_actor().id,
                teams=form.teams.data or (),
            ),
            result=self.get_url(".index_view"),
            told=_("The invitation was sent."),
            refused=refused,
        )

    @expose("/invitations/<int:invitation_id>/withdraw", methods=("POST",))
    def withdraw(self, invitation_id: int) -> Any:
        """Withdraw a staff invitation."""
        require(current_actor().is_administrator)
        return post_once(
            lambda: staff_accounts.withdraw_invitation(invitation_id, current_actor(), utc_now()),
            result=self.get_url(".index_view"),
            told=_("The invitation was withdrawn."),
        )

    @expose("/<int:user_id>/disable", methods=("POST",))
    def disable(self, user_id: int) -> Any:
        """Disable a staff account; one that a team needs, only when it is confirmed."""
        use_case = partial(staff_accounts.disable, is_confirmed="confirmed" in request.form)
        return self._change(user_id, use_case, _("The account was disabled."))

    @expose("/<int:user_id>/enable", methods=("POST",))
    def enable(self, user_id: int) -> Any:
        """Enable a staff account."""
        return self._change(user_id, staff_accounts.enable, _("The account was enabled."))

    @expose("/<int:user_id>/role", methods=("GET", "POST"))
    def change_role(self, user_id: int) -> Any:
        """Ask for a staff member's new role and set it."""
        require(current_actor().is_administrator)
        user = self.get_one(user_id)
        form = RoleForm(user.role)
        if not is_sent():
            return self._show_roles(user, form)
        if not form.validate():
            return repeated() or (self._show_roles(user, form), 400)
        give = partial(
            staff_accounts.change_role,
            role=str(form.role.data),
            version=posted_version(),
            is_confirmed=bool(form.confirmed.data),
        )
        told = _("The role was changed and the person was notified.")

        def ask_again(refusal: LastMember) -> Any:
            return self._show_roles(self.get_one(user_id), form, str(refusal)), refusal.status_code

        return self._change(user_id, give, told, ask_again)

    def _change(
        self,
        user_id: int,
        use_case: Callable[..., None],
        told: str,
        ask_again: Callable[[LastMember], Any] | None = None,
    ) -> Any:
        require(current_actor().is_administrator)
        user = self.get_one(user_id)

        def refused(refusal: DomainError) -> Any:
            if isinstance(refusal, LastMember) and ask_again is not None:
                return ask_again(refusal)
            return self.show(
                self.get_one(user_id),
                alert=str(refusal),
                to_confirm=isinstance(refusal, LastMember),
                status=409,
            )

        return post_once(
            lambda: use_case(user, actor=current_actor(), now=utc_now()),
            result=self.get_url(".details_view", id=user.id),
            told=told,
            refused=refused,
        )

    def _show_roles(self, user: User, form: RoleForm, warning: str = "") -> str:
        is_self = user.id == current_actor().user_id
        return ask(
            self.render,
            "office/accounts/role.html",
            form,
            self.get_url(".details_view", id=user.id),
            user=user,
            version=request.form.get("version", user.version),
            in_hand=staff_accounts.requests_in_hand(user),
            warning=warning,
            has_teams=user.role != Role.REVIEWER and bool(queues.team_choices()),
            refusal=Refusal(staff_accounts.OwnAccount().message) if is_self else None,
        )

    def _show_invitation(self, form: InvitationForm) -> str:
        return self.render(
            "office/accounts/invite.html",
            form=form,
        )
