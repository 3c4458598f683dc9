"""Broker selection for a batch: search, paging and the selection across pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from clearance.core import values
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.licences import organisation_brokers
from clearance.licences import search as licence_search
from clearance.models import Broker, Licence
from clearance.requests import available_actions, batch

PAGE_SIZE = 50
TO_PAGE = "page-"


@dataclass(frozen=True)
class Candidate:
    """A licence of the organisation. refusal: why no request can be started for it now."""

    licence: Licence
    refusal: Refusal | None


@dataclass
class Choice:
    """State of the selection page. chosen: licence ids, including those on other pages.

    elsewhere: chosen ids not on this page. offered: how many of the found can be chosen.
    """

    search: str
    page: int
    pages: int
    offered: int
    shown: Sequence[Candidate]
    chosen: list[int]
    elsewhere: list[int]
    note: str = ""
    refusal: Refusal | None = None


def read(code: str) -> Choice:
    """Return the selection page after the posted search, paging or selection.

    Posted licences for which no request can be started now are dropped.
    """
    everyone = candidates(code, current_actor(), utc_now())
    typed = values.searched(request.form.get("search", ""), 100)
    condition, found = licence_search.condition(typed), everyone
    if condition is not None:
        matching = organisation_brokers.licences(current_actor()).where(condition)
        licences = set(db.session.scalars(matching))
        found = [candidate for candidate in everyone if candidate.licence in licences]
    pressed = request.form.get("do", "")
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(_page(pressed), pages - 1)
    on_page = found[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    posted = set(values.whole_numbers(request.form.getlist("licence")))
    if pressed == "none":
        posted = set()
    added = {"all": found, "these": on_page}.get(pressed, [])
    chosen, note = _chosen(everyone, posted, added)
    shown_ids = {candidate.licence.id for candidate in on_page}
    return Choice(
        search=typed,
        page=page,
        pages=pages,
        offered=sum(candidate.refusal is None for candidate in found),
        shown=on_page,
        chosen=chosen,
        elsewhere=[licence_id for licence_id in chosen if licence_id not in shown_ids],
        note=note,
    )


def candidates(code: str, actor: Actor, now: datetime) -> list[Candidate]:
    """Return every broker of the chosen organisation, by name, with any refusal.

    The number of queries is constant. Raises: NotFound for a service without batch requests.
    """
    batch.must_be_bulk(code, actor)
    brokers = organisation_brokers.licences(actor)
    licences = db.session.scalars(brokers.order_by(Broker.name_folded, Licence.id)).all()
    offers = available_actions.startable_for((row.id for row in licences), [code], actor, now)
    return [Candidate(licence, offers[code, licence.id]) for licence in licences]


def _chosen(
    everyone: Sequence[Candidate], posted: set[int], added: Sequence[Candidate]
) -> tuple[list[int], str]:
    """Return the chosen ids in list order and a note if `added` exceeded the limit."""
    possible = [candidate.licence.id for candidate in everyone if candidate.refusal is None]
    new = [candidate.licence.id for candidate in added if candidate.refusal is None]
    new = [licence_id for licence_id in new if licence_id not in posted]
    room = max(0, batch.MAX_ROWS - len(posted & set(possible)))
    note = ""
    if len(new) > room:
        note = _(
            "You can include up to %(limit)s brokers in one table, so only the first of "
            "them are selected.",
            limit=batch.MAX_ROWS,
        )
    wanted = posted | set(new[:room])
    return [licence_id for licence_id in possible if licence_id in wanted], note


def _page(pressed: str) -> int:
    """Return the requested page (from 0), by default the one that was shown."""
    typed = pressed.removeprefix(TO_PAGE)
    if not pressed.startswith(TO_PAGE):
        typed = request.form.get("page", "") if pressed else ""
    return values.whole_number(typed) or 0
