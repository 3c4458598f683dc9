"""People and organisations at the office: lists to look somebody up, and what belongs to them."""

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

from admin_views import cells
from admin_views.access import acting, not_found
from admin_views.base import matches_all_words
from admin_views.filters import ListFilter
from admin_views.lists import KeysetView
from admin_views.office.reference import keeps_or_reads
from clearance import accounts, audit, i18n, one_time_keys, staff, values
from clearance.actor import Actor
from clearance.calendar import utc_now
from clearance.errors import DomainError
from clearance.extensions import db
from clearance.models import LegalEntity, Membership, Organisation, Request, User
from clearance.sessions import living
from clearance.values import mask_civil_id
from clearance.vocabulary import ROLE_LABELS, STAFF_ROLES, Role
from forms.reference import InvitationForm

ACTIVE = (("yes", _l("Active")), ("no", _l("Disabled")))


def _name(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for(f"{view.endpoint}.details_view", id=row.id)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, row.name)


def _whole(view: Any, context: Any, row: Any, key: str) -> Any:
    return cells.whole(getattr(row, key))


def _civil(view: Any, context: Any, row: Any, key: str) -> Any:
    return cells.whole(mask_civil_id(row.civil_id) if row.civil_id else "")


def _active(view: Any, context: Any, row: Any, key: str) -> Any:
    if row.is_active:
        return cells.tone_badge(_("Active"), "success")
    return cells.tone_badge(_("Disabled"), "danger")


def _role(view: Any, context: Any, row: Any, key: str) -> str:
    return str(ROLE_LABELS[row.role])


def _active_filter() -> ListFilter:
    return ListFilter(
        "active", _l("Status"), lambda value: User.is_active.is_(value == "yes"), ACTIVE
    )


class _People(KeysetView):
    """What the lists of agents and staff share."""

    roles: ClassVar[frozenset[str]] = frozenset()
    can_view_details = True
    column_details_list = ("email",)
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
        "email": _whole,
        "mobile": _whole,
        "civil_id": _civil,
        "role": _role,
        "is_active": _active,
        "created_at": cells.day_of,
    }
    orders: ClassVar[dict[str, Any]] = {"name": User.name_folded, "created_at": User.created_at}
    default_order = ("created_at", True)
    search_hint = _l("Name, e-mail, civil number or mobile")

    def accessible_to(self, actor: Actor) -> bool:
        return keeps_or_reads(actor)

    def get_list_row_actions(self) -> list[Any]:
        return []  # the name leads to the details

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
        """One person: contact, organisations, sessions; reading it is noted."""
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
            "office/staff/details.html",
            user=user,
            alert=alert,
            memberships=memberships,
            sessions=living(user.id, utc_now()),
            in_hand=staff.requests_in_hand(user) if user.role == Role.REVIEWER else 0,
            can_change=acting().is_administrator,
            is_self=user.id == acting().user_id,
            is_staff=user.role in STAFF_ROLES,
        )
        return page, status

    @expose("/<int:user_id>/sessions/end", methods=("POST",))
    def end_sessions(self, user_id: int) -> Any:
        """End every session of a person."""
        if not acting().is_administrator:
            not_found()
        user = self.get_one(user_id)
        ended = staff.end_sessions(user, acting(), utc_now())
        db.session.commit()
        flash(
            ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended), "success"
        )
        return redirect(self.get_url(".details_view", id=user.id), code=303)


class Users(_People):
    """Agents, for reading."""

    roles = frozenset({Role.AGENT})
    column_list = ("name", "email", "mobile", "civil_id", "is_active", "created_at")
    column_filters = (_active_filter(),)
    empty_title = _l("No users yet")
    empty_text = _l("Who registers and proves both codes appears here.")


class Staff(_People):
    """The office's people: administrators invite, disable and enable them."""

    roles = frozenset(STAFF_ROLES)
    column_list = ("name", "email", "role", "is_active", "created_at")
    column_filters = (
        ListFilter(
            "role",
            _l("Role"),
            lambda value: User.role == value,
            [(str(each), ROLE_LABELS[each]) for each in Role if each in STAFF_ROLES],
        ),
        _active_filter(),
    )
    list_template = "office/staff/list.html"

    @expose("/")
    def index_view(self) -> Any:
        """The staff, and who was invited and has not come yet."""
        self._template_args.update(
            invitations=staff.open_invitations(utc_now()), can_change=acting().is_administrator
        )
        return super().index_view()

    @expose("/invite", methods=("GET", "POST"))
    def invite(self) -> Any:
        """Invite somebody into the office by a link in an e-mail."""
        if not acting().is_administrator:
            not_found()
        form = InvitationForm()
        if request.method == "GET" or "_language" in request.form:
            return self._show_invitation(form)
        if not form.validate():
            return self._show_invitation(form), 400
        key, owner = request.form.get("form_key", ""), f"user:{acting().id}"
        try:
            if one_time_keys.claim(key, owner, self.get_url(".index_view"), utc_now()) is None:
                accounts.invite_staff(
                    form.email.data, str(form.role.data), utc_now(), invited_by=acting().id
                )
            db.session.commit()
        except DomainError as refusal:
            db.session.rollback()
            form.email.errors = [str(refusal)]
            return self._show_invitation(form), refusal.status_code
        flash(_("The invitation was sent."), "success")
        return redirect(self.get_url(".index_view"), code=303)

    @expose("/invitations/<int:invitation_id>/withdraw", methods=("POST",))
    def withdraw(self, invitation_id: int) -> Any:
        """Make an invitation's link void."""
        if not acting().is_administrator:
            not_found()
        staff.withdraw_invitation(invitation_id, acting(), utc_now())
        db.session.commit()
        flash(_("The invitation was withdrawn."), "success")
        return redirect(self.get_url(".index_view"), code=303)

    @expose("/<int:user_id>/disable", methods=("POST",))
    def disable(self, user_id: int) -> Any:
        """Keep somebody out."""
        return self._change(user_id, staff.disable, _("The account was disabled."))

    @expose("/<int:user_id>/enable", methods=("POST",))
    def enable(self, user_id: int) -> Any:
        """Let somebody in again."""
        return self._change(user_id, staff.enable, _("The account was enabled."))

    def _change(self, user_id: int, use_case: Any, told: str) -> Any:
        if not acting().is_administrator:
            not_found()
        user = self.get_one(user_id)
        try:
            use_case(user, acting(), utc_now())
        except DomainError as refusal:
            db.session.rollback()
            return self.show(self.get_one(user_id), alert=str(refusal), status=409)
        db.session.commit()
        flash(told, "success")
        return redirect(self.get_url(".details_view", id=user.id), code=303)

    def _show_invitation(self, form: InvitationForm) -> str:
        return self.render(
            "office/staff/invite.html",
            form=form,
            form_key=request.form.get("form_key") or one_time_keys.new(),
        )


def _organisation_name(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for("office_organisations.details_view", id=row.id)
    name = i18n.in_language(row, "name") or row.name_en
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, name)


def _entity(view: Any, context: Any, row: Any, key: str) -> str:
    return i18n.in_language(row, "entity")


class Organisations(KeysetView):
    """Clearing offices and companies, for reading."""

    can_view_details = True
    column_list = ("name", "entity", "licence_no", "users", "created_at")
    column_details_list = ("name_ar",)
    column_labels: ClassVar[dict[str, Any]] = {
        "name": _l("Organisation"),
        "entity": _l("Legal entity"),
        "licence_no": _l("Licence number"),
        "users": _l("Users"),
        "created_at": _l("Since"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "name": _organisation_name,
        "entity": _entity,
        "licence_no": _whole,
        "created_at": cells.day_of,
    }
    orders: ClassVar[dict[str, Any]] = {
        "name": Organisation.name_folded,
        "created_at": Organisation.created_at,
    }
    default_order = ("created_at", True)
    search_hint = _l("Words of the name")
    empty_title = _l("No organisations yet")
    empty_text = _l("They are made when their first user registers.")

    def accessible_to(self, actor: Actor) -> bool:
        return keeps_or_reads(actor)

    def get_list_row_actions(self) -> list[Any]:
        return []

    def scope(self, query: Any) -> Any:
        return query

    def statement(self) -> sa.Select[Any]:
        users = (
            sa.select(sa.func.count())
            .where(Membership.organisation_id == Organisation.id, Membership.is_active.is_(True))
            .correlate(Organisation)
            .scalar_subquery()
        )
        return (
            sa.select(
                Organisation.id,
                Organisation.name_ar,
                Organisation.name_en,
                Organisation.licence_no,
                Organisation.created_at,
                LegalEntity.name_ar.label("entity_ar"),
                LegalEntity.name_en.label("entity_en"),
                users.label("users"),
            )
            .select_from(Organisation)
            .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
        )

    def search_condition(self, typed: str) -> Any | None:
        return matches_all_words(Organisation.name_folded, typed)

    @expose("/details/")
    def details_view(self) -> Any:
        """One organisation with its users and how many requests it has."""
        organisation = self.get_one(request.args.get("id"))
        counted = db.session.scalar(
            sa.select(sa.func.count()).where(Request.organisation_id == organisation.id)
        )
        memberships = db.session.scalars(
            sa.select(Membership)
            .where(Membership.organisation_id == organisation.id)
            .options(joinedload(Membership.user))
            .order_by(Membership.id)
        ).all()
        return self.render(
            "office/staff/organisation.html",
            organisation=organisation,
            entity=db.session.get_one(LegalEntity, organisation.legal_entity),
            memberships=memberships,
            requests=counted,
        )
