"""Forms of the batch grid: one per row, and one whose values fill whole columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from clearance.services.schema import Definition, FieldSpec
from clearance.services.standard_fields import Group, is_empty
from forms.request_form import WIDTHS, RequestForm, request_form

ALL = "all"
PERSONAL = frozenset({Group.PERSON, Group.IDENTITY})
"""Groups whose values are personal, so they are never the same for all rows."""


@dataclass(frozen=True)
class Column:
    """A field as a column of the grid. fills: whether one value may be used for all rows."""

    name: str
    label: str
    hint: str
    required: bool
    fills: bool
    kind: str
    width: str | None


def columns(definition: Definition, lang: str) -> list[Column]:
    """Return the grid's columns, in the order of the form."""
    return [
        Column(
            name=spec.name,
            label=spec.title(lang),
            hint=spec.hint_in(lang),
            required=spec.required,
            fills=_fills(spec),
            kind=str(spec.kind),
            width=WIDTHS.get(spec.kind),
        )
        for spec in definition.asked
    ]


def row_form(
    definition: Definition,
    request_id: int,
    open_fields: Collection[str],
    lang: str,
    saved: dict[str, Any],
) -> RequestForm:
    """Return the form of one row, bound to a post; names are prefixed with the request's id."""
    return request_form(definition, open_fields, lang, saved, prefix=f"{request_id}-")


def column_form(definition: Definition, lang: str) -> RequestForm:
    """Return the form of the top row: optional inputs for the columns that `fills` allows."""
    names = [spec.name for spec in definition.asked if _fills(spec)]
    form = request_form(definition, names, lang, {}, prefix=f"{ALL}-")
    for field in form.asked.values():
        field.flags.required = False
    return form


def copy_to_column(rows: Iterable[RequestForm], column: RequestForm) -> list[str]:
    """Copy the valid values of the top row into all rows; return the names of their columns.

    Validate the rows afterwards.
    """
    given = {
        name: field
        for name, field in column.asked.items()
        if not field.errors and not is_empty(field.data)
    }
    for form in rows:
        for name, source in given.items():
            field = form.asked.get(name)
            if field is not None:
                field.data, field.raw_data = source.data, source.raw_data
                field.process_errors = []
    return list(given)


def _fills(spec: FieldSpec) -> bool:
    return spec.group not in PERSONAL
