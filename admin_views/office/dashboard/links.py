"""Addresses of the lists that show what a figure counts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import g, url_for

from admin_views.office.requests import queues
from clearance.figures.measures import Dimension
from clearance.figures.periods import Period
from clearance.requests.timeline import kind_of
from clearance.services.flows import Action

FILTERS = {
    Dimension.SERVICE: "service",
    Dimension.STAGE: "stage",
    Dimension.TEAM: "team",
    Dimension.REVIEWER: "reviewer",
}
"""The filter of the requests by which each dimension is chosen."""


def listed(endpoint: str = "office_requests", **filters: Any) -> str:
    """Return a list's address with the filters, which are named as in it but without `flt`.

    A page has hundreds of them, so the part before the filters is built once.
    """
    known: dict[str, str] = g.setdefault("list_addresses", {})
    if endpoint not in known:
        known[endpoint] = url_for(f"{endpoint}.index_view")
    chosen = {f"flt{place}_{key}": value for place, (key, value) in enumerate(filters.items())}
    return f"{known[endpoint]}?{urlencode(chosen)}"


def received(period: Period, **filters: Any) -> str:
    """Return the address of the requests that were sent in a period."""
    days = {"sent_from": period.start.isoformat(), "sent_to": period.last.isoformat()}
    return listed(**filters, **days)


def ended(period: Period, status: str, **filters: Any) -> str:
    """Return that of the requests that got that final status in a period."""
    days = {"decided_from": period.start.isoformat(), "decided_to": period.last.isoformat()}
    return listed(status=status, **filters, **days)


def decided(period: Period, **filters: Any) -> str:
    """Return that of the requests that the office decided in a period."""
    return ended(period, queues.DECIDED, **filters)


def decided_in(period: Period, dimension: Dimension, key: str) -> str:
    """Return that of the requests that the office decided in a stage, or by a team, in a period."""
    name = {Dimension.STAGE: "decided_in", Dimension.TEAM: "decided_by"}[dimension]
    days = {"decided_from": period.start.isoformat(), "decided_to": period.last.isoformat()}
    return listed(**{name: key}, **days)


def returned(period: Period) -> str:
    """Return the address of the returns in the audit trail."""
    return listed(
        "office_audit",
        kind=kind_of(Action.RETURN),
        **{"from": period.start.isoformat(), "to": period.last.isoformat()},
    )


def reasoned(period: Period, action: str, reason: str) -> str:
    """Return that of the returns, or rejections, for a reason as figures call it."""
    days = {"from": period.start.isoformat(), "to": period.last.isoformat()}
    return listed("office_audit", reason=f"{action}.{reason}", **days)


def expiring(month: Period) -> str:
    """Return the address of the active licences that expire in a month."""
    days = {"expires_from": month.start.isoformat(), "expires_to": month.last.isoformat()}
    return listed("office_licences", status="active", **days)


def undelivered(**filters: Any) -> str:
    """Return the address of the undelivered messages."""
    return listed("office_deliveries", status="given_up", **filters)
