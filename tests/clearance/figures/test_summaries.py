"""The summaries equal what requests and events amount to, however they were counted."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.figures import reading, summaries
from clearance.figures.measures import Dimension, Measure
from clearance.figures.periods import Period, Span
from clearance.models import Event, Figure, FigureState, Holiday, Request
from tests.support.figure_year import HOLIDAYS, Year


def counted() -> Counter[Any]:
    """The rows of all periods."""
    rows = db.session.execute(
        sa.select(
            *(Figure.span, Figure.start, Figure.dimension, Figure.key),
            *(Figure.measure, Figure.value, Figure.number),
        ).where(Figure.span != Span.NOW)
    )
    return Counter({tuple(row)[:-1]: row.number for row in rows})


@pytest.fixture
def year(context: Flask) -> Year:
    made = Year(seed=15, requests=240)
    made.build()
    return made


@pytest.fixture
def weeks(context: Flask) -> Year:
    """A few weeks over a year's end."""
    made = Year(seed=8, requests=60, first=date(2025, 12, 7), days=45)
    made.build()
    return made


@pytest.mark.databases
def test_a_generated_year_is_counted_as_plain_loops_and_plain_sql_count_it(year: Year) -> None:
    assert summaries.refresh(year.after, seconds=None)
    found = counted()
    assert found == year.expected()
    totals: Counter[Any] = Counter()
    for (span, _start, dimension, _key, measure, _value), number in found.items():
        if dimension == Dimension.ALL:
            totals[span, measure] += number
    ended = Request.decided_at.is_not(None)
    closed = Request.status.in_(["withdrawn", "lapsed"])
    returned = Event.kind == "request:step:return"
    for measure, condition in {
        Measure.RECEIVED: Request.sent_at.is_not(None),
        Measure.DECIDED: ended & ~closed,
        Measure.CLOSED: ended & closed,
        Measure.RETURNED: returned,
    }.items():
        table = Event if condition is returned else Request
        number = db.session.scalar(sa.select(sa.func.count()).select_from(table).where(condition))
        assert number > 10
        assert {totals[span, measure] for span in ("day", "week", "month", "year")} == {number}


def test_median_and_ninetieth_are_those_of_the_sorted_durations(weeks: Year) -> None:
    summaries.refresh(weeks.after, seconds=None)
    period = Period(date(2026, 1, 1), Span.MONTH)
    took = sorted(
        int(value)
        for (span, start, dimension, _key, measure, value), number in weeks.expected().items()
        if (span, start, dimension, measure) == ("month", period.start, "all", "took")
        for _ in range(number)
    )
    assert len(took) > 10
    total = reading.read(period).total
    assert total.median == took[(len(took) + 1) // 2 - 1]
    assert total.ninetieth == took[-(-len(took) * 9 // 10) - 1]


@pytest.mark.databases
def test_counting_day_by_day_again_and_anew_gives_the_same(weeks: Year) -> None:
    first = min(story.sent for story in weeks.stories)
    for days in (3, 4, 30):
        summaries.refresh(first + timedelta(days=days), seconds=None)
    summaries.refresh(weeks.after, seconds=None)
    summaries.refresh(weeks.after, seconds=None)
    assert counted() == weeks.expected()
    db.session.execute(sa.update(Figure).values(number=Figure.number + 1))
    summaries.forget()
    db.session.commit()
    summaries.refresh(weeks.after, seconds=None)
    assert counted() == weeks.expected()


def test_a_run_that_is_out_of_time_is_continued_by_the_next(weeks: Year) -> None:
    runs = 0
    while not summaries.refresh(weeks.after, seconds=0.1):
        state = db.session.get_one(FigureState, 1)
        assert state.made_at is None
        assert state.complete_through is not None
        runs += 1
    assert runs > 1
    assert counted() == weeks.expected()
    assert db.session.get_one(FigureState, 1).made_at == weeks.after


def test_a_holiday_that_is_added_later_changes_the_durations_from_its_day_on(weeks: Year) -> None:
    summaries.refresh(weeks.after, seconds=None)
    late = date(2025, 12, 23)
    db.session.add(Holiday(day=late, name_ar="عطلة", name_en="Holiday"))
    db.session.commit()
    summaries.refresh(weeks.after, seconds=None)
    assert counted() == weeks.expected((*HOLIDAYS, late)) != weeks.expected()


def test_the_day_that_just_ended_is_counted_once_more(context: Flask) -> None:
    """A transaction that began before midnight may be committed after it."""
    few = Year(seed=3, requests=4, first=date(2025, 12, 7), days=45)
    few.build()
    story = min(few.stories, key=lambda each: each.sent)
    midnight = (story.sent + timedelta(hours=3)).replace(hour=0, minute=0) + timedelta(hours=21)
    number = sa.select(Request.id).where(Request.sent_at == story.sent)
    hidden = db.session.scalar(number)
    db.session.execute(
        sa.update(Request).where(Request.id == hidden).values(sent_at=story.sent.replace(year=2030))
    )
    db.session.commit()
    summaries.refresh(midnight + timedelta(minutes=5), seconds=None)
    db.session.execute(sa.update(Request).where(Request.id == hidden).values(sent_at=story.sent))
    db.session.commit()
    summaries.refresh(midnight + timedelta(minutes=10), seconds=None)
    day = Period.of(Span.DAY, (story.sent + timedelta(hours=3)).date())
    assert reading.read(day).total.all(Measure.RECEIVED) == 1


@pytest.mark.databases
def test_the_present_is_counted_as_plain_sql_counts_it(weeks: Year) -> None:
    summaries.refresh(weeks.after, seconds=None)
    present = reading.read(Period.of(Span.MONTH, weeks.after.date())).present
    rows = db.session.execute(
        sa.text(
            "SELECT service_code, stage, team_code, reviewer_id, status FROM request"
            " WHERE decided_at IS NULL"
        )
    ).all()
    waiting = [row for row in rows if row.status != "returned"]
    assert len(rows) > len(waiting) > 5
    assert present["all"][""].all(Measure.OPEN) == len(rows)
    assert present["all"][""].by(Measure.WAITING) == {"31": len(waiting)}
    assert present["all"][""].all(Measure.LATE) == len(waiting)
    for dimension, keys in {
        "service": [row.service_code for row in waiting],
        "stage": [f"{row.service_code}.{row.stage}" for row in waiting if row.stage],
        "team": [row.team_code for row in waiting if row.team_code],
        "reviewer": [str(row.reviewer_id) for row in waiting if row.reviewer_id],
    }.items():
        found = {key: sums.all(Measure.WAITING) for key, sums in present[dimension].items()}
        assert {key: number for key, number in found.items() if number} == Counter(keys)


def test_without_a_single_request_everything_is_empty(context: Flask) -> None:
    now = utc_now()
    period = Period.of(Span.MONTH, now.date())
    assert reading.read(period).made_at is None
    assert summaries.refresh(now)
    figures = reading.read(period)
    assert (figures.made_at, figures.total.counted, figures.about) == (now, {}, {})
    assert (figures.total.median, figures.total.share_in_time) == (None, None)
