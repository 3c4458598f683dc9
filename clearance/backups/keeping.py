"""Which older entries are kept: the newest of each of the last days, weeks and months."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

_WRITTEN = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)w)?(?:(\d+)m)?")


@dataclass(frozen=True)
class Keep:
    """How many days, weeks (Monday to Sunday) and months (UTC) keep an entry."""

    days: int
    weeks: int
    months: int

    @classmethod
    def parse(cls, text: str) -> Keep:
        """Read `7d4w12m` or parts of it. Raises: ValueError."""
        found = _WRITTEN.fullmatch(text)
        numbers = [int(number or 0) for number in found.groups()] if found else []
        if not any(numbers):
            raise ValueError("write for example 7d4w12m: days, weeks and months")
        return cls(*numbers)

    def superfluous(self, made: Iterable[datetime]) -> set[datetime]:
        """Return the instants whose entries are not kept; never the newest one.

        Only days, weeks and months that have an entry are counted, so that entries do not go
        because none were made for a while.
        """
        newest_first = sorted(made, reverse=True)
        kept = set(newest_first[:1])
        spans: tuple[tuple[int, Callable[[datetime], object]], ...] = (
            (self.days, datetime.date),
            (self.weeks, lambda instant: tuple(instant.isocalendar())[:2]),
            (self.months, lambda instant: (instant.year, instant.month)),
        )
        for count, span_of in spans:
            newest: dict[object, datetime] = {}
            for instant in newest_first:
                newest.setdefault(span_of(instant), instant)
            kept.update(list(newest.values())[:count])
        return set(newest_first) - kept
