"""Columns of lists: all that the page, its sorting and its export know of one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from operator import attrgetter
from types import FunctionType
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup, escape

from clearance.web.sheets import Kind

# In rem, as in clearance.css; "" is the least that a name can be read in.
_ROOM = {
    "": 8.0,
    "count": 5.5,
    "number": 6.4,
    "date": 6.4,
    "short": 6.4,
    "marked": 7.4,
    "code": 8.4,
    "state": 8.6,
    "moment": 9.4,
    "until": 11.0,
}
_DESK = 62.0
"""What a list can have beside the menu at 1280 px."""


@dataclass(frozen=True)
class Column:
    """A column of a list.

    name: of the value in the list's rows. label: the heading. shown: formats the value for the
    page. value: makes the value of the row, if it is not selected. cell: makes the cell of the row
    instead of `shown`. text: makes the export's text of the row; by default the export has the
    value. sql: selects the value, or a function that returns what selects it in the page's
    language; by default the model's attribute of that name. order: the NOT NULL SQL column to sort
    by; True for the value's own. reads: the values of the row that `text` or `value` depends on,
    all of them, so that an export makes equal ones once. kind: of the export's values, where the
    SQL type does not say it. is_listed, is_exported: whether the page and the export have the
    column, until somebody chooses columns of their own. width: how much room the column takes in a
    list (".col-…" in clearance.css); "" for what the others leave. is_choosable: whether readers
    may choose it; False where only exports can show its value.
    """

    name: str
    label: Any
    shown: Callable[[Any], Any] | None = None
    _: KW_ONLY
    value: Callable[[Any], Any] | None = None
    cell: Callable[[Any], Any] | None = None
    text: Callable[[Any], Any] | None = None
    sql: Any = None
    order: Any = None
    reads: Sequence[str] = ()
    kind: Kind | None = None
    is_listed: bool = True
    is_exported: bool = True
    width: str = ""
    is_choosable: bool = True

    @cached_property
    def cell_of(self) -> Callable[[Any], Any]:
        """The function that makes a row's cell; chosen once, as lists call it for every row."""
        shown, name = self.shown, self.name
        if shown is not None and self.value is None:
            return lambda row: shown(getattr(row, name))
        if shown is not None:
            return lambda row: shown(self.value_of(row))
        return self.cell or self.text or self.value or attrgetter(name)

    def value_of(self, row: Any) -> Any:
        """Return the value in a row of the list."""
        return self.value(row) if self.value is not None else getattr(row, self.name)

    def selected(self, model: type[Any]) -> Any | None:
        """Return the SQL expression of the value; None if cells make it of other columns."""
        if self.sql is not None:
            sql = self.sql() if isinstance(self.sql, FunctionType) else self.sql
            return sql.label(self.name)
        known = sa.inspect(model).column_attrs
        return getattr(model, self.name) if self.name in known else None

    def ordering(self, model: type[Any]) -> Any:
        """Return the SQL column to sort by; None if the list cannot be sorted by this column."""
        return getattr(model, self.name) if self.order is True else self.order


def are_wide(columns: Sequence[Column]) -> bool:
    """Return whether the columns need more room than a desk has, so that the list scrolls."""
    return sum(_ROOM[column.width] for column in columns) > _DESK


def cells_of(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[Markup]:
    """Yield the cells of each row as HTML.

    Made here and not by a template, which would take a third of a list's time for it.
    """
    parts = [(f'<td data-label="{escape(column.label)}">', column.cell_of) for column in columns]
    for row in rows:
        cells = (f"{start}{_written(cell_of(row))}</td>" for start, cell_of in parts)
        yield Markup("".join(cells))  # noqa: S704 - escaped parts


def _written(value: Any) -> str:
    if isinstance(value, Markup):  # most are; `escape` would copy it
        return value
    return "" if value is None else escape(value)
