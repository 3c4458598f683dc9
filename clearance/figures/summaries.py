"""Keep the summaries: the only writer of `figure` and `figure_state`.

A day is counted anew as a whole, in one transaction, so that repeating it changes nothing. A longer
period is summed up from shorter ones with its last day, and with today.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.figures import standing
from clearance.figures.collecting import Collector
from clearance.figures.measures import Dimension, Tally
from clearance.figures.periods import SUMMED_FROM, Period, Span
from clearance.models import Base, Figure, FigureState, Request
from clearance.requests import deadlines

CATCH_UP_SECONDS = 20.0
"""How long one run of the job counts days that are over."""
SETTLED_AFTER = timedelta(hours=1)
"""How long after a day's end a transaction that began in it may still be committed."""

_TABLE = Base.metadata.tables[Figure.__tablename__]
_ONE_DAY = timedelta(days=1)


def refresh(now: datetime, *, seconds: float | None = CATCH_UP_SECONDS) -> bool:
    """Count all days that are not final yet, and the present. Commits day by day.

    seconds: after which it stops; the next run goes on. Returns whether all was counted.
    """
    deadline = time.monotonic() + (float("inf") if seconds is None else seconds)
    today, settled = kuwait_date(now), kuwait_date(now - SETTLED_AFTER)
    collector = Collector(deadlines.holidays())
    day = _first_day(collector, today)
    while day <= today:
        state = _locked()
        counted = Period(day, Span.DAY)
        _clear(counted)
        _insert(counted, collector.day(day))
        for period in (Period.of(span, day) for span in SUMMED_FROM):
            if day in (period.last, today):
                _sum_up(period)
        if day < settled:
            state.complete_through = day
        db.session.commit()
        day += _ONE_DAY
        if time.monotonic() > deadline and day <= today:
            return False
    state = _locked()
    _remove(Span.NOW, sa.true())
    _insert(Period(today, Span.NOW), standing.count(now))
    state.made_at, state.complete_through = now, settled - _ONE_DAY
    db.session.commit()
    return True


def forget() -> None:
    """Let the next `refresh` count everything anew. Flushes.

    Figures stay until their day is counted again.
    """
    _locked().complete_through = None
    db.session.flush()


def state() -> FigureState:
    """Return how far the summaries are."""
    return db.session.get_one(FigureState, 1)


def _locked() -> FigureState:
    """Return the state under a lock, which keeps a second writer waiting."""
    return db.session.get_one(FigureState, 1, with_for_update=True, populate_existing=True)


def _first_day(collector: Collector, today: date) -> date:
    """Return the first day to count, and note the holidays that are counted with. Commits.

    A holiday that was added or removed later changes the durations from its day on.
    """
    state = _locked()
    past = {day.isoformat() for day in collector.holidays if day <= today}
    changed = past.symmetric_difference(state.holidays)
    if changed and state.complete_through is not None:
        before = date.fromisoformat(min(changed)) - _ONE_DAY
        state.complete_through = min(state.complete_through, before)
    if changed:
        state.holidays = sorted(past)
    oldest = _oldest()
    first = min(oldest, today) if oldest is not None else today
    if state.complete_through is not None:
        first = max(first, state.complete_through + _ONE_DAY)
    else:
        for span in Span:
            _remove(span, _TABLE.c.start < Period.of(span, first).start)
    db.session.commit()
    return first


def _oldest() -> date | None:
    sent = db.session.scalar(sa.select(sa.func.min(Request.sent_at)))
    return None if sent is None else kuwait_date(sent)


def _clear(period: Period) -> None:
    _remove(period.span, _TABLE.c.start == period.start)


def _remove(span: Span, condition: sa.ColumnElement[bool]) -> None:
    """Remove rows of one span; the dimensions are named so that the primary key is used."""
    listed = _TABLE.c.dimension.in_(list(Dimension))
    db.session.execute(sa.delete(_TABLE).where(_TABLE.c.span == span, listed, condition))


def _insert(period: Period, tally: Tally) -> None:
    rows = [
        {
            "span": period.span,
            "start": period.start,
            "dimension": dimension,
            "key": key,
            "measure": measure,
            "value": value,
            "number": number,
        }
        for (dimension, key, measure, value), number in tally.items()
    ]
    if rows:
        db.session.execute(sa.insert(_TABLE), rows)


def _sum_up(period: Period) -> None:
    """Replace a longer period by the sum of the shorter ones in it."""
    _clear(period)
    shape = [_TABLE.c[name] for name in ("dimension", "key", "measure", "value")]
    parts = (
        sa.select(
            sa.literal(str(period.span)),
            sa.literal(period.start, sa.Date),
            *shape,
            sa.func.sum(_TABLE.c.number),
        )
        .where(
            _TABLE.c.span == SUMMED_FROM[period.span],
            _TABLE.c.dimension.in_(list(Dimension)),
            _TABLE.c.start.between(period.start, period.last),
        )
        .group_by(*shape)
    )
    names = ["span", "start", "dimension", "key", "measure", "value", "number"]
    db.session.execute(sa.insert(_TABLE).from_select(names, parts))
