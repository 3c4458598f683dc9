"""Columns, filters and the base of the lists of issued documents of both areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.columns import Column
from admin_views.base.filters import ListFilter, day_filters
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import SearchedList
from admin_views.shared import issued_search, request_lists
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.issuing import verification as document_verification
from clearance.issuing.verification import Authenticity
from clearance.models import Broker, IssuedDocument, Licence, Request
from clearance.models.enums import IssuedKind, VoidReason
from clearance.web.sheets import Kind

LIVING, BY_OFFICE = "living", "office"
NUMBER = sa.func.coalesce(IssuedDocument.number, Licence.number)
_VOIDED: dict[str, Any] = {
    LIVING: _l("No"),
    **dict(VoidReason.choices()),
    BY_OFFICE: _l("Voided by the office"),
}


def _holder() -> Any:
    """Return what selects the broker's name, or the one in the request for a statement."""
    of_statement = IssuedDocument.licence_id.is_(None)
    names = request_lists.name_column(), request_lists.name_column(Broker)
    return sa.case((of_statement, names[0]), else_=names[1])


def worth(row: Any) -> Authenticity:
    """Return what a row of the list is worth now, as read with the page."""
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


class IssuedList(SearchedList, KeysetModelView):
    """Base of both lists: the documents that the reader may see, newest first."""

    default_order = ("issued_at", True)
    empty_title = _l("Nothing has been issued yet")

    def scope(self, query: Any) -> Any:
        return query.where(permissions.issued_visible_to(current_actor()))

    def also_selected(self) -> Sequence[Any]:
        return IssuedDocument.title, IssuedDocument.licence_id, IssuedDocument.request_id

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return (
            rows.outerjoin(Licence, Licence.id == IssuedDocument.licence_id)
            .outerjoin(Broker, Broker.id == Licence.broker_id)
            .outerjoin(Request, Request.id == IssuedDocument.request_id)
        )

    def search_condition(self, typed: str) -> Any | None:
        return issued_search.condition(typed)

    def best(self, typed: str) -> Any | None:
        return issued_search.by_number(typed)

    def get_list(self, *args: Any, **kwargs: Any) -> tuple[int, list[Any]]:
        """Return the page; stores the documents' validity, read in one query, in `g`."""
        count, found = super().get_list(*args, **kwargs)
        self.prepare_export(found)
        return count, found

    def prepare_export(self, rows: Sequence[Any]) -> None:
        g.issued_worths = _worths(rows)


def _worths(rows: Sequence[Any]) -> dict[int, Authenticity]:
    """Map the rows' ids to the current authenticity of their documents."""
    documents = db.session.scalars(
        sa.select(IssuedDocument)
        .where(IssuedDocument.id.in_([row.id for row in rows]))
        .options(joinedload(IssuedDocument.licence))
    ).all()
    return document_verification.authenticity_of_each(documents, utc_now())


def _state(row: Any) -> Markup:
    badge, since = formatters.state_badge(worth(row).state), worth(row).since
    if since is None:
        return badge
    return badge + formatters.under_whole(_("since %(date)s", date=i18n.format_day(since)))


CHECK_CODE = Column("check_code", _l("Document code"), formatters.isolated, is_listed=False)
HOLDER = Column("name", _l("Holder"), formatters.isolated, sql=_holder, is_listed=False)
ISSUED_AT = Column("issued_at", _l("Issued on"), formatters.date_of, order=True, width="date")
VALID_UNTIL = Column(
    "valid_until", _l("Valid until"), formatters.day, is_listed=False, width="date"
)
STATE = Column(
    "state", _l("Status"), cell=_state, text=lambda row: worth(row).state.label, width="state"
)
SINCE = Column(
    "since",
    _l("Since"),
    cell=lambda row: formatters.day(worth(row).since),
    text=lambda row: worth(row).since,
    kind=Kind.DAY,
    is_listed=False,
    width="date",
)
VOID_REASON = Column(
    "void_reason",
    _l("Reason for voiding"),
    text=lambda row: str(VoidReason.label_of(row.void_reason) or ""),
    is_listed=False,
)
FILTERS = (
    ListFilter("kind", _l("Document"), IssuedDocument.kind, IssuedKind.choices()),
    ListFilter("voided", _l("Void"), _voided, list(_VOIDED.items())),
    *day_filters(IssuedDocument.issued_at, _l("Issued from"), _l("Issued up to")),
)
