"""Edit page of a user: services, organisations and whether the access is active."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from babel.lists import format_list
from flask import request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404
from admin_views.base.form_post import post_once, posted_version
from admin_views.my.services import table
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import Refused, StaleEdit
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import LegalEntity, Membership, Organisation, Request
from clearance.organisations import handover, members, membership_changes
from clearance.organisations.members import Access
from clearance.public import form_helpers
from forms.organisation_users import EditUserForm


@dataclass(frozen=True)
class _Page:
    """Choices that the page offers."""

    membership: Membership
    services: Sequence[table.ServiceRow]
    organisations: Sequence[Organisation]
    placed: frozenset[int]
    work: Sequence[Request]
    colleagues: Sequence[Membership]

    @property
    def is_self(self) -> bool:
        """Whether this is the reader's own membership."""
        return self.membership.user_id == current_actor().user_id


class UserEdit:
    """Mixin of the users view."""

    render: Callable[..., str]

    @expose("/<int:membership_id>/", methods=("GET", "POST"))
    def edit(self, membership_id: int) -> Any:
        """Show a user and change their access."""
        page = _page(membership_id)
        form = _form(page)
        if not is_posted():
            return self._show(page, form)
        version = posted_version()
        form_helpers.note_leftovers(form)
        if not (table.is_sent() and form.validate()):
            return self._show(page, form, version=version)
        if _gives_up_own_access(page, form) and "confirm" not in request.form:
            return self._show(page, form, version=version, warns=True)
        return self._save(page, form, version)

    def _save(self, page: _Page, form: EditUserForm, version: int) -> Any:
        membership_id = page.membership.id
        chosen = {int(key) for key in form.organisations.data or ()}
        access = Access(bool(form.is_general.data), form.granted, bool(form.is_active.data))
        result, told = _done(page, form)

        def refused(fault: Any) -> Any:
            again = partial(self._show, _page(membership_id), form)
            if isinstance(fault, StaleEdit):
                return again(version=fault.version, stale=fault), 409
            return again(version=version, refusal=fault.refusal), 409

        return post_once(
            lambda: membership_changes.update_in_all_organisations(
                membership_id,
                access,
                current_actor(),
                utc_now(),
                version=version,
                hand_over_to=int(form.hand_over_to.data) if form.hand_over_to.data else None,
                added=chosen - page.placed,
                removed=page.placed - chosen,
            ),
            result=result,
            told=told,
            refused=refused,
            of=(StaleEdit, Refused),
        )

    def _show(
        self, page: _Page, form: EditUserForm, *, version: int | None = None, **told: Any
    ) -> str:
        membership = page.membership
        entity = db.session.get_one(LegalEntity, membership.organisation.legal_entity)
        stale = told.get("stale")
        return self.render(
            "my/organisations/users/edit.html",
            form=form,
            page=page,
            user=membership.user,
            organisation=membership.organisation,
            legal_entity=i18n.in_language(entity, "name"),
            version=membership.version if version is None else version,
            table=table.table(page.services, form.services.data or ()),
            differences=_differences(stale, page) if stale is not None else (),
            refusal=told.get("refusal"),
            warns=told.get("warns", False),
        )


def _page(membership_id: int) -> _Page:
    actor = current_actor()
    membership = members.find(id_or_404(membership_id), actor)
    held = members.access_of(membership).services
    is_self = membership.user_id == actor.user_id
    others = (
        frozenset()
        if is_self
        else permissions.manageable_organisations(actor) - {membership.organisation_id}
    )
    work = handover.in_hand(membership.organisation_id, membership.user_id)
    return _Page(
        membership=membership,
        services=table.rows(members.grantable(membership.organisation_id), held),
        organisations=[db.session.get_one(Organisation, other) for other in sorted(others)],
        placed=_placed(membership, others),
        work=work,
        colleagues=handover.colleagues(membership, {req.service_code for req in work})
        if work
        else (),
    )


def _placed(membership: Membership, others: Collection[int]) -> frozenset[int]:
    """Return the reader's other organisations with the user; in a POST, as the page showed them."""
    if is_posted():
        shown = request.form.getlist("organisations_before")
        return frozenset(other for other in others if str(other) in shown)
    standings = members.standings_of(membership.user_id, others)
    return frozenset(key for key, standing in standings.items() if standing.is_active)


def _form(page: _Page) -> EditUserForm:
    access = members.access_of(page.membership)
    form = EditUserForm(
        is_general=access.is_general,
        services=sorted(access.services),
        is_active=access.is_active,
        organisations=[str(organisation_id) for organisation_id in sorted(page.placed)],
    )
    lang = i18n.language()
    form.offer(row.code for row in page.services)
    form.place(
        [(organisation.id, organisation.name_in(lang)) for organisation in page.organisations],
        [(colleague.id, _colleague(colleague)) for colleague in page.colleagues],
    )
    return form


def _colleague(membership: Membership) -> str:
    name = membership.user.name_in(i18n.language())
    return str(_("%(name)s (general user)", name=name)) if membership.is_general else name


def _gives_up_own_access(page: _Page, form: EditUserForm) -> bool:
    return page.is_self and not (form.is_general.data and form.is_active.data)


def _differences(stale: StaleEdit, page: _Page) -> list[tuple[str, str, str]]:
    """Return (field, current value, submitted value) as texts."""
    lang = i18n.language()
    titles = {row.code: row.title_in(lang) for row in page.services}
    labels = {
        "is_general": _("General user?"),
        "services": _("Available services"),
        "is_active": _("Active"),
    }

    def words(value: Any) -> str:
        if isinstance(value, bool):
            return str(_("Yes") if value else _("No"))
        named = [titles.get(code, code) for code in value]
        return format_list(named, locale=lang) if named else str(_("None"))

    changed = {
        name: (words(current), words(typed)) for name, (current, typed) in stale.changed.items()
    }
    general = stale.changed.get("is_general", (False, False))
    if "services" in changed:
        both = zip(changed["services"], general, strict=True)
        current, typed = (str(_("All")) if is_general else text for text, is_general in both)
        changed["services"] = current, typed
    return [(str(labels[name]), current, typed) for name, (current, typed) in changed.items()]


def _done(page: _Page, form: EditUserForm) -> tuple[str, str]:
    """Return where a saved form leads, and what is said there."""
    if _gives_up_own_access(page, form):
        return url_for("my.index"), _("Your own access was changed.")
    told = _("The changes are saved and apply from now on. The user was notified.")
    return url_for("my_users.index_view"), told
