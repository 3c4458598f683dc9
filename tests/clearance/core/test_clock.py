"""Kuwait's dates, and due dates counted in its working days."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from clearance.core.clock import (
    add_working_days,
    due_date,
    is_working_day,
    kuwait_date,
    kuwait_today,
    utc_now,
    working_days_between,
)

NONE: frozenset[date] = frozenset()
SUNDAY = date(2026, 10, 4)
THURSDAY = date(2026, 10, 8)
FRIDAY = date(2026, 10, 9)
NEXT_SUNDAY = date(2026, 10, 11)


def at(day: date, hour: int = 9) -> datetime:
    """That hour of Kuwait's clock (UTC+3) as an instant."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(hours=3)


def test_a_date_changes_at_kuwaits_midnight() -> None:
    assert kuwait_date(datetime(2026, 10, 4, 20, 59, tzinfo=UTC)) == SUNDAY
    assert kuwait_date(datetime(2026, 10, 4, 21, 0, tzinfo=UTC)) == date(2026, 10, 5)


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        kuwait_date(datetime(2026, 10, 4))  # noqa: DTZ001 - the naive one is the point


@time_machine.travel(datetime(2026, 12, 31, 22, 0, tzinfo=UTC), tick=False)
def test_new_year_comes_to_kuwait_before_utc() -> None:
    assert kuwait_today() == date(2027, 1, 1)
    assert utc_now() == datetime(2026, 12, 31, 22, 0, tzinfo=UTC)


def test_offices_work_sunday_to_thursday_less_holidays() -> None:
    week = [SUNDAY + timedelta(days=n) for n in range(7)]
    assert [is_working_day(day, NONE) for day in week] == [True] * 5 + [False] * 2
    assert not is_working_day(SUNDAY, frozenset({SUNDAY}))


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (SUNDAY, 0, SUNDAY),
        (SUNDAY, 4, THURSDAY),
        (SUNDAY, 5, NEXT_SUNDAY),
        (THURSDAY, 1, NEXT_SUNDAY),
        (FRIDAY, 0, FRIDAY),
        (FRIDAY, 1, NEXT_SUNDAY),
    ],
)
def test_working_days_skip_the_weekend(start: date, days: int, expected: date) -> None:
    assert add_working_days(start, days, NONE) == expected


def test_working_days_skip_holidays() -> None:
    holidays = frozenset({date(2026, 10, 5), FRIDAY, NEXT_SUNDAY})
    assert add_working_days(SUNDAY, 4, holidays) == date(2026, 10, 12)


def test_working_days_are_not_counted_backward() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(SUNDAY, -1, NONE)


def test_counting_undoes_adding() -> None:
    holidays = frozenset({date(2026, 10, 6), date(2026, 10, 20)})
    for days in range(30):
        end = add_working_days(FRIDAY, days, holidays)
        assert working_days_between(FRIDAY, end, holidays) == days
        assert working_days_between(end, FRIDAY, holidays) == -days


def test_a_request_sent_on_friday_counts_from_sunday() -> None:
    assert due_date(at(FRIDAY), 5, [], NONE) == date(2026, 10, 15)


def test_a_request_sent_late_in_the_evening_belongs_to_kuwaits_day() -> None:
    assert due_date(at(SUNDAY, 23), 1, [], NONE) == date(2026, 10, 5)


def test_the_clock_stands_while_the_agent_has_the_request() -> None:
    pause = (at(date(2026, 10, 5)), at(date(2026, 10, 7)))
    assert due_date(at(SUNDAY), 4, [], NONE) == THURSDAY
    assert due_date(at(SUNDAY), 4, [pause], NONE) == date(2026, 10, 12)


def test_a_pause_over_the_weekend_or_within_a_day_gives_nothing_back() -> None:
    weekend = (at(THURSDAY, 15), at(date(2026, 10, 10)))
    same_day = (at(date(2026, 10, 5), 8), at(date(2026, 10, 5), 14))
    assert due_date(at(SUNDAY), 5, [weekend, same_day], NONE) == NEXT_SUNDAY


def test_days_in_two_pauses_count_once() -> None:
    first = (at(SUNDAY), at(date(2026, 10, 6)))
    second = (at(date(2026, 10, 5)), at(date(2026, 10, 7)))
    assert due_date(at(SUNDAY), 1, [first, second], NONE) == THURSDAY


def test_there_is_no_due_date_while_the_agent_still_has_the_request() -> None:
    assert due_date(at(SUNDAY), 5, [(at(FRIDAY), None)], NONE) is None
