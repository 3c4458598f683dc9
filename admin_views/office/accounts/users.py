"""People at the office: user and staff lists with details and sessions."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import ForKeepers, LinkedRows, current_actor, id_or_404, require
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import yes_filter
from admin_views.base.form_post import post_once
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList, url_in
from admin_views.office.accounts.factor_reset import FactorReset
from clearance.accounts import search as user_search
from clearance.accounts import staff_accounts
from clearance.auth import known_devices, second_factor
from clearance.auth.sessions import active_sessions
from clearance.core import audit, i18n, legal_holds
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import Membership, User
from clearance.models.enums import STAFF_ROLES, Role


def _name(row: Any) -> Markup:
    return formatters.link(row.id, formatters.bdi(row.name))


def _civil(civil_id: str | None) -> Any:
    return formatters.isolated(mask_civil_id(civil_id) if civil_id else "")


def _selected_name() -> Any:
    return User.selected_name(i18n.language())


def people_columns(*further: Column) -> tuple[Column, ...]:
    """Return the columns of a list of people, with the `further` ones of that list."""
    return (
        Column("name", _l("Name"), cell=_name, sql=_selected_name, order=User.name_folded),
        Column("email", _l("E-mail address"), formatters.isolated),
        *further,
        Column("is_active", _l("Status"), formatters.active_badge, width="state"),
        Column("created_at", _l("Since"), formatters.date_of, order=True, width="date"),
    )


class People(FactorReset, ForKeepers, LinkedRows, SearchedList, KeysetModelView):
    """Base of the user and staff lists."""

    roles: ClassVar[frozenset[str]] = frozenset()
    exports_as_shown = True
    can_export = for_managers
    default_order = ("created_at", True)
    search_hint = _l("Name, e-mail, civil number or mobile")

    def scope(self, query: Any) -> Any:
        return query.where(User.role.in_(sorted(self.roles)))

    def search_condition(self, typed: str) -> Any | None:
        return user_search.condition(typed)

    def hit(self, row: Any) -> Hit:
        return Hit(
            row.name,
            url_in(self, "details_view", id=row.id),
            (row.email,),
            formatters.active_badge(row.is_active),
            (row.email, getattr(row, "civil_id", None), getattr(row, "mobile", None)),
        )

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a person's contacts, organisations and sessions; the access is audited."""
        user = self.get_one(request.args.get("id"))
        audit.access("user:read", object_type="user", object_id=str(user.id), result="ok")
        return self.show(user)

    def show(
        self, user: User, *, alert: str = "", to_confirm: bool = False, status: int = 200
    ) -> Any:
        """Render a person's page. to_confirm: disabling needs what `alert` says confirmed."""
        memberships = db.session.scalars(
            sa.select(Membership)
            .where(Membership.user_id == user.id)
            .options(joinedload(Membership.organisation))
            .order_by(Membership.id)
        ).all()
        page = self.render(
            "office/accounts/details.html",
            user=user,
            alert=alert,
            to_confirm=to_confirm,
            memberships=memberships,
            sessions=[
                (session, known_devices.describe_user_agent(session.user_agent))
                for session in active_sessions(user.id, utc_now())
            ],
            own_session_id=current_actor().session_id,
            in_hand=staff_accounts.requests_in_hand(user),
            can_change=current_actor().is_administrator,
            is_self=user.id == current_actor().user_id,
            is_staff=user.role in STAFF_ROLES,
            means=second_factor.means_of(user),
            holds=(holds := legal_holds.over(user)),
            is_held=any(each.user_id is not None for each in holds),
            may_hold=True,  # administrators and managers, who alone read this page
        )
        return page, status

    @expose("/<int:user_id>/sessions/<int:session_id>/end", methods=("POST",))
    def end_session(self, user_id: int, session_id: int) -> Any:
        """End one of a person's sessions."""
        require(current_actor().is_administrator)
        user, session_id = self.get_one(user_id), id_or_404(session_id)
        return post_once(
            lambda: staff_accounts.end_session(user, session_id, current_actor(), utc_now()),
            result=self.get_url(".details_view", id=user.id),
            told=_("The session was ended."),
        )

    @expose("/<int:user_id>/sessions/end", methods=("POST",))
    def end_sessions(self, user_id: int) -> Any:
        """End all of a person's sessions."""
        require(current_actor().is_administrator)
        user = self.get_one(user_id)
        return post_once(
            lambda: staff_accounts.end_sessions(user, current_actor(), utc_now()),
            result=self.get_url(".details_view", id=user.id),
            told=lambda ended: ngettext(
                "%(num)s session was ended.", "%(num)s sessions were ended.", ended
            ),
        )


class Users(People):
    """Agents' accounts."""

    roles = frozenset({Role.AGENT})
    columns = people_columns(
        Column("mobile", _l("Mobile number"), formatters.isolated, width="code"),
        Column("civil_id", _l("Civil number"), _civil, width="code"),
    )
    column_filters = (yes_filter("active", _l("Status"), User.is_active),)
    empty_title = _l("No users yet")
    empty_text = _l("People appear here when they have registered and entered both codes.")
