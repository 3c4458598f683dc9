"""Broker cards of an organisation: query parameters and paging."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from admin_views.base.access import current_actor, not_found
from admin_views.shared import licence_details
from clearance.core import values
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers, validity
from clearance.licences import search as licence_search
from clearance.models import Licence
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink

PAGE_SIZE = 24
PAGE_DIGITS = 5
SEARCH_MAX_LENGTH = 200
ANY_LINK = "any"
STATUSES: dict[str, Any] = dict(LicenceStatus.choices())
ENDS: dict[str, Any] = {ANY_LINK: _l("Whichever expires first"), **dict(ValidityLink.choices())}
"""Choices of "ends": by which link the effective validity ends within the renewal window."""
DUE = "due"
"""Choice of "show": what can be renewed now."""
_FILTERS = ("status", "ends", "show")


@dataclass(frozen=True)
class Asked:
    """Query parameters of a card list; pages are numbered from 0."""

    search: str = ""
    status: str = ""
    ends: str = ""
    show: str = ""
    page: int = 0

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or filter is active."""
        return bool(self.search or self.status or self.ends or self.show)

    def url(self, **changes: Any) -> str:
        """Return the URL of the list's first page with `changes` to the parameters."""
        asked = {name: getattr(self, name) for name in ("search", *_FILTERS)} | changes
        kept = {name: value for name, value in asked.items() if value}
        return url_for(str(request.endpoint), **(request.view_args or {}), **kept)


@dataclass(frozen=True)
class CardPage:
    """A page of cards. count: cards on all pages. url: URL of a page by number, from 0."""

    cards: Sequence[dict[str, Any]]
    count: int
    page: int
    asked: Asked

    @property
    def pages(self) -> int:
        """The number of pages."""
        return -(-self.count // PAGE_SIZE)

    @property
    def page_url(self) -> Callable[[int], str]:
        """The function from page number to URL."""
        return lambda page: self.asked.url(page=page)


def asked() -> Asked:
    """Parse the query string; an unknown choice aborts with 400, a bad number with 404."""
    args = request.args
    page = args.get("page", "0")
    if not (page.isascii() and page.isdigit() and len(page) <= PAGE_DIGITS):
        not_found()
    chosen = {name: args.get(name, "") for name in _FILTERS}
    known = {"status": STATUSES, "ends": ENDS, "show": {DUE}}
    if any(value and value not in known[name] for name, value in chosen.items()):
        abort(400)
    search = values.searched(args.get("search", ""), SEARCH_MAX_LENGTH)
    return Asked(search, **chosen, page=int(page))


def licences(
    wanted: Asked, is_first: Callable[[Sequence[int]], Collection[int]] | None = None
) -> tuple[list[Licence], int, int]:
    """Return a page of the organisation's licences by urgency, the total and the page number.

    is_first: which of the licences' ids come before the others. A page number beyond the last
    returns the last page.
    """
    statement = _narrowed(organisation_brokers.licences(current_actor()), wanted)
    ordered = statement.order_by(*organisation_brokers.by_urgency(kuwait_today()))
    ids = list(
        db.session.scalars(ordered.with_only_columns(Licence.id, maintain_column_froms=True))
    )
    if is_first is not None:
        first = is_first(ids)
        ids.sort(key=lambda licence_id: licence_id not in first)
    page = min(wanted.page, max(0, -(-len(ids) // PAGE_SIZE) - 1))
    shown = ids[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    found = db.session.scalars(statement.where(Licence.id.in_(shown)))
    return sorted(found, key=lambda licence: shown.index(licence.id)), len(ids), page


def quick_filters(wanted: Asked) -> list[dict[str, Any]]:
    """Return the filters of one click, with how many licences each shows; one query."""
    actor, today = current_actor(), kuwait_today()
    days = organisation_brokers.window_days()
    status = validity.status_column(today)
    offered: list[tuple[Any, dict[str, str], Any]] = [
        (_l("All"), {}, sa.true()),
        (
            lazy_ngettext("Expires within %(num)s day", "Expires within %(num)s days", days),
            {"ends": ANY_LINK},
            organisation_brokers.ends_by(today + timedelta(days=days)),
        ),
        *(
            (STATUSES[code], {"status": code.value}, status == code)
            for code in (LicenceStatus.EXPIRED, LicenceStatus.SUSPENDED)
        ),
    ]
    if organisation_brokers.renewal_services(actor):
        due = (_l("Can be renewed now"), {"show": DUE}, organisation_brokers.is_due(today))
        offered.insert(1, due)
    counts = [sa.func.count(sa.case((condition, 1))) for _label, _chosen, condition in offered]
    statement = organisation_brokers.licences(actor).order_by(None)
    counted = db.session.execute(
        statement.with_only_columns(*counts, maintain_column_froms=True)
    ).one()
    nothing = dict.fromkeys(_FILTERS, "")
    here = {name: getattr(wanted, name) for name in _FILTERS}
    return [
        {
            "label": label,
            "count": count,
            "url": wanted.url(**(nothing | chosen)),
            "is_here": here == nothing | chosen,
        }
        for (label, chosen, _condition), count in zip(offered, counted, strict=True)
    ]


def card(licence: Licence, lang: str, types: dict[str, str]) -> dict[str, Any]:
    """Return the data of a broker's card in `lang`. types: names of the broker types."""
    broker = licence.broker
    status = validity.status_on(licence, kuwait_today())
    names = (broker.name_ar, broker.name_en) if lang == "ar" else (broker.name_en, broker.name_ar)
    return {
        "licence": licence,
        "name": broker.name_in(lang),
        "other_name": names[1] if names[0] else "",
        "other_lang": "en" if lang == "ar" else "ar",
        "type": types.get(broker.broker_type, broker.broker_type),
        "status": status,
        "suspended_by": SuspendedBy.label_of(licence.suspended_by)
        if status == LicenceStatus.SUSPENDED
        else None,
        "link": next(
            (link for link in licence_details.validity_documents(licence) if link.is_first), None
        ),
        "url": broker_url(broker.id),
    }


def cards(found: Sequence[Licence], lang: str) -> list[dict[str, Any]]:
    """Return the cards of the licences."""
    types = licence_details.type_names()
    return [card(licence, lang, types) for licence in found]


def _narrowed(statement: sa.Select[Licence], wanted: Asked) -> sa.Select[Licence]:
    condition = licence_search.condition(wanted.search)
    if condition is not None:
        statement = statement.where(condition)
    today = kuwait_today()
    if wanted.show == DUE:
        statement = statement.where(organisation_brokers.is_due(today))
    if wanted.status:
        statement = statement.where(validity.status_column(today) == wanted.status)
    if wanted.ends:
        link = None if wanted.ends == ANY_LINK else ValidityLink(wanted.ends)
        last = today + timedelta(days=organisation_brokers.window_days())
        statement = statement.where(organisation_brokers.ends_by(last, link))
    return statement
