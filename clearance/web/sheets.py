"""Tables that leave as files: headings with the kind of their values, and the values in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

ROWS_OF_A_PART = 2_000


class Kind(Enum):
    """What the values of a column are; a value that is something else is written as text."""

    TEXT = auto()
    NUMBER = auto()
    AMOUNT = auto()
    DAY = auto()
    INSTANT = auto()


@dataclass(frozen=True)
class Head:
    """The heading of a column."""

    label: str
    kind: Kind = Kind.TEXT


Part = Sequence[Sequence[object]]
"""Some rows of a table, column by column: each column has the values of these rows."""


@dataclass(frozen=True)
class Table:
    """A table of any length. parts: read once; each has a column for every heading."""

    name: str
    heads: Sequence[Head]
    parts: Iterable[Part]


def of_rows(name: str, header: Iterable[object], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of text columns. rows: each with a value for every heading."""
    return Table(name, [Head(str(label)) for label in header], _in_columns(iter(rows)))


def _in_columns(rows: Iterator[Sequence[object]]) -> Iterator[Part]:
    while some := list(islice(rows, ROWS_OF_A_PART)):
        yield list(zip(*some, strict=True))
