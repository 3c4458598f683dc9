"""Shared parts of the licence and broker lists: validity, filters and cells."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from flask import url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.model_view import matches_all_words
from admin_views.shared import licence_details
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today
from clearance.core.values import mask_civil_id
from clearance.licences import validity
from clearance.models import Broker, BrokerType, Licence, Organisation
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink

SOON_DAYS = 30
LIVING = tuple(code for code in LicenceStatus if code != LicenceStatus.CANCELLED)
UNTIL = validity.until_column()

LABELS: dict[str, Any] = {
    "number": _l("Licence number"),
    "name": _l("Broker"),
    "civil_id": _l("Civil number"),
    "passport_no": _l("Passport number"),
    "broker_type": _l("Broker type"),
    "organisation": _l("Organisation"),
    "status": _l("Status"),
    "suspended_by": _l("Suspended by"),
    "guarantee_no": _l("Bank guarantee number"),
    "guarantee_expiry": _l("Bank guarantee expiry date"),
    "civil_id_expiry": _l("Civil ID expiry date"),
    "passport_expiry": _l("Passport expiry date"),
    "issued": _l("Issued on"),
    "expires": _l("Licence expiry date"),
    "until": _l("Valid until"),
    "link": _l("Ends first"),
    "mobile": _l("Mobile number"),
}
_CODES = {"status": LicenceStatus, "suspended_by": SuspendedBy, "link": ValidityLink}
# Choices of the filter "ends": days ahead, or already past.
PAST = "past"
ENDS: dict[str, Any] = {
    "7": _l("Within 7 days"),
    "30": _l("Within 30 days"),
    "60": _l("Within 60 days"),
    PAST: _l("Already past"),
}


class RegisterList(KeysetModelView):
    """Base of both lists, readable in full by reviewers and managers."""

    can_view_details = True
    can_export = for_managers
    column_labels: ClassVar[dict[str, Any]] = LABELS
    default_order = ("id", True)

    def accessible_to(self, actor: Actor) -> bool:
        return actor.role in permissions.READING_ROLES

    def get_list_row_actions(self) -> list[Any]:
        return []  # the first column links to the details

    def scope(self, query: Any) -> Any:
        return query


# Conditions


def ends_condition(choice: str) -> sa.ColumnElement[bool]:
    """Return the condition for licences ending within `choice` of ENDS, except cancelled ones."""
    today = kuwait_today()
    if choice == PAST:
        return sa.and_(_has_a_day(date.min, today - timedelta(days=1)), today > UNTIL)
    last = today + timedelta(days=int(choice))
    return sa.and_(_has_a_day(today, last), UNTIL.between(today, last))


def _has_a_day(first: date, last: date) -> sa.ColumnElement[bool]:
    """Return the condition for an end date in the range; every date uses its own index."""
    licences = sa.select(Licence.id).where(Licence.status.in_(LIVING))
    found = [
        (
            licences
            if column.class_ is Licence
            else licences.join(Broker, Broker.id == Licence.broker_id)
        ).where(column.between(first, last))
        for column in validity.LINK_COLUMNS.values()
    ]
    return Licence.id.in_(sa.union(*found))


def count_ending(choice: str) -> sa.Select[Any]:
    """Return the query counting the active licences that end within `choice` of ENDS."""
    return (
        sa.select(sa.func.count())
        .select_from(Licence)
        .join(Broker, Broker.id == Licence.broker_id)
        .where(Licence.status == LicenceStatus.ACTIVE, ends_condition(choice))
    )


# Filters


def status_filter() -> ListFilter:
    """Return the filter by licence status."""
    return ListFilter(
        "status",
        LABELS["status"],
        lambda value: Licence.status == value,
        LicenceStatus.choices(),
    )


def suspended_filter() -> ListFilter:
    """Return the filter by the party that suspended the licence."""
    return ListFilter(
        "suspended_by",
        LABELS["suspended_by"],
        lambda value: Licence.suspended_by == value,
        SuspendedBy.choices(),
    )


def link_filter() -> ListFilter:
    """Return the filter by the validity link that ends first, without cancelled licences."""
    link = validity.link_column()
    return ListFilter(
        "link",
        LABELS["link"],
        lambda value: sa.and_(Licence.status.in_(LIVING), link == value),
        ValidityLink.choices(),
    )


def ends_filter() -> ListFilter:
    """Return the filter by the end of the effective validity."""
    return ListFilter("ends", _l("Validity ends"), ends_condition, list(ENDS.items()))


def type_filter() -> ListFilter:
    """Return the filter by broker type."""
    return ListFilter(
        "broker_type",
        LABELS["broker_type"],
        lambda value: Broker.broker_type == value,
        type_choices,
    )


def organisation_filter(column: Any) -> ListFilter:
    """Return the filter by words of the organisation's name; `column` holds its id."""

    def condition(value: str) -> sa.ColumnElement[bool]:
        matching = matches_all_words(Organisation.name_folded, value)
        if matching is None:
            return sa.true()
        return cast(sa.ColumnElement[bool], column.in_(sa.select(Organisation.id).where(matching)))

    return ListFilter("organisation", LABELS["organisation"], condition)


def type_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the broker types in the page's language."""
    return list(licence_details.type_names().items())


# Cells


def person(view: Any, context: Any, row: Any, key: str) -> Markup:
    """Format the broker as a link, with the masked civil number below."""
    url = url_for("office_brokers.details_view", id=row.broker_id)
    return Markup(
        '<a href="{}"><bdi>{}</bdi></a><small class="under"><bdi>{}</bdi></small>'
    ).format(url, row.name or "—", mask_civil_id(row.civil_id))


def organisation(view: Any, context: Any, row: Any, key: str) -> Markup:
    """Format the organisation as a link."""
    url = url_for("office_organisations.details_view", id=row.organisation_id)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(url, organisation_name(row))


def organisation_name(row: Any) -> str:
    """Return the name of the row's organisation in the page's language."""
    return str(i18n.in_language(row, "organisation") or row.organisation_en)


def broker_type(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format the broker type in the page's language."""
    return formatters.isolated(i18n.in_language(row, "type"))


def status(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format the licence status and the party that suspended it."""
    return status_cell(row)


def status_cell(row: Any) -> Any:
    """Same as `status`, for any row with `status` and `suspended_by`."""
    if row.status is None:
        return formatters.isolated("")
    badge = status_badge(row.status)
    if not row.suspended_by:
        return badge
    by = SuspendedBy(row.suspended_by).label
    return Markup('{}<small class="under">{}</small>').format(badge, by)


def until(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format the end of the effective validity and the link that ends first."""
    return until_cell(row)


def until_cell(row: Any) -> Any:
    """Same as `until`, for any row with `status` and the validity columns."""
    if row.status in (None, LicenceStatus.CANCELLED):
        return formatters.isolated("")
    today = kuwait_today()
    badge: Any = ""
    if row.until < today:
        badge = formatters.tone_badge(_l("Has ended"), "danger")
    elif row.until <= today + timedelta(days=SOON_DAYS):
        badge = formatters.tone_badge(_l("Soon"), "warning")
    return Markup('{} {}<small class="under">{}</small>').format(
        formatters.isolated(i18n.format_day(row.until)), badge, ValidityLink(row.link).label
    )


def status_badge(code: str) -> Markup:
    """Return a licence status as a badge in the page's language."""
    return formatters.state_badge(LicenceStatus(code))


def exported(row: Any, key: str) -> Any:
    """Return a cell's value for CSV."""
    if key == "organisation":
        return organisation_name(row)
    if key == "broker_type":
        return i18n.in_language(row, "type")
    value = getattr(row, key)
    return str(_CODES[key].label_of(value) or "") if key in _CODES else value


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
