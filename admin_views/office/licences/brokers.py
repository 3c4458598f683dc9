"""Brokers at the office: list and details."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload, selectinload

from admin_views.base.access import current_actor
from admin_views.base.filters import ListFilter
from admin_views.office.licences import lists as register_lists
from admin_views.office.licences.lists import RegisterList
from admin_views.shared import licence_details, licence_history, request_lists
from clearance.core import audit, i18n
from clearance.core.countries import country_name
from clearance.licences import duplicates
from clearance.licences import search as licence_search
from clearance.models import Broker, BrokerType, Licence, Organisation
from clearance.models.enums import LicenceStatus

NONE = "none"


def _licence(view: Any, context: Any, row: Any, key: str) -> Any:
    if row.licence_id is None:
        return _l("None")
    url = url_for("office_licences.details_view", id=row.licence_id)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, row.number)


def _status_filter() -> ListFilter:
    living = [
        (str(status), status.label) for status in LicenceStatus if status != LicenceStatus.CANCELLED
    ]

    def condition(value: str) -> sa.ColumnElement[bool]:
        return Licence.id.is_(None) if value == NONE else Licence.status == value

    return ListFilter(
        "status", _l("Licence status"), condition, [*living, (NONE, _l("No licence now"))]
    )


class Brokers(RegisterList):
    """Every broker, with the licence that is not cancelled, if any."""

    column_list = ("name", "broker_type", "organisation", "number", "status", "until")
    column_export_list = (
        "name",
        "civil_id",
        "broker_type",
        "organisation",
        "number",
        "status",
        "suspended_by",
        "mobile",
        "civil_id_expiry",
        "passport_no",
        "passport_expiry",
        "until",
        "link",
    )
    column_formatters: ClassVar[dict[str, Any]] = {
        "name": register_lists.person,
        "broker_type": register_lists.broker_type,
        "organisation": register_lists.organisation,
        "number": _licence,
        "status": register_lists.status,
        "until": register_lists.until,
    }
    column_filters = (
        _status_filter(),
        register_lists.ends_filter(),
        register_lists.link_filter(),
        register_lists.type_filter(),
        register_lists.organisation_filter(Broker.organisation_id),
    )
    orders: ClassVar[dict[str, Any]] = {"name": Broker.name_folded}
    search_hint = _l("Name, civil number, passport, mobile or licence number")
    empty_title = _l("No brokers yet")
    empty_text = _l("They come with requests for issuance, or with accounts of the customs system.")

    def get_query(self) -> Any:
        """Preload what the pages show of other tables."""
        return (
            super()
            .get_query()
            .options(joinedload(Broker.organisation), selectinload(Broker.licences))
        )

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            Broker.id,
            Broker.id.label("broker_id"),
            Broker.civil_id,
            Broker.civil_id_expiry,
            Broker.passport_no,
            Broker.passport_expiry,
            Broker.mobile,
            Licence.id.label("licence_id"),
            Licence.number,
            Licence.status,
            Licence.suspended_by,
            request_lists.name_column(Broker),
            *register_lists.validity_columns(),
            *register_lists.type_columns(),
            *register_lists.organisation_columns(),
        ]
        living = sa.and_(Licence.broker_id == Broker.id, Licence.status != LicenceStatus.CANCELLED)
        joined: sa.Select[Any] = (
            sa.select(*columns)
            .select_from(Broker)
            .outerjoin(Licence, living)
            .join(Organisation, Organisation.id == Broker.organisation_id)
            .join(BrokerType, BrokerType.code == Broker.broker_type)
        )
        return joined

    def search_condition(self, typed: str) -> Any | None:
        return licence_search.condition(typed)

    def export_value(self, row: Any, key: str) -> Any:
        if key in {"until", "link"} and row.licence_id is None:
            return ""
        return register_lists.exported(row, key)

    @expose("/<int:broker_id>/")
    def details(self, broker_id: int) -> Any:
        """Show a broker; the access is audited."""
        return self._read(self.get_one(broker_id))

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a broker by `?id=`, Flask-Admin's URL for details."""
        return self._read(self.get_one(request.args.get("id")))

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
            nationality=country_name(broker.nationality, i18n.language()),
            twins=duplicates.with_passport(broker.passport_no, except_id=broker.id),
            history=licence_history.of_licences([licence.id for licence in licences]),
            requests=licence_details.requests_about(broker, reader),
            issued=licence_details.issued_for(licences, reader),
            title_of=request_lists.title_of,
        )
