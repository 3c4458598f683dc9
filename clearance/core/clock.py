"""Kuwait's clock and calendar: local dates, working days, due dates with pauses."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

KUWAIT = ZoneInfo("Asia/Kuwait")

DAYTIME = range(7, 21)  # Kuwait hours in which non-urgent messages are sent

CLOCK_TOLERANCE = timedelta(minutes=2)  # how far the clocks of two hosts may differ (rule 58)

_FRIDAY, _SATURDAY = 4, 5
_ONE_DAY = timedelta(days=1)


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def latest_past(now: datetime) -> datetime:
    """Return the latest instant accepted as past at `now`, as another host's clock may be ahead.

    Later timestamps are invalid until then. Source: security rule 58.
    """
    return now + CLOCK_TOLERANCE


def kuwait_date(instant: datetime) -> date:
    """Return the date in Kuwait at the aware `instant`. Raises: ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(KUWAIT).date()


def kuwait_midnight(day: date) -> datetime:
    """Return the aware instant at which `day` begins in Kuwait."""
    return datetime.combine(day, time(), KUWAIT)


def kuwait_today() -> date:
    """Return today's date in Kuwait."""
    return kuwait_date(utc_now())


def is_daytime(instant: datetime) -> bool:
    """Return whether non-urgent messages may be sent at `instant`."""
    return instant.astimezone(KUWAIT).hour in DAYTIME


def years_after(day: date, years: int) -> date:
    """Return the same day `years` later; 28 February for a 29th missing in that year."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def is_working_day(day: date, holidays: AbstractSet[date]) -> bool:
    """Return whether offices work on `day`: Sunday to Thursday, less `holidays`."""
    return day.weekday() not in (_FRIDAY, _SATURDAY) and day not in holidays


def add_working_days(start: date, days: int, holidays: AbstractSet[date]) -> date:
    """Return the `days`-th working day after `start`; `start` itself for 0.

    Raises: ValueError for a negative number. Source: specification section 6, due dates.
    """
    if days < 0:
        raise ValueError("working days are counted forward only")
    day, left = start, days
    while left:
        day += _ONE_DAY
        left -= is_working_day(day, holidays)
    return day


def _working_days_after(first: date, last: date, holidays: AbstractSet[date]) -> set[date]:
    span = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return {day for day in span if is_working_day(day, holidays)}


def working_days_between(first: date, last: date, holidays: AbstractSet[date]) -> int:
    """Return the number of working days after `first` through `last`; negative if it is earlier.

    So `working_days_between(a, add_working_days(a, n, h), h) == n`.
    """
    if last < first:
        return -len(_working_days_after(last, first, holidays))
    return len(_working_days_after(first, last, holidays))


def working_days_taken(
    since: datetime,
    until: datetime,
    pauses: Sequence[tuple[datetime, datetime | None]],
    holidays: AbstractSet[date],
) -> int:
    """Return the working days after the day of `since` through that of `until`, less the paused.

    pauses: as for `due_date`; one that is still open ends at `until`. A request answered on the
    last day in time has taken exactly its processing days.
    """
    worked = _working_days_after(kuwait_date(since), kuwait_date(until), holidays)
    for begun, ended in pauses:
        worked -= _working_days_after(kuwait_date(begun), kuwait_date(ended or until), holidays)
    return len(worked)


def due_date(
    sent: datetime,
    processing_days: int,
    pauses: Sequence[tuple[datetime, datetime | None]],
    holidays: AbstractSet[date],
) -> date | None:
    """Return the last working day on which a request sent at `sent` is answered in time.

    processing_days: working days promised, counted from the day after sending.
    pauses: when the request waited for the agent (from, to; None while it still does). Working days
    after the day a pause began, through the day it ended, extend the due date.
    Returns: None while a pause is open. Raises: ValueError for naive instants.
    Source: specification section 6, due dates.
    """
    paused: set[date] = set()
    for since, until in pauses:
        if until is None:
            return None
        paused |= _working_days_after(kuwait_date(since), kuwait_date(until), holidays)
    return add_working_days(kuwait_date(sent), processing_days + len(paused), holidays)
