"""User management (إدارة المستخدمين): list, invitations and access of an organisation's users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import flash, redirect, url_for
from flask_admin import expose
from flask_admin.model.template import EndpointLinkRowAction
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import chosen_organisation, current_actor, id_or_404
from admin_views.base.columns import Column
from admin_views.base.filters import yes_filter
from admin_views.base.form_post import post_once, posted_organisation
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList
from admin_views.my.organisations.user_edit import UserEdit
from admin_views.my.services import table
from clearance.accounts import search as user_search
from clearance.auth import password_changes, permissions
from clearance.core import i18n, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refused, TooManyTries
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import Grant, Membership, Organisation, User
from clearance.organisations import invitation_queries, invitations, members
from clearance.organisations.invitations import NewMember
from clearance.organisations.members import Access
from clearance.public import form_helpers
from forms.organisation_users import AddUserForm

FORM_NAME = "user_new"
GENERAL = (("yes", _l("General user")), ("no", _l("Additional user")))


def _name(row: Any) -> Markup:
    url = url_for("my_users.edit", membership_id=row.id)
    return Markup('<a href="{}">{}</a>').format(url, formatters.bdi(row.name))


def _kind(is_general: bool) -> str:
    return str(_("General user") if is_general else _("Additional user"))


def _services(row: Any) -> str:
    if row.is_general:
        return str(_("All"))
    return str(ngettext("%(num)s service", "%(num)s services", row.services))


_GRANTED = (
    sa.select(sa.func.count())
    .select_from(Grant)
    .where(Grant.membership_id == Membership.id)
    .scalar_subquery()
)


class MyUsers(UserEdit, SearchedList, KeysetModelView):
    """Users of the chosen organisation, for its general users."""

    columns = (
        Column(
            "name",
            _l("Name"),
            cell=_name,
            sql=lambda: User.selected_name(i18n.language()),
            order=User.name_folded,
        ),
        Column("email", _l("E-mail address"), formatters.isolated, sql=User.email),
        Column("is_general", _l("User type"), _kind, width="code"),
        Column("services", _l("Services"), cell=_services, sql=_GRANTED, width="short"),
        Column("is_active", _l("Status"), formatters.active_badge, width="state"),
        Column("created_at", _l("Since"), formatters.date_of, order=True, width="date"),
    )
    column_filters = (
        yes_filter("kind", _l("User type"), Membership.is_general, GENERAL),
        yes_filter("active", _l("Status"), Membership.is_active),
    )
    default_order = ("name", False)
    search_hint = _l("Name or e-mail")
    column_extra_row_actions: ClassVar[list[Any]] = [
        EndpointLinkRowAction("edit", "my_users.edit", title=_l("Edit"), id_arg="membership_id")
    ]
    list_template = "my/organisations/users/list.html"

    def accessible_to(self, actor: Actor) -> bool:
        return permissions.can_manage_selected(actor)

    def scope(self, query: Any) -> Any:
        return query.where(Membership.organisation_id == chosen_organisation())

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.join(User, User.id == Membership.user_id)

    def search_condition(self, typed: str) -> Any | None:
        return user_search.condition(typed)

    def hit(self, row: Any) -> Hit:
        return Hit(
            row.name,
            url_for("my_users.edit", membership_id=row.id),
            (row.email, _kind(row.is_general)),
            formatters.active_badge(row.is_active),
            (row.email,),
        )

    @expose("/")
    def index_view(self) -> Any:
        """List the users and the pending invitations."""
        awaited = invitation_queries.awaited(chosen_organisation(), utc_now())
        self._template_args.update(awaited=awaited, organisation=_name_of(chosen_organisation()))
        return super().index_view()

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Invite a user to the organisation shown, without revealing existing accounts."""
        form = AddUserForm()
        organisation_id = posted_organisation() if is_posted() else chosen_organisation()
        if not table.is_sent():
            return self._show_new(form, organisation_id)
        is_image_right = form_helpers.spend_image(FORM_NAME)
        if not is_image_right and form_helpers.result_of_first_click(FORM_NAME, _owner()):
            return _to_list()
        form.offer(row.code for row in _offered(organisation_id))
        form_helpers.note_leftovers(form)
        is_valid = form_helpers.validate(form, is_image_right)
        is_valid = _is_no_member(form, organisation_id) and is_valid
        db.session.rollback()  # only reads so far; rate limits and hashing precede writes
        if not is_valid:
            return self._show_new(form, organisation_id)
        return self._add(form, organisation_id)

    @expose("/invitations/<int:invitation_id>/resend", methods=("POST",))
    def resend(self, invitation_id: int) -> Any:
        """Resend an invitation and restart its lifetime."""

        def refused(fault: DomainError) -> Any:
            flash(str(fault), "warning")
            return _to_list()

        return post_once(
            lambda: invitations.resend(id_or_404(invitation_id), current_actor(), utc_now()),
            result=self.get_url(".index_view"),
            told=_("The invitation was sent again."),
            refused=refused,
            of=TooManyTries,
            acts_first=True,
        )

    @expose("/invitations/<int:invitation_id>/withdraw", methods=("POST",))
    def withdraw(self, invitation_id: int) -> Any:
        """Withdraw an invitation."""
        return post_once(
            lambda: invitations.withdraw(id_or_404(invitation_id), current_actor(), utc_now()),
            result=self.get_url(".index_view"),
            told=_("The invitation was withdrawn."),
        )

    def _add(self, form: AddUserForm, organisation_id: int) -> Any:
        def refused(fault: Any) -> Any:
            if isinstance(fault, password_changes.WeakPassword):
                form.password.errors = [*form.password.errors, *map(str, fault.faults)]
                return self._show_new(form, organisation_id)
            texts = (fault.refusal.text, fault.refusal.change)
            return self._show_new(form, organisation_id, [str(text) for text in texts if text]), 409

        return post_once(
            lambda: invitations.invite(_added(form), organisation_id, current_actor(), utc_now()),
            result=self.get_url(".index_view"),
            told=_("The user was added. They must now finish registering."),
            refused=refused,
            of=(password_changes.WeakPassword, Refused),
            key=form_helpers.image_key(FORM_NAME),
            acts_first=True,
        )

    def _show_new(self, form: AddUserForm, organisation_id: int, faults: Sequence[str] = ()) -> str:
        db.session.rollback()
        image = form_helpers.new_image(FORM_NAME)
        return self.render(
            "my/organisations/users/new.html",
            form=form,
            faults=faults,
            image=image,
            organisation_id=organisation_id,
            organisation=_name_of(organisation_id),
            table=table.table(_offered(organisation_id), form.services.data or ()),
        )


def _name_of(organisation_id: int) -> str:
    return db.session.get_one(Organisation, organisation_id).name_in(i18n.language())


def _offered(organisation_id: int) -> list[table.ServiceRow]:
    return table.rows(members.grantable(organisation_id))


def _added(form: AddUserForm) -> NewMember:
    return NewMember(
        first_name=form.first_name.data or "",
        last_name=form.last_name.data or "",
        latin_name=form.latin_name.data or "",
        gender=form.gender.data or "",
        civil_id=form.civil_id.data or "",
        mobile=form.mobile.data,
        email=form.email.data,
        password=form.password.data or "",
        access=Access(bool(form.is_general.data), form.granted),
        language=i18n.language(),
    )


def _is_no_member(form: AddUserForm, organisation_id: int) -> bool:
    """Return whether the e-mail is not yet a member's (members are listed anyway)."""
    if form.email.errors or not members.has_email(organisation_id, form.email.data or ""):
        return True
    form.email.errors = [
        _("One of your users already has this e-mail address. Change that user instead.")
    ]
    return False


def _owner() -> str:
    return idempotency.owner_of(current_actor())


def _to_list() -> Any:
    return redirect(url_for("my_users.index_view"), code=303)
