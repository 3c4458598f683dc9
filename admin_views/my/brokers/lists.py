"""Columns and filters of the list of an organisation's brokers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.columns import Column
from admin_views.base.filters import ListFilter
from admin_views.shared import register_lists
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers, validity
from clearance.models import Broker
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink

ANY_LINK = "any"
"""Choice of "ends": whichever of the four ends first."""
DUE = "due"
"""Choice of "show": what can be renewed now."""


def _name(row: Any) -> Markup:
    name = formatters.bdi(row.name or "—")
    return Markup('<a href="{}">{}</a>').format(broker_url(row.broker_id), name)


def _suspended_by(row: Any) -> str:
    is_suspended = row.status == LicenceStatus.SUSPENDED
    return str(SuspendedBy.label_of(row.suspended_by) or "") if is_suspended else ""


def _status_cell(row: Any) -> Markup:
    badge, party = formatters.state_badge(LicenceStatus(row.status)), _suspended_by(row)
    return badge + formatters.under(party) if party else badge


def _status() -> sa.ColumnElement[str]:
    return validity.status_column(kuwait_today())


COLUMNS = (
    replace(register_lists.NAME_SORTED, cell=_name),
    Column("number", _l("Licence number"), formatters.isolated, order=True, width="number"),
    register_lists.BROKER_TYPE,
    register_lists.CIVIL_ID,
    Column(
        "mobile",
        _l("Mobile number"),
        formatters.isolated,
        sql=Broker.mobile,
        is_listed=False,
        width="code",
    ),
    Column("guarantee_no", _l("Bank guarantee number"), formatters.isolated, width="moment"),
    register_lists.GUARANTEE_EXPIRY,
    register_lists.ISSUED,
    register_lists.EXPIRES,
    register_lists.CIVIL_ID_EXPIRY,
    register_lists.PASSPORT_EXPIRY,
    replace(register_lists.VALID_UNTIL, order=register_lists.UNTIL),
    register_lists.LINK,
    replace(register_lists.STATUS, cell=_status_cell, sql=_status),
    replace(register_lists.SUSPENDED_BY, text=_suspended_by, reads=("status", "suspended_by")),
)


def _ends_choices() -> list[tuple[str, Any]]:
    """Return the links by which the validity may end; none without renewals."""
    if not organisation_brokers.window_days():
        return []
    return [(ANY_LINK, _l("Whichever expires first")), *ValidityLink.choices()]


def _ends(value: str) -> sa.ColumnElement[bool]:
    link = None if value == ANY_LINK else ValidityLink(value)
    last = kuwait_today() + timedelta(days=organisation_brokers.window_days())
    return organisation_brokers.ends_by(last, link)


def _show_choices() -> list[tuple[str, Any]]:
    """Return what readers with a renewal service may pick out."""
    is_renewing = organisation_brokers.renewal_services(current_actor())
    return [(DUE, _l("Can be renewed now"))] if is_renewing else []


def _is_due() -> sa.ColumnElement[bool]:
    return organisation_brokers.is_due(kuwait_today())


FILTERS = (
    ListFilter(
        "status",
        register_lists.STATUS.label,
        lambda value: _status() == value,
        LicenceStatus.choices(),
    ),
    ListFilter("ends", _l("Expires soon"), _ends, _ends_choices),
    ListFilter(
        "show",
        _l("Renewal"),
        lambda _due: _is_due(),
        _show_choices,
    ),
    register_lists.type_filter(),
)


def quick_filters(chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Return the filters of one click, with how many licences each shows; one query.

    chosen: the filters of the page, by key.
    """
    days = organisation_brokers.window_days()
    soon = lazy_ngettext("Expires within %(num)s day", "Expires within %(num)s days", days)
    offered: list[tuple[Any, dict[str, str], Any]] = [
        (_l("All"), {}, sa.true()),
        *((label, {"show": due}, _is_due()) for due, label in _show_choices()),
        (soon, {"ends": ANY_LINK}, _ends(ANY_LINK)),
        *(
            (code.label, {"status": code.value}, _status() == code)
            for code in (LicenceStatus.EXPIRED, LicenceStatus.SUSPENDED)
        ),
    ]
    counts = [sa.func.count(sa.case((condition, 1))) for _label, _chosen, condition in offered]
    statement = organisation_brokers.licences(current_actor())
    counted = db.session.execute(
        statement.with_only_columns(*counts, maintain_column_froms=True)
    ).one()
    return [
        {
            "label": label,
            "count": count,
            "query": {f"flt0_{key}": value for key, value in query.items()},
            "is_here": chosen == query,
        }
        for (label, query, _condition), count in zip(offered, counted, strict=True)
    ]
