"""Licences at the office: list and details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager

from admin_views.base import formatters
from admin_views.base.access import DetailsById, current_actor
from admin_views.base.columns import Column
from admin_views.base.filters import DateFilter, ListFilter
from admin_views.base.search import Hit, url_in
from admin_views.office.licences.actions import RegisterSteps
from admin_views.shared import licence_details, licence_history, register_lists, request_lists
from admin_views.shared.register_lists import RegisterList
from clearance.core import audit
from clearance.licences import duplicates
from clearance.models import Broker, BrokerType, Licence, Organisation
from clearance.models.enums import LicenceStatus, SuspendedBy


class Licences(DetailsById, RegisterSteps, RegisterList):
    """Every licence; managers read, reviewers also suspend, reinstate and correct."""

    columns = (
        Column(
            "number", _l("Licence number"), cell=register_lists.licence, order=True, width="number"
        ),
        register_lists.NAME_SORTED,
        register_lists.CIVIL_ID,
        register_lists.BROKER_TYPE,
        register_lists.ORGANISATION,
        register_lists.STATUS,
        register_lists.SUSPENDED_BY,
        register_lists.ISSUED,
        register_lists.EXPIRES,
        Column("guarantee_no", _l("Bank guarantee number"), formatters.isolated, is_listed=False),
        register_lists.GUARANTEE_EXPIRY,
        register_lists.CIVIL_ID_EXPIRY,
        register_lists.PASSPORT_EXPIRY,
        replace(register_lists.VALID_UNTIL, order=register_lists.UNTIL),
        register_lists.LINK,
    )
    column_filters = (
        ListFilter("status", register_lists.STATUS.label, Licence.status, LicenceStatus.choices()),
        register_lists.ends_filter(),
        register_lists.link_filter(),
        register_lists.type_filter(),
        register_lists.organisation_filter(Broker.organisation_id),
        ListFilter(
            "suspended_by",
            register_lists.SUSPENDED_BY.label,
            Licence.suspended_by,
            SuspendedBy.choices(),
        ),
        DateFilter("expires_from", _l("Expires from"), lambda day: Licence.expires >= day),
        DateFilter("expires_to", _l("Expires up to"), lambda day: Licence.expires <= day),
    )
    search_hint = _l("Name, licence number, civil number or passport")
    empty_title = _l("No licences yet")
    empty_text = _l(
        "They are added when licence requests are approved, or with customs system accounts."
    )

    def get_query(self) -> Any:
        """Preload the broker, whose dates limit the validity too."""
        return super().get_query().join(Licence.broker).options(contains_eager(Licence.broker))

    def also_selected(self) -> Sequence[Any]:
        ids = (Licence.id.label("licence_id"), Licence.broker_id)
        return *ids, *super().also_selected()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return (
            rows.join(Broker, Broker.id == Licence.broker_id)
            .join(Organisation, Organisation.id == Broker.organisation_id)
            .join(BrokerType, BrokerType.code == Broker.broker_type)
        )

    def best(self, typed: str) -> Any | None:
        """Find licences by numbers only: names find their brokers."""
        is_number = any(char.isdigit() for char in typed)
        return self.search_condition(typed) if is_number else None

    def hit(self, row: Any) -> Hit:
        return Hit(
            row.number,
            url_in(self, "details", licence_id=row.id),
            (row.name, register_lists.organisation_name(row)),
            register_lists.badge(row),
            register_lists.keys(row) + (row.guarantee_no,),
        )

    @expose("/<int:licence_id>/")
    def details(self, licence_id: Any) -> Any:
        """Show a licence; the access is audited."""
        return self._read(self.get_one(licence_id))

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
