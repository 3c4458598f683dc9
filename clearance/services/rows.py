"""Values of rows: a tuple of rows, each a mapping of a column's name to its typed value.

A row in which nothing is filled in does not count; without any other the value is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.services.conditions import Values
from clearance.services.field_specs import FieldSpec
from clearance.services.standard_fields import is_empty, type_of

Row = Mapping[str, Any]
Rows = tuple[Row, ...] | None


class Table(str):
    """Rows in words, one a line.

    heads: labels of the columns that have a value. cells: the same values, row by row.
    """

    heads: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def filled(given: Iterable[Row]) -> Rows:
    """Return the rows in which something is filled in."""
    return tuple(row for row in given if not all(map(is_empty, row.values()))) or None


def counted(columns: Sequence[FieldSpec], given: Rows, around: Values) -> Rows:
    """Return the rows that count: filled in, without the cells that a condition hides.

    around: the values that count of the fields before them.
    """
    return filled(shown(columns, row, around) for row in given or ())


def shown(columns: Sequence[FieldSpec], row: Row, around: Values) -> dict[str, Any]:
    """Return the cells of a row that its conditions show; arguments as of `counted`."""
    cells: dict[str, Any] = {}
    for column in columns:
        if column.when is None or column.when.holds({**around, **cells}):
            cells[column.name] = row.get(column.name)
    return cells


def typed(spec: FieldSpec, given: Any, cell: Callable[[FieldSpec, Any], Any]) -> Rows:
    """Return stored rows with a value of its column's type, or None, in each cell.

    given: as stored, under whichever definition. cell: `answers.typed`.
    """
    stored = given if isinstance(given, list | tuple) else ()

    def read(column: FieldSpec, value: Any) -> Any:
        found = cell(column, value)
        return None if type(found) is not type_of(column.kind) or found == "" else found

    return filled(
        {column.name: read(column, row.get(column.name)) for column in spec.columns}
        for row in stored
        if isinstance(row, Mapping)
    )


def written(
    spec: FieldSpec, given: Rows, lang: str, cell: Callable[[FieldSpec, Any, str], str]
) -> Table:
    """Return the rows in words. lang: of labels. cell: `answers.written`."""
    columns = spec.columns
    texts = [[cell(each, row.get(each.name), lang) for each in columns] for row in given or ()]
    labels = [column.title(lang) for column in columns]
    lines = (_line(named(spec, number, lang), labels, row) for number, row in enumerate(texts, 1))
    used = [place for place in range(len(columns)) if any(row[place] for row in texts)]
    table = Table("\n".join(lines))
    table.heads = tuple(labels[place] for place in used)
    table.cells = tuple(tuple(row[place] for place in used) for row in texts)
    return table


def differing(before: Rows, after: Rows, texts: tuple[str, str]) -> tuple[str, str]:
    """Return the lines of `texts` (both `written`) whose rows the other of the two lacks."""
    old, new = (text.split("\n") for text in texts)
    keys = [[repr(row) for row in rows or ()] for rows in (before, after)]
    found = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    changed = [places for tag, *places in found if tag != "equal"]
    return (
        "\n".join(line for first, last, _i, _j in changed for line in old[first:last]),
        "\n".join(line for _i, _j, first, last in changed for line in new[first:last]),
    )


def named(spec: FieldSpec, number: int, lang: str) -> str:
    """Return what the row with that number (from 1) is called in `lang`."""
    return f"{spec.row.of(lang)} {number}" if spec.row else str(_("Row %(row)d", row=number))


def fault_at(row: str, column: str, fault: Any) -> Any:
    """Return the fault of a cell with its place, as a lazy text. row, column: their names."""
    return _l("%(row)s, %(column)s: %(fault)s", row=row, column=column, fault=fault)


def _line(row: str, labels: Sequence[str], texts: Sequence[str]) -> str:
    cells = [f"{label}: {text}" for label, text in zip(labels, texts, strict=True) if text]
    return str(_("%(row)s – %(cells)s", row=row, cells=str(_("; ")).join(cells)))
