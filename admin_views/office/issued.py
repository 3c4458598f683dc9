"""Issued documents at the office: list, details, files and voiding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import g, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import DetailsById, ForReaders, LinkedRows, current_actor, require
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter, day_filters
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList, url_in
from admin_views.office.asking import ask, ask_and_take
from admin_views.office.licences import lists as register_lists
from admin_views.office.requests.actions import ready_reasons
from admin_views.shared import issued_files, issued_search, request_lists
from admin_views.shared.issued_files import IssuedReading
from clearance import issuing
from clearance.auth import permissions
from clearance.core import i18n, urls
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.issuing import verification as document_verification
from clearance.issuing import voiding
from clearance.issuing.verification import Authenticity
from clearance.models import Broker, IssuedDocument, Licence, Organisation, Request
from clearance.models.enums import IssuedKind, ReasonFor, VoidReason
from clearance.web.sheets import Kind
from forms.licence_actions import OfficeForm, licence_action_form

LIVING, BY_OFFICE = "living", "office"
NUMBER = sa.func.coalesce(IssuedDocument.number, Licence.number)
_VOIDED: dict[str, Any] = {
    LIVING: _l("No"),
    **dict(VoidReason.choices()),
    BY_OFFICE: _l("Voided by the office"),
}


def _kind(row: Any) -> Markup:
    kind = formatters.link(row.id, issuing.title_of(row))
    return kind + formatters.under(formatters.bdi(row.check_code))


def _number(row: Any) -> Any:
    number = register_lists.licence(row) if row.licence_id else formatters.isolated(row.number)
    return number + formatters.under(formatters.isolated(row.name))


def _holder() -> Any:
    """Return what selects the broker's name, or the one in the request for a statement."""
    of_statement = IssuedDocument.licence_id.is_(None)
    names = request_lists.name_column(), request_lists.name_column(Broker)
    return sa.case((of_statement, names[0]), else_=names[1])


def _request(row: Any) -> Any:
    if row.request_id is None:
        return formatters.isolated("")
    number = formatters.bdi(row.request_number)
    return formatters.link(row.request_id, number, "office_requests")


def _worth(row: Any) -> Authenticity:
    worths: dict[int, Authenticity] = g.issued_worths
    return worths[row.id]


def _voided(value: str) -> sa.ColumnElement[bool]:
    if value == LIVING:
        return IssuedDocument.voided_at.is_(None)
    if value == BY_OFFICE:
        known = sorted(str(reason) for reason in VoidReason)
        return sa.and_(
            IssuedDocument.voided_at.is_not(None), IssuedDocument.void_reason.not_in(known)
        )
    return IssuedDocument.void_reason == value


class IssuedDocuments(
    DetailsById, IssuedReading, ForReaders, LinkedRows, SearchedList, KeysetModelView
):
    """Issued documents; reviewers and managers read, only reviewers void."""

    can_export = for_managers
    columns = (
        Column("kind", _l("Document"), cell=_kind, text=issuing.title_of),
        Column("check_code", _l("Document code"), formatters.isolated, is_listed=False),
        Column("number", _l("Document number"), cell=_number, sql=NUMBER),
        Column("name", _l("Holder"), formatters.isolated, sql=_holder, is_listed=False),
        register_lists.ORGANISATION,
        Column(
            "request_number",
            _l("Request number"),
            cell=_request,
            sql=Request.number,
            width="number",
        ),
        Column("issued_at", _l("Issued on"), formatters.date_of, order=True, width="date"),
        Column("valid_until", _l("Valid until"), formatters.day, is_listed=False, width="date"),
        Column(
            "state",
            _l("Status"),
            cell=lambda row: formatters.state_badge(_worth(row).state),
            text=lambda row: _worth(row).state.label,
            width="state",
        ),
        Column(
            "since",
            _l("Since"),
            cell=lambda row: formatters.day(_worth(row).since),
            text=lambda row: _worth(row).since,
            kind=Kind.DAY,
            is_listed=False,
            width="date",
        ),
        Column(
            "void_reason",
            _l("Reason for voiding"),
            text=lambda row: str(VoidReason.label_of(row.void_reason) or ""),
            is_listed=False,
        ),
    )
    column_filters = (
        ListFilter("kind", _l("Document"), IssuedDocument.kind, IssuedKind.choices()),
        ListFilter("voided", _l("Void"), _voided, list(_VOIDED.items())),
        register_lists.OrganisationFilter(IssuedDocument.organisation_id),
        *day_filters(IssuedDocument.issued_at, _l("Issued from"), _l("Issued up to")),
    )
    default_order = ("issued_at", True)
    search_hint = _l("Document code, document, licence or request number, or name")
    empty_title = _l("Nothing has been issued yet")
    empty_text = _l("Documents appear here as requests are approved.")

    def scope(self, query: Any) -> Any:
        return query.where(permissions.issued_visible_to(current_actor()))

    def also_selected(self) -> Sequence[Any]:
        own = (IssuedDocument.title, IssuedDocument.licence_id, IssuedDocument.request_id)
        return *own, *register_lists.organisation_columns()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return (
            rows.join(Organisation, Organisation.id == IssuedDocument.organisation_id)
            .outerjoin(Licence, Licence.id == IssuedDocument.licence_id)
            .outerjoin(Broker, Broker.id == Licence.broker_id)
            .outerjoin(Request, Request.id == IssuedDocument.request_id)
        )

    def search_condition(self, typed: str) -> Any | None:
        return issued_search.condition(typed)

    def best(self, typed: str) -> Any | None:
        return issued_search.by_number(typed)

    def hit(self, row: Any) -> Hit:
        return Hit(
            issuing.title_of(row),
            url_in(self, "details", issued_id=row.id),
            (row.number, row.name, register_lists.organisation_name(row)),
            formatters.state_badge(_worth(row).state),
            (row.check_code, row.number, row.request_number),
        )

    def get_list(self, *args: Any, **kwargs: Any) -> tuple[int, list[Any]]:
        """Return the page; stores the documents' validity, read in one query, in `g`."""
        count, found = super().get_list(*args, **kwargs)
        g.issued_worths = _worths(found)
        return count, found

    def prepare_export(self, rows: Sequence[Any]) -> None:
        g.issued_worths = _worths(rows)

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


def _worths(rows: Sequence[Any]) -> dict[int, Authenticity]:
    """Map the rows' ids to the current authenticity of their documents."""
    documents = db.session.scalars(
        sa.select(IssuedDocument)
        .where(IssuedDocument.id.in_([row.id for row in rows]))
        .options(joinedload(IssuedDocument.licence))
    ).all()
    return document_verification.authenticity_of_each(documents, utc_now())


def _details_url(issued_id: int) -> str:
    return url_for("office_issued.details_view", id=issued_id)
