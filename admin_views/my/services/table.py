"""Table of service checkboxes, searched and paged by form posts without JavaScript.

Ticked services that are not on the page are kept in hidden fields.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import request

from clearance.core import name_folding, request_kind, values
from clearance.services.schema import Definition

PAGE_SIZE = 10
SEARCH_MAX_LENGTH = 100
SEARCH_BUTTON = "services:search"
PAGE_BUTTON = "services:"


@dataclass(frozen=True)
class ServiceRow:
    """A service. manual_title: its English name in the users' manual, "" if that is `title_en`.

    is_subscribed: False if it is still held but can no longer be granted.
    """

    code: str
    title_ar: str
    title_en: str
    manual_title: str = ""
    is_subscribed: bool = True

    def title_in(self, lang: str) -> str:
        """Return the title in `lang` ("ar" or "en")."""
        return self.title_ar if lang == "ar" else self.title_en

    def fits(self, folded: str) -> bool:
        """Return whether any of the titles contains `folded` (folded text)."""
        titles = (self.title_ar, self.title_en, self.manual_title)
        return any(folded in name_folding.fold_name(title) for title in titles)


@dataclass(frozen=True)
class ServiceTable:
    """A page of the table. carried: ticked codes that are not on this page."""

    rows: Sequence[ServiceRow]
    carried: Sequence[str]
    chosen: Collection[str]
    search: str
    page: int
    pages: int
    is_long: bool


def rows(services: Sequence[Definition], held: Collection[str] = ()) -> list[ServiceRow]:
    """Return the services that can be granted, then those held that no longer can be."""
    offered = [
        ServiceRow(service.code, service.title.ar, service.title.en, _manual_title(service))
        for service in services
    ]
    codes = {row.code for row in offered}
    return offered + [
        ServiceRow(code, code, code, is_subscribed=False) for code in sorted(set(held) - codes)
    ]


def _manual_title(service: Definition) -> str:
    title = service.manual_title or ""
    return "" if title == service.title.en else title


def table(services: Sequence[ServiceRow], chosen: Collection[str]) -> ServiceTable:
    """Return the requested page of the table, the first by default."""
    typed = _words("services_search")
    folded = name_folding.fold_name(typed)
    fitting = [row for row in services if not folded or row.fits(folded)]
    pages = max(1, -(-len(fitting) // PAGE_SIZE))
    page = min(_asked_page(), pages - 1)
    shown = fitting[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    on_page = {row.code for row in shown}
    return ServiceTable(
        rows=shown,
        carried=[row.code for row in services if row.code in chosen and row.code not in on_page],
        chosen=frozenset(chosen),
        search=typed,
        page=page,
        pages=pages,
        is_long=len(services) > PAGE_SIZE,
    )


def is_sent() -> bool:
    """Return whether the form was submitted, not merely searched with Enter."""
    return request_kind.is_sent() and not _is_searched_by_key()


def _is_searched_by_key() -> bool:
    """Return whether the post has a new search text and no save button."""
    return "_save" not in request.form and _words("services_search") != _words("services_searched")


def _words(name: str) -> str:
    return request.form.get(name, "").strip()[:SEARCH_MAX_LENGTH]


def _asked_page() -> int:
    pressed = request.form.get("_change", "")
    if pressed == SEARCH_BUTTON or _is_searched_by_key():
        return 0
    typed = pressed.removeprefix(PAGE_BUTTON) or request.form.get("services_page", "")
    return values.whole_number(typed) or 0
