"""Days, weeks, months and years in Kuwait."""

from __future__ import annotations

from datetime import date

import pytest

from clearance.figures.periods import Period, Span


@pytest.mark.parametrize(
    ("span", "day", "first", "last"),
    [
        (Span.DAY, date(2025, 12, 31), date(2025, 12, 31), date(2025, 12, 31)),
        (Span.WEEK, date(2025, 12, 28), date(2025, 12, 28), date(2026, 1, 3)),  # a Sunday
        (Span.WEEK, date(2026, 1, 3), date(2025, 12, 28), date(2026, 1, 3)),  # a Saturday
        (Span.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (Span.MONTH, date(2025, 12, 15), date(2025, 12, 1), date(2025, 12, 31)),
        (Span.YEAR, date(2028, 7, 1), date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_a_period_has_its_first_and_last_day(
    span: Span, day: date, first: date, last: date
) -> None:
    period = Period.of(span, day)
    assert (period.start, period.last) == (first, last)
    assert period.following.previous == period
    assert period.previous.last.toordinal() + 1 == first.toordinal()


def test_a_trend_ends_with_its_period_and_has_no_gap() -> None:
    trend = Period.of(Span.MONTH, date(2026, 2, 10)).trend()
    assert (len(trend), trend[-1].start, trend[0].start) == (12, date(2026, 2, 1), date(2025, 3, 1))
    assert all(later == earlier.following for earlier, later in zip(trend, trend[1:], strict=False))
