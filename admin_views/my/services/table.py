"""The table of services with boxes to tick, searched and paged by the form itself, without script.

What is ticked on another page, or was searched away, is carried along in hidden fields.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import request

from clearance.core import name_folding
from clearance.public import form_helpers
from clearance.services.schema import Definition

PAGE_SIZE = 10
SEARCH_MAX_LENGTH = 100
SEARCH_BUTTON = "services:search"
PAGE_BUTTON = "services:"


@dataclass(frozen=True)
class ServiceRow:
    """One service. is_subscribed: whether it may be granted anew; else it is only still held."""

    code: str
    title_ar: str
    title_en: str
    is_subscribed: bool = True

    def title_in(self, lang: str) -> str:
        """Its title in `lang` ("ar" or "en")."""
        return self.title_ar if lang == "ar" else self.title_en

    def fits(self, folded: str) -> bool:
        """Whether a search for `folded` finds it, in either language."""
        return folded in name_folding.fold_name(self.title_ar) or folded in name_folding.fold_name(
            self.title_en
        )


@dataclass(frozen=True)
class ServiceTable:
    """One page of the services of a form. carried: codes ticked that are not on this page."""

    rows: Sequence[ServiceRow]
    carried: Sequence[str]
    chosen: Collection[str]
    search: str
    page: int
    pages: int
    is_long: bool


def rows(services: Sequence[Definition], held: Collection[str] = ()) -> list[ServiceRow]:
    """The services of a form: what may be granted, then what is held although it is not."""
    offered = [ServiceRow(each.code, each.title.ar, each.title.en) for each in services]
    codes = {row.code for row in offered}
    return offered + [ServiceRow(code, code, code, False) for code in sorted(set(held) - codes)]


def table(services: Sequence[ServiceRow], chosen: Collection[str]) -> ServiceTable:
    """The page of the table that the posted form asks for; the first one otherwise."""
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
    """Whether the form of the table was really sent, not only its search by the Enter key."""
    return form_helpers.is_sent() and not _is_searched_by_key()


def _is_searched_by_key() -> bool:
    """Nobody pressed the button that saves, and what stands in the search box is new."""
    return "_save" not in request.form and _words("services_search") != _words("services_searched")


def _words(name: str) -> str:
    return request.form.get(name, "").strip()[:SEARCH_MAX_LENGTH]


def _asked_page() -> int:
    pressed = request.form.get("_change", "")
    if pressed == SEARCH_BUTTON or _is_searched_by_key():
        return 0
    typed = pressed.removeprefix(PAGE_BUTTON) or request.form.get("services_page", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else 0
