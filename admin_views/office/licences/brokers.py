"""Brokers at the office: list and details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from admin_views.base import formatters
from admin_views.base.access import DetailsById, current_actor
from admin_views.base.columns import Column
from admin_views.base.filters import ListFilter
from admin_views.base.search import Hit, url_in
from admin_views.shared import licence_details, licence_history, register_lists, request_lists
from admin_views.shared.register_lists import RegisterList
from clearance.core import audit, i18n, legal_holds, nationalities
from clearance.licences import duplicates
from clearance.models import Broker, BrokerType, Licence, Organisation
from clearance.models.enums import LicenceStatus

NONE = "none"


def _licence(row: Any) -> Any:
    return _l("None") if row.licence_id is None else register_lists.licence(row)


def _status_filter() -> ListFilter:
    living = [
        (str(status), status.label) for status in LicenceStatus if status != LicenceStatus.CANCELLED
    ]

    def condition(value: str) -> sa.ColumnElement[bool]:
        return Licence.id.is_(None) if value == NONE else Licence.status == value

    return ListFilter(
        "status", _l("Licence status"), condition, [*living, (NONE, _l("No current licence"))]
    )


class Brokers(DetailsById, RegisterList):
    """Every broker, with the licence that is not cancelled, if any."""

    columns = (
        register_lists.NAME_SORTED,
        register_lists.CIVIL_ID,
        register_lists.BROKER_TYPE,
        register_lists.ORGANISATION,
        Column("number", _l("Licence number"), cell=_licence, sql=Licence.number, width="number"),
        register_lists.STATUS,
        register_lists.SUSPENDED_BY,
        Column("mobile", _l("Mobile number"), formatters.isolated, is_listed=False, width="code"),
        register_lists.CIVIL_ID_EXPIRY,
        Column(
            "passport_no", _l("Passport number"), formatters.isolated, is_listed=False, width="code"
        ),
        register_lists.PASSPORT_EXPIRY,
        register_lists.VALID_UNTIL,
        register_lists.LINK,
    )
    column_filters = (
        _status_filter(),
        register_lists.ends_filter(),
        register_lists.link_filter(),
        register_lists.type_filter(),
        register_lists.organisation_filter(Broker.organisation_id),
    )
    search_hint = _l("Name, civil number, passport, mobile or licence number")
    empty_title = _l("No brokers yet")
    empty_text = _l(
        "They are added when licence requests are approved, or with customs system accounts."
    )

    def get_query(self) -> Any:
        """Preload what the pages show of other tables."""
        return (
            super()
            .get_query()
            .options(joinedload(Broker.organisation), selectinload(Broker.licences))
        )

    def also_selected(self) -> Sequence[Any]:
        ids = (Broker.id.label("broker_id"), Licence.id.label("licence_id"))
        return *ids, *super().also_selected()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        living = sa.and_(Licence.broker_id == Broker.id, Licence.status != LicenceStatus.CANCELLED)
        return (
            rows.outerjoin(Licence, living)
            .join(Organisation, Organisation.id == Broker.organisation_id)
            .join(BrokerType, BrokerType.code == Broker.broker_type)
        )

    def hit(self, row: Any) -> Hit:
        return Hit(
            row.name,
            url_in(self, "details", broker_id=row.id),
            (row.number, register_lists.organisation_name(row)),
            register_lists.badge(row),
            (*register_lists.keys(row), row.mobile, row.passport_no),
        )

    @expose("/<int:broker_id>/")
    def details(self, broker_id: Any) -> Any:
        """Show a broker; the access is audited."""
        return self._read(self.get_one(broker_id))

    def _read(self, broker: Broker) -> Any:
        audit.access("broker:read", object_type="broker", object_id=str(broker.id), result="ok")
        reader = current_actor()
        licences = sorted(broker.licences, key=lambda licence: licence.id, reverse=True)
        living = next(
            (licence for licence in licences if licence.status != LicenceStatus.CANCELLED), None
        )
        return self.render(
            "office/licences/broker.html",
            broker=broker,
            licences=licences,
            living=living,
            links=licence_details.validity_documents(living) if living is not None else (),
            broker_type=licence_details.type_names().get(broker.broker_type, ""),
            nationality=nationalities.name(broker.nationality, i18n.language()),
            twins=duplicates.with_passport(broker.passport_no, except_id=broker.id),
            history=licence_history.of_licences([licence.id for licence in licences]),
            requests=licence_details.requests_about(broker, reader),
            holds=legal_holds.over(broker),
            may_hold=reader.is_manager,
            issued=licence_details.issued_for(licences, reader),
            title_of=request_lists.title_of,
        )
