"""Organisations at the office, read-only, with their users and brokers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.model_view import matches_all_words
from admin_views.office.licences import lists as register_lists
from admin_views.office.settings.reference_data import isolated, keeps_or_reads
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core import i18n, values
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import (
    Broker,
    BrokerType,
    LegalEntity,
    Licence,
    Membership,
    Organisation,
    Request,
)
from clearance.models.enums import LicenceStatus

SHOWN_BROKERS = 50


def _organisation_name(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for("office_organisations.details_view", id=row.id)
    name = i18n.in_language(row, "name") or row.name_en
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, name)


def _entity(view: Any, context: Any, row: Any, key: str) -> str:
    return i18n.in_language(row, "entity")


def _entity_filter() -> ListFilter:
    def choices() -> list[tuple[str, str]]:
        rows = db.session.execute(
            sa.select(LegalEntity.code, LegalEntity.name_ar, LegalEntity.name_en)
        )
        return [(row.code, i18n.in_language(row, "name")) for row in rows]

    return ListFilter(
        "entity", _l("Legal entity"), lambda value: Organisation.legal_entity == value, choices
    )


def _counted(*conditions: Any) -> sa.ScalarSelect[int]:
    """Return a subquery counting the rows that belong to the listed organisation."""
    return sa.select(sa.func.count()).where(*conditions).correlate(Organisation).scalar_subquery()


class Organisations(KeysetModelView):
    """Clearing offices and companies, readable by all staff."""

    can_view_details = True
    can_export = for_managers
    column_list = ("name", "entity", "licence_no", "brokers", "users", "created_at")
    column_export_list = (
        "name_ar",
        "name_en",
        "entity",
        "licence_no",
        "brokers",
        "users",
        "phone",
        "email",
        "created_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "name": _l("Organisation"),
        "name_ar": _l("Name in Arabic"),
        "name_en": _l("Name in English"),
        "entity": _l("Legal entity"),
        "licence_no": _l("Licence number"),
        "brokers": _l("Brokers"),
        "users": _l("Users"),
        "phone": _l("Phone"),
        "email": _l("E-mail"),
        "created_at": _l("Since"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "name": _organisation_name,
        "entity": _entity,
        "licence_no": isolated,
        "created_at": formatters.format_date_of_instant,
    }
    column_filters = (_entity_filter(),)
    orders: ClassVar[dict[str, Any]] = {
        "name": Organisation.name_folded,
        "created_at": Organisation.created_at,
    }
    default_order = ("created_at", True)
    search_hint = _l("Words of the name, or licence number")
    empty_title = _l("No organisations yet")
    empty_text = _l("They are made when their first user registers.")

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff

    def get_list_row_actions(self) -> list[Any]:
        return []

    def scope(self, query: Any) -> Any:
        return query

    def statement(self) -> sa.Select[Any]:
        users = _counted(
            Membership.organisation_id == Organisation.id, Membership.is_active.is_(True)
        )
        columns: list[Any] = [
            Organisation.id,
            Organisation.name_ar,
            Organisation.name_en,
            Organisation.licence_no,
            Organisation.phone,
            Organisation.email,
            Organisation.created_at,
            LegalEntity.name_ar.label("entity_ar"),
            LegalEntity.name_en.label("entity_en"),
            users.label("users"),
            _counted(Broker.organisation_id == Organisation.id).label("brokers"),
        ]
        joined: sa.Select[Any] = (
            sa.select(*columns)
            .select_from(Organisation)
            .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
        )
        return joined

    def search_condition(self, typed: str) -> Any | None:
        compact = values.ascii_digits(typed).replace(" ", "")
        if any(char.isdigit() for char in compact):
            return sa.func.upper(Organisation.licence_no) == compact.upper()
        return matches_all_words(Organisation.name_folded, typed)

    def export_value(self, row: Any, key: str) -> Any:
        if key == "entity":
            return i18n.in_language(row, "entity")
        return super().export_value(row, key)

    @expose("/details/")
    def details_view(self) -> Any:
        """Show an organisation with its users, brokers and number of requests."""
        reader = current_actor()
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
        brokers = _brokers(organisation)
        return self.render(
            "office/organisations/details.html",
            organisation=organisation,
            entity=db.session.get_one(LegalEntity, organisation.legal_entity),
            memberships=memberships,
            requests=counted,
            brokers=brokers[:SHOWN_BROKERS],
            has_more_brokers=len(brokers) > SHOWN_BROKERS,
            until_cell=register_lists.until_cell,
            status_cell=register_lists.status_cell,
            reads_users=keeps_or_reads(reader),
            reads_register=reader.role in permissions.READING_ROLES,
        )


def _brokers(organisation: Organisation) -> Sequence[Any]:
    """Return up to SHOWN_BROKERS + 1 brokers by name, with the licence that is not cancelled."""
    columns: list[Any] = [
        Broker.id,
        Licence.id.label("licence_id"),
        Licence.number,
        Licence.status,
        Licence.suspended_by,
        request_lists.name_column(Broker),
        *register_lists.validity_columns(),
        *register_lists.type_columns(),
    ]
    living = sa.and_(Licence.broker_id == Broker.id, Licence.status != LicenceStatus.CANCELLED)
    return db.session.execute(
        sa.select(*columns)
        .select_from(Broker)
        .outerjoin(Licence, living)
        .join(BrokerType, BrokerType.code == Broker.broker_type)
        .where(Broker.organisation_id == organisation.id)
        .order_by(Broker.name_folded, Broker.id)
        .limit(SHOWN_BROKERS + 1)
    ).all()
