"""Licences at the office: list and details."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import contains_eager

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.office.licences import lists as register_lists
from admin_views.office.licences.actions import RegisterSteps
from admin_views.office.licences.lists import RegisterList
from admin_views.shared import licence_details, licence_history, request_lists
from clearance.core import audit
from clearance.licences import duplicates
from clearance.licences import search as licence_search
from clearance.models import Broker, BrokerType, Licence, Organisation


def _number(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for("office_licences.details_view", id=row.id)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, row.number)


class Licences(RegisterSteps, RegisterList):
    """Every licence; managers read, reviewers also suspend, reinstate and correct."""

    column_list = (
        "number",
        "name",
        "broker_type",
        "organisation",
        "status",
        "expires",
        "until",
    )
    column_export_list = (
        "number",
        "name",
        "civil_id",
        "broker_type",
        "organisation",
        "status",
        "suspended_by",
        "issued",
        "expires",
        "guarantee_no",
        "guarantee_expiry",
        "civil_id_expiry",
        "passport_expiry",
        "until",
        "link",
    )
    column_formatters: ClassVar[dict[str, Any]] = {
        "number": _number,
        "name": register_lists.person,
        "broker_type": register_lists.broker_type,
        "organisation": register_lists.organisation,
        "status": register_lists.status,
        "expires": formatters.day,
        "until": register_lists.until,
    }
    column_filters = (
        register_lists.status_filter(),
        register_lists.ends_filter(),
        register_lists.link_filter(),
        register_lists.type_filter(),
        register_lists.organisation_filter(Broker.organisation_id),
        register_lists.suspended_filter(),
    )
    orders: ClassVar[dict[str, Any]] = {
        "number": Licence.number,
        "name": Broker.name_folded,
        "expires": Licence.expires,
        "until": register_lists.UNTIL,
    }
    search_hint = _l("Name, licence number, civil number or passport")
    empty_title = _l("No licences yet")
    empty_text = _l("They come with requests for issuance, or with accounts of the customs system.")

    def get_query(self) -> Any:
        """Preload the broker, whose dates limit the validity too."""
        return super().get_query().join(Licence.broker).options(contains_eager(Licence.broker))

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            Licence.id,
            Licence.broker_id,
            Licence.number,
            Licence.status,
            Licence.suspended_by,
            Licence.issued,
            Licence.expires,
            Licence.guarantee_no,
            Licence.guarantee_expiry,
            Broker.civil_id,
            Broker.civil_id_expiry,
            Broker.passport_expiry,
            request_lists.name_column(Broker),
            *register_lists.validity_columns(),
            *register_lists.type_columns(),
            *register_lists.organisation_columns(),
        ]
        joined: sa.Select[Any] = (
            sa.select(*columns)
            .select_from(Licence)
            .join(Broker, Broker.id == Licence.broker_id)
            .join(Organisation, Organisation.id == Broker.organisation_id)
            .join(BrokerType, BrokerType.code == Broker.broker_type)
        )
        return joined

    def search_condition(self, typed: str) -> Any | None:
        return licence_search.condition(typed)

    def export_value(self, row: Any, key: str) -> Any:
        return register_lists.exported(row, key)

    @expose("/<int:licence_id>/")
    def details(self, licence_id: int) -> Any:
        """Show a licence; the access is audited."""
        return self._read(self.get_one(licence_id))

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a licence by `?id=`, Flask-Admin's URL for details."""
        return self._read(self.get_one(request.args.get("id")))

    def _read(self, licence: Licence) -> Any:
        audit.access("licence:read", object_type="licence", object_id=str(licence.id), result="ok")
        return self.show(licence)

    def show(self, licence: Licence, *, alert: str = "", status: int = 200) -> Any:
        """Render a licence's page."""
        reader = current_actor()
        page = self.render(
            "office/licences/licence.html",
            licence=licence,
            broker=licence.broker,
            alert=alert,
            steps=self.offered_steps(licence),
            links=licence_details.validity_documents(licence),
            broker_type=licence_details.type_names().get(licence.broker.broker_type, ""),
            twins=duplicates.with_passport(licence.broker.passport_no, except_id=licence.broker_id),
            history=licence_history.of_licences([licence.id]),
            requests=licence_details.requests_about(licence.broker, reader, licence_id=licence.id),
            issued=licence_details.issued_for([licence], reader),
            title_of=request_lists.title_of,
        )
        return page, status
