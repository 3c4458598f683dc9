"""Broker cards of an organisation: query parameters and paging."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import abort, request, url_for

from admin_views.base.access import current_actor, not_found
from admin_views.shared import licence_details
from clearance.core import values
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers, validity
from clearance.licences import search as licence_search
from clearance.models import Broker, Licence
from clearance.models.enums import LicenceStatus, SuspendedBy

PAGE_SIZE = 24
SEARCH_MAX_LENGTH = 200
STATUSES: dict[str, Any] = dict(LicenceStatus.choices())


@dataclass(frozen=True)
class Asked:
    """Query parameters of a card list; pages are numbered from 0."""

    search: str = ""
    status: str = ""
    page: int = 0

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or filter is active."""
        return bool(self.search or self.status)

    def url(self, **changes: Any) -> str:
        """Return the URL of the list's first page with `changes` to the parameters."""
        asked = {"search": self.search, "status": self.status} | changes
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
    page = values.whole_number(args.get("page", "0"))
    if page is None:
        not_found()
    status = args.get("status", "")
    if status and status not in STATUSES:
        abort(400)
    search = values.searched(args.get("search", ""), SEARCH_MAX_LENGTH)
    return Asked(search, status, page)


def licences(
    wanted: Asked, is_first: Callable[[Sequence[int]], Collection[int]] | None = None
) -> tuple[list[Licence], int, int]:
    """Return a page of the organisation's licences by urgency, the total and the page number.

    is_first: which of the licences' ids come before the others. A page number beyond the last
    returns the last page.
    """
    statement = _narrowed(organisation_brokers.licences(current_actor()), wanted)
    urgency = organisation_brokers.urgency(kuwait_today())
    ordered = statement.order_by(urgency, Broker.name_folded, Licence.id)
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
    if wanted.status:
        status = validity.status_column(kuwait_today())
        statement = statement.where(status == wanted.status)
    return statement
