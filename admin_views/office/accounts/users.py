"""People at the office: user and staff lists with details and sessions."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import current_actor, id_or_404, not_found
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.model_view import matches_all_words
from admin_views.office.accounts.factor_reset import FactorReset
from admin_views.office.settings.reference_data import isolated, keeps_or_reads
from clearance.accounts import staff_accounts
from clearance.auth import known_devices, second_factor
from clearance.auth.sessions import active_sessions
from clearance.core import audit, values
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import Membership, User
from clearance.models.enums import STAFF_ROLES, Role

ACTIVE = (("yes", _l("Active")), ("no", _l("Disabled")))


def _name(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for(f"{view.endpoint}.details_view", id=row.id)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, row.name)


def _civil(view: Any, context: Any, row: Any, key: str) -> Any:
    return formatters.isolated(mask_civil_id(row.civil_id) if row.civil_id else "")


def _active(view: Any, context: Any, row: Any, key: str) -> Any:
    if row.is_active:
        return formatters.tone_badge(_("Active"), "success")
    return formatters.tone_badge(_("Disabled"), "danger")


def _role(view: Any, context: Any, row: Any, key: str) -> str:
    return str(Role(row.role).label)


def active_filter() -> ListFilter:
    """Return the filter by active and disabled accounts."""
    return ListFilter(
        "active", _l("Status"), lambda value: User.is_active.is_(value == "yes"), ACTIVE
    )


class People(FactorReset, KeysetModelView):
    """Base of the user and staff lists."""

    roles: ClassVar[frozenset[str]] = frozenset()
    can_view_details = exports_as_shown = True
    can_export = for_managers
    column_labels: ClassVar[dict[str, Any]] = {
        "name": _l("Name"),
        "email": _l("E-mail"),
        "mobile": _l("Mobile number"),
        "civil_id": _l("Civil number"),
        "role": _l("Role"),
        "is_active": _l("Status"),
        "created_at": _l("Since"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "name": _name,
        "email": isolated,
        "mobile": isolated,
        "civil_id": _civil,
        "role": _role,
        "is_active": _active,
        "created_at": formatters.format_date_of_instant,
    }
    orders: ClassVar[dict[str, Any]] = {"name": User.name_folded, "created_at": User.created_at}
    default_order = ("created_at", True)
    search_hint = _l("Name, e-mail, civil number or mobile")

    def accessible_to(self, actor: Actor) -> bool:
        return keeps_or_reads(actor)

    def get_list_row_actions(self) -> list[Any]:
        return []  # the name links to the details

    def scope(self, query: Any) -> Any:
        return query.where(User.role.in_(sorted(self.roles)))

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            User.id,
            (User.first_name + " " + User.last_name).label("name"),
            User.email,
            User.mobile,
            User.civil_id,
            User.role,
            User.is_active,
            User.created_at,
        ]
        return sa.select(*columns).where(User.role.in_(sorted(self.roles)))

    def search_condition(self, typed: str) -> Any | None:
        digits = values.ascii_digits(typed).replace(" ", "").lstrip("+")
        if digits.isdigit() and digits.isascii():
            return sa.or_(
                User.civil_id.startswith(digits, autoescape=True),
                User.mobile.endswith(digits, autoescape=True),
            )
        if "@" in typed:
            return User.email.startswith(typed.strip().lower(), autoescape=True)
        return matches_all_words(User.name_folded, typed)

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a person's contacts, organisations and sessions; the access is audited."""
        user = self.get_one(request.args.get("id"))
        audit.access("user:read", object_type="user", object_id=str(user.id), result="ok")
        return self.show(user)

    def show(self, user: User, *, alert: str = "", status: int = 200) -> Any:
        """Render a person's page."""
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
        )
        return page, status

    @expose("/<int:user_id>/sessions/<int:session_id>/end", methods=("POST",))
    def end_session(self, user_id: int, session_id: int) -> Any:
        """End one of a person's sessions."""
        if not current_actor().is_administrator:
            not_found()
        user = self.get_one(user_id)
        try:
            staff_accounts.end_session(user, id_or_404(session_id), current_actor(), utc_now())
        except NotFound:
            not_found()
        db.session.commit()
        flash(_("The session was ended."), "success")
        return redirect(self.get_url(".details_view", id=user.id), code=303)

    @expose("/<int:user_id>/sessions/end", methods=("POST",))
    def end_sessions(self, user_id: int) -> Any:
        """End all of a person's sessions."""
        if not current_actor().is_administrator:
            not_found()
        user = self.get_one(user_id)
        ended = staff_accounts.end_sessions(user, current_actor(), utc_now())
        db.session.commit()
        flash(
            ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended), "success"
        )
        return redirect(self.get_url(".details_view", id=user.id), code=303)


class Users(People):
    """Agents' accounts."""

    roles = frozenset({Role.AGENT})
    column_list = ("name", "email", "mobile", "civil_id", "is_active", "created_at")
    column_export_list = column_list
    column_filters = (active_filter(),)
    empty_title = _l("No users yet")
    empty_text = _l("Who registers and proves both codes appears here.")
