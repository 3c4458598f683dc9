"""Nationalities, as the office keeps them: their names, and those offered for choice."""

from __future__ import annotations

import sqlalchemy as sa
from flask import g, has_request_context

from clearance.core.extensions import db
from clearance.core.name_folding import fold_name
from clearance.models import Nationality


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
    offered = [row for row in _rows().values() if row.is_active or row.code == kept]
    offered.sort(key=lambda row: (row.position, fold_name(_name(row, lang))))
    return [(row.code, _name(row, lang)) for row in offered]


def _name(row: Nationality, lang: str) -> str:
    return row.name_ar if lang == "ar" else row.name_en


def _rows() -> dict[str, Nationality]:
    """Return all rows by code; one query a page."""
    if not has_request_context():
        return _all()
    if "nationalities" not in g:
        g.nationalities = _all()
    found: dict[str, Nationality] = g.nationalities
    return found


def _all() -> dict[str, Nationality]:
    return {row.code: row for row in db.session.scalars(sa.select(Nationality))}
