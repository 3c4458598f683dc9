"""Documents issued for the organisation's brokers: list and download."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_admin.model.template import TemplateLinkRowAction
from flask_babel import lazy_gettext as _l

from admin_views.base import formatters
from admin_views.base.access import ForAgents, chosen_organisation, current_actor
from admin_views.base.columns import Column
from admin_views.base.search import Hit
from admin_views.shared import issued_lists
from admin_views.shared.issued_files import download
from admin_views.shared.issued_lists import IssuedList
from clearance import issuing
from clearance.auth import permissions


class MyIssued(ForAgents, IssuedList):
    """Documents of brokers who currently belong to the organisation chosen in the header."""

    can_export = True
    columns = (
        Column("kind", _l("Document"), text=issuing.title_of),
        issued_lists.CHECK_CODE,
        Column(
            "number",
            _l("Document number"),
            formatters.isolated,
            sql=issued_lists.NUMBER,
            width="number",
        ),
        replace(issued_lists.HOLDER, is_listed=True),
        issued_lists.ISSUED_AT,
        replace(issued_lists.VALID_UNTIL, is_listed=True),
        replace(issued_lists.STATE, width="until"),
        issued_lists.SINCE,
        issued_lists.VOID_REASON,
    )
    column_filters = issued_lists.FILTERS
    search_hint = _l("Document code or number, licence number or name")
    empty_text = _l(
        "Certificates, ID cards and letters appear here when the office approves a request."
    )

    def scope(self, query: Any) -> Any:
        return query.where(permissions.issued_visible_to(current_actor(), chosen_organisation()))

    def get_list_row_actions(self) -> list[Any]:
        return [TemplateLinkRowAction("row_actions.issued")]

    def hit(self, row: Any) -> Hit:
        return Hit(
            issuing.title_of(row),
            url_for("my_issued.file", issued_id=row.id),
            (row.number, row.name),
            formatters.state_badge(issued_lists.worth(row).state),
            (row.check_code, row.number),
        )

    @expose("/<int:issued_id>/")
    def file(self, issued_id: int) -> Any:
        """Download a document."""
        return download(issued_id)
