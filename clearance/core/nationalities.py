"""Nationalities, as the office keeps them: their names, and those offered for choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from flask import g, has_request_context

from clearance.core.extensions import db
from clearance.core.name_folding import fold_name
from clearance.models import Nationality

_Made = TypeVar("_Made")


class _Row(NamedTuple):
    code: str
    name_ar: str
    name_en: str
    position: int
    is_active: bool


def is_known(code: str) -> bool:
    """Return whether `code` is a nationality, offered or not."""
    return code in _rows()


def name(code: str, lang: str) -> str:
    """Return the name of a nationality in `lang` ("ar" or "en"); the code if unknown."""
    row = _rows().get(code)
    return code if row is None else _name(row, lang)


def choices(lang: str, kept: str | None = None) -> list[tuple[str, str]]:
    """Return (code, name) of those offered, in the office's order, equal places by name in `lang`.

    kept: a code that is offered in any case, as the one somebody has already.
    """
    return [
        (row.code, _name(row, lang))
        for row in _once_a_page(lang, lambda: _in_order(lang))
        if row.is_active or row.code == kept
    ]


def _name(row: _Row, lang: str) -> str:
    return row.name_ar if lang == "ar" else row.name_en


def _in_order(lang: str) -> list[_Row]:
    return sorted(_rows().values(), key=lambda row: (row.position, fold_name(_name(row, lang))))


def _rows() -> dict[str, _Row]:
    """Return all rows by code."""
    return _once_a_page("rows", _all)


def _once_a_page(key: str, make: Callable[[], _Made]) -> _Made:
    kept: dict[str, _Made] = g.setdefault("nationalities", {}) if has_request_context() else {}
    if key not in kept:
        kept[key] = make()
    return kept[key]


def _all() -> dict[str, _Row]:
    columns = (getattr(Nationality, name) for name in _Row._fields)
    return {row.code: _Row(*row) for row in db.session.execute(sa.select(*columns))}
