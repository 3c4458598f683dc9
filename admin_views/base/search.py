"""What a view brings to the search over its whole area: its best hits.

A view joins by a method `search_hits(typed)` that yields groups of hits. `SearchedList` gives it to
a list: the hits are rows of the list's own statement, so that nobody finds what the list would not
show them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask import url_for

from clearance.core import name_folding, values
from clearance.core.extensions import db

SHOWN = 5
COUNT_CAP = 100
_SIGNS = re.compile(r"[^0-9A-Z]")
_COUNTRY_CODE = "+965"


@dataclass(frozen=True)
class Hit:
    """One row found. notes: what tells it from others. keys: its numbers, for an exact match."""

    title: Any
    url: str
    notes: Sequence[Any] = ()
    badge: Any = ""
    keys: Sequence[str | None] = ()

    def is_exact(self, typed: str) -> bool:
        """Return whether a whole number was typed, in whatever spelling."""
        wanted = _squeezed(typed)
        known = {
            form for key in self.keys if key for form in (key, key.removeprefix(_COUNTRY_CODE))
        }
        return wanted != "" and wanted in map(_squeezed, known)


@dataclass(frozen=True)
class Group:
    """The hits of one view. count: of all, at most COUNT_CAP + 1 (meaning more).

    all_url: the list with this search; "" where there is none.
    """

    label: Any
    hits: Sequence[Hit]
    count: int
    all_url: str = ""

    def exact_first(self, typed: str) -> Group:
        """Return the group with its exact hits first."""
        ordered = sorted(self.hits, key=lambda hit: not hit.is_exact(typed))
        return Group(self.label, ordered, self.count, self.all_url)


class SearchedList:
    """Mixin of a `KeysetModelView` whose rows the area's search finds; override `hit`."""

    name: Any
    model: Any
    statement: Callable[[], sa.Select[Any]]
    search_condition: Callable[[str], Any | None]
    prepare_export: Callable[[Sequence[Any]], None]
    _order: Callable[[str | None, bool], tuple[Any, bool]]

    def hit(self, row: Any) -> Hit:
        """Return what the search shows of a row of the list."""
        raise NotImplementedError("describe a row of the list as a hit")

    def best(self, typed: str) -> Any | None:
        """Return the condition for the best hits; None to find nothing."""
        return self.search_condition(typed)

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the newest rows that match and are visible to the actor, if there are any."""
        condition = self.best(typed)
        if condition is None or isinstance(condition, sa.False_):
            return
        statement = self.statement().where(condition)
        order, descending = self._order(None, False)
        places = order if isinstance(order, tuple) else (order,)
        keys = [place.desc() if descending else place.asc() for place in places]
        rows = db.session.execute(
            statement.order_by(*keys, self.model.id.desc()).limit(COUNT_CAP + 1)
        ).all()
        if not rows:
            return
        shown = rows[:SHOWN]
        self.prepare_export(shown)
        all_url = url_in(self, "index_view", search=typed)
        yield Group(self.name, [self.hit(row) for row in shown], len(rows), all_url)


def group_of(label: Any, hits: Sequence[Hit], all_url: str = "") -> Iterator[Group]:
    """Yield the group of all the hits, if there are any."""
    if hits:
        yield Group(label, hits[:SHOWN], len(hits), all_url)


def url_in(view: Any, page: str, **values: Any) -> str:
    """Return the URL of a page of a view, also while another view answers."""
    return url_for(f"{view.endpoint}.{page}", **values)


def fits_title(typed: str, *titles: str) -> bool:
    """Return whether every word typed begins, or spells, a word of one of the titles."""
    words = _words(typed)
    return any(words and all(word.is_in(_indexed(title)) for word in words) for title in titles)


@lru_cache(maxsize=64)
def _words(typed: str) -> tuple[name_folding.TypedWord, ...]:
    return tuple(name_folding.typed_words(typed))


@lru_cache(maxsize=2_000)
def _indexed(title: str) -> str:
    return name_folding.name_index(title)


def _squeezed(text: str) -> str:
    return _SIGNS.sub("", values.ascii_digits(text).upper())
