"""List filters with an ASCII name in the URL and an SQL condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import FunctionType
from typing import Any

from flask import g, has_request_context
from flask_admin.model.filters import BaseFilter
from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.clock import KUWAIT
from clearance.core.i18n import day_in_words

ACTIVE = (("yes", _l("Active")), ("no", _l("Disabled")))

Choices = Iterable[tuple[str, Any]]


class ListFilter(BaseFilter):
    """A filter of a list.

    key: its ASCII name in the URL (`flt0_<key>`). label: lazily translated. condition: function
    from the cleaned value to an SQL condition, or the column that equals the value. choices:
    (value, label) pairs, or a function called for every page. is_counted_otherwise: whether
    `apply_to_count` differs from `apply`.
    """

    data_type: str | None = None
    is_counted_otherwise = False

    def __init__(
        self,
        key: str,
        label: Any,
        condition: Any,
        choices: Choices | Callable[[], Choices] | None = None,
    ) -> None:
        super().__init__(label, data_type=self.data_type)
        self.key = key
        self.key_name = key
        self.condition = condition
        self._choices = choices

    def get_options(self, view: Any) -> list[tuple[str, Any]]:
        """Return the choices for the select; none outside a request."""
        if self._choices is None or not has_request_context():
            return []
        known: dict[ListFilter, list[tuple[str, Any]]] = g.setdefault("filter_choices", {})
        if self not in known:  # the form, the chips and each reading of the URL ask for them
            known[self] = list(self._choices() if callable(self._choices) else self._choices)
        return known[self]

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to choose from, so that the page leaves it out."""
        return self._choices is not None and not self.get_options(None)

    def validate(self, value: str) -> bool:
        if self._choices is not None:
            return value in {option for option, _label in self.get_options(None)}
        return len(value) <= 200 and bool(super().validate(value))

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        if isinstance(self.condition, FunctionType):
            return query.where(self.condition(value))
        return query.where(self.condition == value)

    def apply_to_count(self, query: Any, value: Any) -> Any:
        """Apply the filter to a statement that counts rows, where no order is kept."""
        return self.apply(query, value)

    def in_words(self, value: str) -> str:
        """Return a valid `value` of the URL as people read it."""
        return str(dict(self.get_options(None)).get(value, value))

    def operation(self) -> str:
        return ""


class DateFilter(ListFilter):
    """A filter by a date, as `values.day` takes it."""

    data_type = "datepicker"

    def clean(self, value: str) -> date:
        return values.day(value)

    def in_words(self, value: str) -> str:
        return day_in_words(self.clean(value))


def yes_filter(key: str, label: Any, column: Any, choices: Choices = ACTIVE) -> ListFilter:
    """Return a filter by a truth value. choices: of "yes" and "no"."""
    return ListFilter(key, label, lambda value: column.is_(value == "yes"), choices)


def day_filters(column: Any, first: Any, last: Any, prefix: str = "") -> list[DateFilter]:
    """Return the filters by Kuwait days from and to, inclusive.

    column: of instants. first, last: the labels. prefix: of their names in the URL.
    """
    return [
        DateFilter(f"{prefix}from", first, lambda day: column >= day_start(day)),
        DateFilter(f"{prefix}to", last, lambda day: column < day_start(day, 1)),
    ]


def day_start(day: date, days_later: int = 0) -> datetime:
    """Return the instant at which the Kuwait day `day` plus `days_later` begins."""
    return datetime.combine(day + timedelta(days=days_later), time(), KUWAIT)


@dataclass(frozen=True)
class OfferedFilter:
    """A filter as the list's page offers it.

    value: what it is set to, or "". without: the list's arguments without it. view: the list's.
    """

    flt: ListFilter
    value: str
    without: Any
    view: Any

    @property
    def argument(self) -> str:
        """Its name in the list's address."""
        return f"flt{len(self.without.filters or ())}_{self.flt.key}"

    @property
    def words(self) -> str:
        """What it is set to, as people read it."""
        return self.flt.in_words(self.value)

    @property
    def choices(self) -> list[tuple[str, Any, str]]:
        """Its (value, label, address of the list with it); none for one that is typed."""
        return [
            (str(value), label, self._url(**{self.argument: value}))
            for value, label in self.flt.get_options(self.view)
        ]

    @property
    def remove_url(self) -> str:
        """The address of the list without it."""
        return self._url()

    @property
    def open_url(self) -> str:
        """The address of the list with its choices."""
        set_now = {self.argument: self.value} if self.value else {}
        return self._url(**set_now, open=self.flt.key, _anchor="panel")

    @property
    def kept(self) -> dict[str, Any]:
        """The arguments that its form keeps."""
        query: dict[str, Any] = self.view.list_query(self.without)
        return query

    def _url(self, **further: Any) -> str:
        return str(self.view.list_url(self.without, **further))
