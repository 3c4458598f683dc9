"""Which entries `--keep` leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clearance.backups.keeping import Keep

NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "7h", "12m7d", "-1d", "7d4w12m1y"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="7d4w12m"):
        Keep.parse(text)


def test_the_newest_of_each_day_week_and_month_is_kept() -> None:
    nightly = [NOW - timedelta(days=days) for days in range(500)]
    superfluous = Keep.parse("7d4w12m").superfluous(nightly)
    kept = sorted(set(nightly) - superfluous)
    assert kept[-7:] == sorted(nightly[:7])
    # One of the weeks and one of the months is kept for a day already.
    assert len(kept) == 7 + 3 + 11
    assert Keep.parse("3m").superfluous(nightly) == set(nightly) - {
        NOW,
        datetime(2026, 10, 31, 2, tzinfo=UTC),
        datetime(2026, 9, 30, 2, tzinfo=UTC),
    }


def test_of_one_day_the_newest_is_kept() -> None:
    morning, noon = NOW, NOW + timedelta(hours=10)
    assert Keep.parse("7d").superfluous([morning, noon]) == {morning}


def test_a_standstill_costs_no_entry_and_the_newest_is_never_superfluous() -> None:
    old = [NOW - timedelta(days=1000 + days) for days in range(7)]
    assert Keep.parse("7d").superfluous(old) == set()
    assert Keep.parse("1w").superfluous([NOW]) == set()
