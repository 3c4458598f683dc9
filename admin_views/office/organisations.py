"""Organisations at the office, read-only, with their users and brokers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import EveryRow, LinkedRows, current_actor
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList, url_in
from admin_views.shared import register_lists, request_lists
from clearance.auth import permissions
from clearance.core import i18n
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


def _organisation_name(row: Any) -> Markup:
    name = i18n.in_language(row, "name") or row.name_en
    return formatters.link(row.id, formatters.bdi(name))


def _entity_filter() -> ListFilter:
    def choices() -> list[tuple[str, str]]:
        rows = db.session.execute(
            sa.select(LegalEntity.code, LegalEntity.name_ar, LegalEntity.name_en)
        )
        return [(row.code, i18n.in_language(row, "name")) for row in rows]

    return ListFilter("entity", _l("Organisation type"), Organisation.legal_entity, choices)


def _counted(model: Any, *conditions: Any) -> sa.ScalarSelect[int]:
    """Return a subquery counting the model's rows that belong to the listed organisation."""
    own = sa.select(sa.func.count()).where(model.organisation_id == Organisation.id, *conditions)
    return own.correlate(Organisation).scalar_subquery()


class Organisations(EveryRow, LinkedRows, SearchedList, KeysetModelView):
    """Clearing offices and companies, readable by all staff."""

    can_export = for_managers
    columns = (
        Column(
            "name",
            _l("Organisation"),
            cell=_organisation_name,
            order=Organisation.name_folded,
            is_exported=False,
        ),
        Column("name_ar", _l("Name in Arabic"), is_listed=False),
        Column("name_en", _l("Name in English"), is_listed=False),
        Column(
            "entity", _l("Organisation type"), value=lambda row: i18n.in_language(row, "entity")
        ),
        Column("licence_no", _l("Licence number"), formatters.isolated, width="code"),
        Column("brokers", _l("Brokers"), sql=_counted(Broker), width="count"),
        Column(
            "users",
            _l("Users"),
            sql=_counted(Membership, Membership.is_active.is_(True)),
            width="count",
        ),
        Column("phone", _l("Phone"), formatters.isolated, is_listed=False, width="code"),
        Column("email", _l("E-mail address"), formatters.isolated, is_listed=False),
        Column("created_at", _l("Since"), formatters.date_of, order=True, width="date"),
    )
    column_filters = (_entity_filter(),)
    default_order = ("created_at", True)
    search_hint = _l("Name or licence number")
    empty_title = _l("No organisations yet")
    empty_text = _l("Organisations are created when their first user registers.")

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff

    def also_selected(self) -> Sequence[Any]:
        return register_lists.entity_columns()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.join(LegalEntity, LegalEntity.code == Organisation.legal_entity)

    def search_condition(self, typed: str) -> Any | None:
        return register_lists.organisation_condition(typed)

    def hit(self, row: Any) -> Hit:
        return Hit(
            i18n.in_language(row, "name") or row.name_en,
            url_in(self, "details_view", id=row.id),
            (i18n.in_language(row, "entity"), row.licence_no),
            keys=(row.licence_no,),
        )

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
            reads_users=permissions.keeps_or_reads(reader),
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
