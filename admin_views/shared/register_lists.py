"""Shared parts of the licence and broker lists: validity, filters and cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask import g
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForReaders, LinkedRows
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import SearchedList
from admin_views.shared import licence_details, request_lists
from clearance.core import i18n, name_search, values
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.licences import search as licence_search
from clearance.licences import validity
from clearance.models import Broker, BrokerType, LegalEntity, Licence, Organisation
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink

SOON_DAYS = 30
LIVING = tuple(code for code in LicenceStatus if code != LicenceStatus.CANCELLED)
UNTIL = validity.until_column()

# Choices of the filter "ends": days ahead, or already past.
PAST = "past"
ENDS: dict[str, Any] = {
    "7": _l("Within 7 days"),
    "30": _l("Within 30 days"),
    "60": _l("Within 60 days"),
    PAST: _l("Already expired"),
}


class RegisterList(ForReaders, EveryRow, LinkedRows, SearchedList, KeysetModelView):
    """Base of both lists, readable in full by reviewers and managers."""

    can_export = for_managers

    def also_selected(self) -> Sequence[Any]:
        return *type_columns(), *organisation_columns()

    def search_condition(self, typed: str) -> Any | None:
        return licence_search.condition(typed)


# Conditions


def ends_condition(choice: str) -> sa.ColumnElement[bool]:
    """Return the condition for licences ending within `choice` of ENDS, except cancelled ones."""
    first, last = _days(choice, kuwait_today())
    return sa.and_(_has_a_day(first, last), UNTIL.between(first, last))


def _days(choice: str, today: date) -> tuple[date, date]:
    if choice == PAST:
        return date.min, today - timedelta(days=1)
    return today, today + timedelta(days=int(choice))


def _has_a_day(first: date, last: date) -> sa.ColumnElement[bool]:
    """Return the condition for an end date in the range; every date uses its own index.

    The status must not: SQLite would take its index four times and read all licences.
    """
    is_living = request_lists.unsorted(Licence.status).in_(LIVING)
    licences = sa.select(Licence.id).where(is_living)
    found = [
        (
            licences
            if column.class_ is Licence
            else licences.join(Broker, Broker.id == Licence.broker_id)
        ).where(column.between(first, last))
        for column in validity.LINK_COLUMNS.values()
    ]
    return Licence.id.in_(sa.union(*found))


def count_ending(choice: str, today: date, most: int) -> sa.Select[Any]:
    """Select the number of active licences that end within `choice` of ENDS.

    A number above `most` means more: of each end date no more are read, by its own index.
    """
    first, last = _days(choice, today)
    ends, found = validity.LINK_COLUMNS, []
    for link, column in ends.items():
        is_first = link == ValidityLink.LICENCE  # whose index begins with the status
        status = Licence.status if is_first else request_lists.unsorted(Licence.status)
        ending = (
            sa.select(Licence.id)
            .join(Broker, Broker.id == Licence.broker_id)
            .where(status == LicenceStatus.ACTIVE, column.between(first, last))
            .where(*(other >= first for other in ends.values() if other is not column))
            .limit(most + 1)
            .subquery()
        )
        found.append(sa.select(ending.c.id))
    return sa.select(sa.func.count()).select_from(sa.union(*found).subquery())


# Filters


def link_filter() -> ListFilter:
    """Return the filter by the validity link that ends first, without cancelled licences."""
    link = validity.link_column()
    return ListFilter(
        "link",
        LINK.label,
        lambda value: sa.and_(Licence.status.in_(LIVING), link == value),
        ValidityLink.choices(),
    )


def ends_filter() -> ListFilter:
    """Return the filter by the end of the effective validity."""
    return ListFilter("ends", _l("Valid until"), ends_condition, list(ENDS.items()))


def type_filter() -> ListFilter:
    """Return the filter by broker type."""
    return ListFilter(
        "broker_type",
        BROKER_TYPE.label,
        Broker.broker_type,
        lambda: licence_details.type_names().items(),
    )


def organisation_filter(column: Any) -> ListFilter:
    """Return the filter by words of the organisation's name; `column` holds its id."""

    def condition(value: str) -> sa.ColumnElement[bool]:
        matching = name_search.condition(Organisation, value)
        if matching is None:
            return sa.true()
        return cast(sa.ColumnElement[bool], column.in_(sa.select(Organisation.id).where(matching)))

    return ListFilter("organisation", ORGANISATION.label, condition)


class OrganisationFilter(ListFilter):
    """The filter by organisation of a list of very many rows, which reads what it will find.

    The rows of one organisation are in the order of the list in an index, those of several are
    sorted if they are FEW, and else met soon in the order of the list.
    """

    is_counted_otherwise = True
    FEW = 3_000

    def __init__(self, column: Any) -> None:
        super().__init__("organisation", ORGANISATION.label, column)

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        ids, are_few = self._found(value)
        if len(ids) == 1 or are_few:
            return self.apply_to_count(query, value)
        return query.where(_among(request_lists.unsorted(self.condition), ids))

    def apply_to_count(self, query: Any, value: Any) -> Any:
        ids, _are_few = self._found(value)
        is_one = len(ids) == 1
        return query.where(self.condition == ids[0] if is_one else _among(self.condition, ids))

    def _found(self, value: str) -> tuple[list[int], bool]:
        """Return the ids of the organisations named so, and whether they have few rows."""
        known = g.setdefault("organisations_found", {})
        if (self, value) not in known:
            known[self, value] = self._look_up(value)
        return cast(tuple[list[int], bool], known[self, value])

    def _look_up(self, value: str) -> tuple[list[int], bool]:
        matching = name_search.condition(Organisation, value)
        wanted = sa.true() if matching is None else matching
        ids = list(db.session.scalars(sa.select(Organisation.id).where(wanted)))
        if len(ids) < 2:
            return ids, True
        rows = sa.select(self.condition).where(_among(self.condition, ids))
        some = rows.limit(self.FEW + 1).subquery()
        count = db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
        return ids, count <= self.FEW


def _among(column: Any, ids: Sequence[int]) -> sa.ColumnElement[bool]:
    return name_search.among(column, name_search.written(ids))


def organisation_condition(typed: str) -> Any | None:
    """Return the condition for an organisation's licence number, or words of its name."""
    named = name_search.condition(Organisation, typed)
    compact = values.ascii_digits(typed).replace(" ", "")
    if named is None or not any(char.isdigit() for char in compact):
        return named
    numbered = sa.func.upper(Organisation.licence_no) == compact.upper()
    ways = (sa.select(Organisation.id).where(way) for way in (named, numbered))
    return Organisation.id.in_(sa.union(*ways))


# Cells


def person(row: Any) -> Markup:
    """Format the broker as a link, with the masked civil number below."""
    name = formatters.link(row.broker_id, formatters.bdi(row.name or "—"), "office_brokers")
    return name + formatters.under_whole(formatters.bdi(mask_civil_id(row.civil_id)))


def organisation(row: Any) -> Markup:
    """Format the organisation as a link."""
    name = formatters.bdi(organisation_name(row))
    return formatters.link(row.organisation_id, name, "office_organisations")


def licence(row: Any) -> Markup:
    """Format the number of the row's licence as a link."""
    return formatters.link(row.licence_id, formatters.bdi(row.number), "office_licences")


def organisation_name(row: Any) -> str:
    """Return the name of the row's organisation in the page's language."""
    return str(i18n.in_language(row, "organisation") or row.organisation_en)


def status_cell(row: Any) -> Any:
    """Format the licence status and the party that suspended it."""
    if row.status is None:
        return formatters.isolated("")
    badge = formatters.state_badge(LicenceStatus(row.status))
    if not row.suspended_by:
        return badge
    return badge + formatters.under(SuspendedBy(row.suspended_by).label)


def badge(row: Any) -> Any:
    """Return the licence status as a badge; nothing without a licence."""
    return formatters.state_badge(LicenceStatus(row.status)) if row.status else ""


def keys(row: Any) -> tuple[str | None, ...]:
    """Return the numbers by which the area's search finds the row exactly."""
    number = row.number or ""
    return (number, number.rpartition("-")[2], row.civil_id)


def until_cell(row: Any) -> Any:
    """Format the end of the effective validity and the link that ends first."""
    if row.status in (None, LicenceStatus.CANCELLED):
        return formatters.isolated("")
    today, link = kuwait_today(), formatters.under(ValidityLink(row.link).label)
    if row.until < today:
        return formatters.marked_day(row.until, _l("Expired"), "danger") + link
    if row.until <= today + timedelta(days=SOON_DAYS):
        return formatters.marked_day(row.until, _l("Soon"), "warning") + link
    return formatters.day(row.until) + link


def validity_columns() -> list[Any]:
    """Return the end of the validity and its link; for joined Licence and Broker."""
    return [UNTIL.label("until"), validity.link_column().label("link")]


def type_columns() -> list[Any]:
    """Return the broker type's names; for joined BrokerType."""
    return [BrokerType.name_ar.label("type_ar"), BrokerType.name_en.label("type_en")]


def organisation_columns() -> list[Any]:
    """Return the organisation's id and names; for joined Organisation."""
    return [
        Organisation.id.label("organisation_id"),
        Organisation.name_ar.label("organisation_ar"),
        Organisation.name_en.label("organisation_en"),
    ]


def entity_columns() -> list[Any]:
    """Return the legal entity's names; for joined LegalEntity."""
    return [LegalEntity.name_ar.label("entity_ar"), LegalEntity.name_en.label("entity_en")]


# Columns

ORGANISATION = Column(
    "organisation",
    _l("Organisation"),
    cell=organisation,
    value=organisation_name,
    reads=("organisation_ar", "organisation_en"),
)
NAME = Column("name", _l("Broker"), cell=person, sql=lambda: request_lists.name_column(Broker))
NAME_SORTED = replace(NAME, order=Broker.name_folded)
CIVIL_ID = Column(
    "civil_id",
    _l("Civil number"),
    request_lists.masked_civil_id,
    sql=Broker.civil_id,
    is_listed=False,
    width="code",
)
BROKER_TYPE = Column(
    "broker_type",
    _l("Broker type"),
    formatters.isolated,
    value=lambda row: i18n.in_language(row, "type"),
    reads=("type_ar", "type_en"),
    width="short",
)
STATUS = Column(
    "status",
    _l("Status"),
    cell=status_cell,
    text=lambda row: str(LicenceStatus.label_of(row.status) or ""),
    reads=("status",),
    sql=Licence.status,
    width="state",
)
SUSPENDED_BY = Column(
    "suspended_by",
    _l("Suspended by"),
    text=lambda row: str(SuspendedBy.label_of(row.suspended_by) or ""),
    sql=Licence.suspended_by,
    is_listed=False,
    width="state",
)
CIVIL_ID_EXPIRY = Column(
    "civil_id_expiry",
    _l("Civil ID card expiry date"),
    formatters.day,
    sql=Broker.civil_id_expiry,
    is_listed=False,
    width="date",
)
PASSPORT_EXPIRY = Column(
    "passport_expiry",
    _l("Passport expiry date"),
    formatters.day,
    sql=Broker.passport_expiry,
    is_listed=False,
    width="date",
)
ISSUED = Column("issued", _l("Issued on"), formatters.day, is_listed=False, width="date")
EXPIRES = Column("expires", _l("Licence expiry date"), formatters.day, order=True, width="date")
GUARANTEE_EXPIRY = Column(
    "guarantee_expiry",
    _l("Bank guarantee expiry date"),
    formatters.day,
    is_listed=False,
    width="date",
)
VALID_UNTIL = Column(
    "until",
    _l("Valid until"),
    cell=until_cell,
    text=lambda row: row.until if row.status is not None else "",
    sql=UNTIL,
    width="until",
)
LINK = Column(
    "link",
    _l("Expires first"),
    text=lambda row: str(ValidityLink(row.link).label) if row.status is not None else "",
    sql=validity.link_column(),
    is_listed=False,
    width="short",
)
