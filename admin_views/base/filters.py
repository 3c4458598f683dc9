"""List filters with an ASCII name in the URL and an SQL condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import has_request_context
from flask_admin.model.filters import BaseFilter

YEARS = range(1900, 2200)

Choices = Iterable[tuple[str, Any]]


class ListFilter(BaseFilter):
    """A filter of a list.

    key: its ASCII name in the URL (`flt0_<key>`). label: lazily translated. condition: function
    from the cleaned value to an SQL condition. choices: (value, label) pairs, or a function called
    for every page.
    """

    data_type: str | None = None

    def __init__(
        self,
        key: str,
        label: Any,
        condition: Callable[[Any], sa.ColumnElement[bool]],
        choices: Choices | Callable[[], Choices] | None = None,
    ) -> None:
        super().__init__(label)
        self.key = key
        self.key_name = key
        self.condition = condition
        self._choices = choices

    def get_options(self, view: Any) -> list[tuple[str, Any]]:
        """Return the choices for the select; none outside a request."""
        if self._choices is None or not has_request_context():
            return []
        choices = self._choices() if callable(self._choices) else self._choices
        return [(value, label) for value, label in choices]

    def validate(self, value: str) -> bool:
        if self._choices is not None:
            return value in {option for option, _label in self.get_options(None)}
        return len(value) <= 200 and bool(super().validate(value))

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        return query.where(self.condition(value))

    def operation(self) -> str:
        return ""


class DateFilter(ListFilter):
    """A filter by a date in ISO format."""

    data_type = "datepicker"

    def __init__(
        self, key: str, label: Any, condition: Callable[[Any], sa.ColumnElement[bool]]
    ) -> None:
        super().__init__(key, label, condition)
        self.data_type = "datepicker"

    def clean(self, value: str) -> date:
        day = date.fromisoformat(value)
        if day.year not in YEARS:
            raise ValueError("a day that no clock of ours can tell")
        return day
