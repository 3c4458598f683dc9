"""Teams of reviewers: their names and members."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor
from admin_views.base.columns import Column
from admin_views.office.requests import queues
from admin_views.office.settings.reference_data import PLACE, ReferenceView, names
from clearance.accounts import teams as team_members
from clearance.core import i18n, teams
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import Team, User
from forms import reference_data


def _members(row: Team) -> str:
    """Return the names of a team's members; there are as many queries as teams."""
    if not teams.are_several():
        return str(_("Every active reviewer"))
    name = User.selected_name(i18n.language())
    found = db.session.scalars(sa.select(name).where(teams.members(row.code)).order_by(name))
    return _(", ").join(found) or str(_("Nobody"))


class Teams(ReferenceView):
    """Teams; versions of services name them for ever, so none is deleted."""

    audit_kind = "team"
    form = reference_data.TeamForm
    form_columns = ("code", "name_ar", "name_en", "position", "members", "confirmed")
    columns = (
        *names(are_sortable=True),
        Column("code", _l("Code"), order=True, width="code"),
        Column("members", _l("Members"), value=_members),
        PLACE,
    )
    column_default_sort = "position"

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        form.members.choices = queues.reviewers()
        del form.confirmed
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        form.members.choices = queues.reviewers()
        if not is_posted():
            form.members.data = sorted(team_members.member_ids(obj.code))
        if not is_posted() or form.members.data:
            del form.confirmed
        if not teams.are_several():
            del form.members
        return form

    def stored(self, model: Team) -> dict[str, Any]:
        return super().stored(model) | {"members": sorted(team_members.member_ids(model.code))}

    def on_model_change(self, form: Any, model: Team, is_created: bool) -> None:
        """Keep the members; with the second team, write down who was in the first."""
        actor, now = current_actor(), utc_now()
        db.session.flush()
        if is_created:
            team_members.begin_further(model, actor, now)
        if "members" in form:
            is_confirmed = "confirmed" in form and bool(form.confirmed.data)
            chosen = form.members.data or []
            team_members.keep_members(model, chosen, actor, now, is_confirmed=is_confirmed)
