"""The input of rows: each row a small form of its columns, added and removed one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, Form
from wtforms.utils import unset_value

from clearance.core import i18n
from clearance.services import rows
from clearance.services.conditions import Values
from clearance.services.field_specs import MOST_ROWS, FieldSpec
from clearance.services.standard_fields import is_empty
from forms.base import Enclosing
from forms.wtforms_texts import TextsMeta

ADD, REMOVE = "add:", "remove:"
"""What the buttons without scripts are called, before the names of the field and of the row."""
_ASK = "ask_"  # a column may be called as an attribute of forms is
BLANK = "blank"
"""Stands for the number of a row in the template that scripts copy."""


class RowForm(Form):
    """The cells of one row. is_sending: required ones must be filled in."""

    is_sending = False
    Meta = TextsMeta


@dataclass(frozen=True)
class Cell:
    """An input of a row. when: its condition as JSON, "" for none. is_hidden: it is not true."""

    field: Field
    when: str
    is_hidden: bool


@dataclass
class Entry:
    """A row of the page. key: its number in the names of its inputs. hidden: names of columns."""

    key: str
    form: RowForm
    hidden: frozenset[str] = frozenset()

    @property
    def values(self) -> dict[str, Any]:
        """The typed value of each column; None for nothing, or for what is no such value."""
        return {field.short_name: _good(field) for field in self.form}


class RowsField(Enclosing):
    """Rows as a tuple of mappings, None for none. A hidden input of its name is posted with it.

    spec: of the rows. lang: of labels. make: returns the input of a column.
    """

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        spec: FieldSpec,
        lang: str,
        make: Callable[[FieldSpec, str], Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.spec = spec
        cells = {f"{_ASK}{column.name}": make(column, lang) for column in spec.columns}
        self._form_class: type[RowForm] = type("ServiceRowForm", (RowForm,), cells)
        self._entries: list[Entry] = []

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Take the posted rows, in the order of their numbers, or else the saved ones."""
        self.process_errors = []
        self.object_data = None if data is unset_value else data
        if formdata is None or self.name not in formdata:
            self._entries = [
                self._entry(str(place), None, row)
                for place, row in enumerate(self.object_data or ())
            ]
            return
        shape = re.compile(re.escape(self.name) + r"-([0-9]{1,4})-")
        keys = sorted({int(found[1]) for name in formdata if (found := shape.match(name))})
        if len(keys) > MOST_ROWS:
            self.process_errors = [
                _l("The maximum number of rows is %(number)s.", number=MOST_ROWS)
            ]
        self._entries = [self._entry(str(key), formdata) for key in keys[:MOST_ROWS]]

    @property
    def data(self) -> rows.Rows:
        """The rows in which something is filled in; a cell with an error is empty."""
        return rows.filled(entry.values for entry in self._entries)

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Check each cell; of rows that are to be sent those filled in must be complete."""
        for entry in self._entries:
            is_filled = rows.filled([entry.values]) is not None
            entry.form.is_sending = form.is_sending and is_filled
            entry.form.validate()
        self.errors = [*self.process_errors, *(text for _id, text in self.faults)]
        if not self.errors:
            self._run_validation_chain(form, chain(self.validators, extra_validators))
        return not self.errors

    def follow(self, around: Values) -> None:
        """Hide what a condition hides, without its errors. around: as of `rows.counted`."""
        told = {text for _id, text in self.faults}
        for entry in self._entries:
            shown = rows.shown(self.spec.columns, entry.values, around)
            entry.hidden = frozenset(entry.values) - set(shown)
            is_empty_row = rows.filled([shown]) is None
            for field in entry.form:
                is_not_asked = is_empty_row and is_empty(field.data) and not field.process_errors
                if field.short_name in entry.hidden or is_not_asked:
                    field.errors = []
        left = {text for _id, text in self.faults}
        self.errors = [text for text in self.errors if text in left or text not in told]

    def press(self, button: str) -> bool:
        """Add or remove a row if `button` is one of this field; return whether it is."""
        if button == ADD + self.name:
            self._add()
            return True
        key = button.removeprefix(f"{REMOVE}{self.name}-")
        self._entries = [entry for entry in self._entries if entry.key != key]
        return key != button

    @property
    def faults(self) -> list[tuple[str, str]]:
        """The id of each cell with an error, and the error with its place."""
        lang = i18n.language()
        return [
            (
                field.id,
                str(rows.fault_at(rows.named(self.spec, number, lang), field.label.text, fault)),
            )
            for number, entry in enumerate(self._entries, 1)
            for field in entry.form
            for fault in field.errors
        ]

    @property
    def most(self) -> int:
        """How many rows there can be."""
        return self.spec.most or MOST_ROWS

    @property
    def called(self) -> str:
        """What a row is called, in the page's language, with a place for its number."""
        return rows.named(self.spec, 0, i18n.language()).removesuffix("0").strip()

    @property
    def entries(self) -> list[Entry]:
        """The rows of the page, at least one."""
        if not self._entries:
            self._add()
        return self._entries

    @property
    def blank(self) -> Entry:
        """The row that scripts add; its number is `BLANK`."""
        return self._entry(BLANK)

    def cells(self, entry: Entry) -> Iterator[Cell]:
        """Yield the inputs of a row."""
        for column in self.spec.columns:
            when = "" if column.when is None else column.when.as_json
            yield Cell(entry.form[f"{_ASK}{column.name}"], when, column.name in entry.hidden)

    def _add(self) -> None:
        key = max((int(entry.key) for entry in self._entries), default=-1) + 1
        if len(self._entries) < self.most:
            self._entries.append(self._entry(str(key)))

    def _entry(self, key: str, formdata: Any = None, row: Mapping[str, Any] | None = None) -> Entry:
        data = {f"{_ASK}{name}": value for name, value in (row or {}).items()}
        return Entry(key, self._form_class(formdata, prefix=f"{self.name}-{key}-", data=data))


def _good(field: Field) -> Any:
    if field.errors or field.process_errors or field.data == "":
        return None
    return field.data
