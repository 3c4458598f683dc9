"""Issued documents at the office: list, details, files and voiding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import DetailsById, ForReaders, LinkedRows, current_actor, require
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.search import Hit, url_in
from admin_views.office.asking import ask, ask_and_take
from admin_views.office.requests.actions import ready_reasons
from admin_views.shared import issued_files, issued_lists, register_lists
from admin_views.shared.issued_files import IssuedReading
from admin_views.shared.issued_lists import IssuedList
from clearance import issuing
from clearance.core import i18n, urls
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.issuing import voiding
from clearance.models import IssuedDocument, Organisation, Request
from clearance.models.enums import ReasonFor
from forms.licence_actions import OfficeForm, licence_action_form


def _kind(row: Any) -> Markup:
    kind = formatters.link(row.id, issuing.title_of(row))
    return kind + formatters.under_whole(formatters.bdi(row.check_code))


def _number(row: Any) -> Any:
    number = register_lists.licence(row) if row.licence_id else formatters.isolated(row.number)
    return number + formatters.under(formatters.isolated(row.name))


def _request(row: Any) -> Any:
    if row.request_id is None:
        return formatters.isolated("")
    number = formatters.bdi(row.request_number)
    return formatters.link(row.request_id, number, "office_requests")


class IssuedDocuments(DetailsById, IssuedReading, ForReaders, LinkedRows, IssuedList):
    """Issued documents; reviewers and managers read, only reviewers void."""

    can_export = for_managers
    columns = (
        Column("kind", _l("Document"), cell=_kind, text=issuing.title_of),
        issued_lists.CHECK_CODE,
        Column("number", _l("Document number"), cell=_number, sql=issued_lists.NUMBER),
        issued_lists.HOLDER,
        register_lists.ORGANISATION,
        Column(
            "request_number",
            _l("Request number"),
            cell=_request,
            sql=Request.number,
            width="number",
        ),
        issued_lists.ISSUED_AT,
        issued_lists.VALID_UNTIL,
        issued_lists.STATE,
        issued_lists.SINCE,
        issued_lists.VOID_REASON,
    )
    column_filters = (
        *issued_lists.FILTERS,
        register_lists.OrganisationFilter(IssuedDocument.organisation_id),
    )
    search_hint = _l("Document code, document, licence or request number, or name")
    empty_text = _l("Documents appear here as requests are approved.")

    def also_selected(self) -> Sequence[Any]:
        return *super().also_selected(), *register_lists.organisation_columns()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        organisation = Organisation.id == IssuedDocument.organisation_id
        return super().joined(rows.join(Organisation, organisation))

    def hit(self, row: Any) -> Hit:
        return Hit(
            issuing.title_of(row),
            url_in(self, "details", issued_id=row.id),
            (row.number, row.name, register_lists.organisation_name(row)),
            formatters.state_badge(issued_lists.worth(row).state),
            (row.check_code, row.number, row.request_number),
        )

    # One document

    @expose("/<int:issued_id>/")
    def details(self, issued_id: Any) -> Any:
        """Show a document."""
        return self._show(self.get_one(issued_id))

    @expose("/<int:issued_id>/do/void", methods=("GET", "POST"))
    def void(self, issued_id: int) -> Any:
        """Void a document after confirmation."""
        require(current_actor().is_reviewer)
        document = self.get_one(issued_id)
        form = licence_action_form(
            ready_reasons(ReasonFor.VOID), i18n.language(), voiding.REASON_MAX_LENGTH
        )

        def act() -> None:
            voiding.void(document, current_actor(), form.given_reason(), utc_now())

        return ask_and_take(
            partial(self._ask, document, form),
            form,
            act,
            result=_details_url(issued_id),
            told=_("The document was voided."),
            refused=lambda refusal: self._show(
                self.get_one(issued_id), alert=str(refusal), status=409
            ),
        )

    def _show(self, document: IssuedDocument, *, alert: str = "", status: int = 200) -> Any:
        reader = current_actor()
        page = self.render(
            "office/issued/details.html",
            document=document,
            row=issued_files.rows([document])[0],
            organisation=db.session.get_one(Organisation, document.organisation_id),
            check_url=urls.check_url(document.check_code),
            refusal=voiding.void_refusal(document, reader) if reader.is_reviewer else None,
            can_void=reader.is_reviewer,
            alert=alert,
        )
        return page, status

    def _ask(self, document: IssuedDocument, form: OfficeForm) -> str:
        return ask(
            self.render,
            "office/issued/ask.html",
            form,
            _details_url(document.id),
            document=document,
            row=issued_files.rows([document])[0],
            refusal=voiding.void_refusal(document, current_actor()),
        )


def _details_url(issued_id: int) -> str:
    return url_for("office_issued.details_view", id=issued_id)
