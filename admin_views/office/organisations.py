"""Organisations at the office, for reading."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views import cells
from admin_views.base import matches_all_words
from admin_views.lists import KeysetView
from admin_views.office.reference import isolated, keeps_or_reads
from clearance import i18n
from clearance.actor import Actor
from clearance.extensions import db
from clearance.models import LegalEntity, Membership, Organisation, Request


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
        "licence_no": isolated,
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
