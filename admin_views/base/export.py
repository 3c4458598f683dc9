"""Lists as files: who may take them along, and how their columns become those of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, cast

import sqlalchemy as sa
from flask import has_request_context
from flask_babel import LazyString

from admin_views.base.access import current_actor
from clearance.models.base import UtcDateTime
from clearance.web.sheets import Kind

REMEMBERED = 5_000

Values = Callable[[Sequence[Any]], Sequence[Any]]
"""Makes the values of a column of a part's rows."""

_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (UtcDateTime, Kind.INSTANT),
    (sa.Date, Kind.DAY),
    (sa.Integer, Kind.NUMBER),
)


class ManagersOnlyExport:
    """Descriptor for `can_export`, true for managers only (and outside requests)."""

    def __get__(self, instance: Any, owner: type[Any]) -> bool:
        return not has_request_context() or current_actor().is_manager


for_managers = cast(bool, ManagersOnlyExport())


def kind_of(sql_type: Any) -> Kind:
    """Return the kind of the values of an SQL type."""
    return next((kind for known, kind in _KINDS if isinstance(sql_type, known)), Kind.TEXT)


def selected_values(name: str) -> Values:
    """Return the values that the rows have under that name."""

    def values(rows: Sequence[Any]) -> Sequence[Any]:
        return list(map(itemgetter(rows[0]._fields.index(name)), rows))

    return values


def made_values(cell: Callable[[Any], Any], reads: Sequence[str] = ()) -> Values:
    """Return the values that `cell` makes of each row.

    reads: what it reads of the row, all of it; rows with the same are then made once.
    """
    if not reads:
        return lambda rows: list(map(cell, rows))
    known: dict[Any, Any] = {}

    def values(rows: Sequence[Any]) -> Sequence[Any]:
        read = itemgetter(*map(rows[0]._fields.index, reads))
        if len(known) > REMEMBERED:
            known.clear()
        made = []
        for row in rows:
            key = read(row)
            if key not in known:
                known[key] = _as_read(cell(row))
            made.append(known[key])
        return made

    return values


def _as_read(value: Any) -> Any:
    return str(value) if isinstance(value, LazyString) else value
