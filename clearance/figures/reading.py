"""Read the summaries: the figures of a period, of the one before, over time, and of the present."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.figures.measures import Dimension, Measure, Tally, Timing
from clearance.figures.periods import Period, Span
from clearance.models import Base, Figure, FigureState

STALE_AFTER = timedelta(minutes=30)

_FIGURE = Base.metadata.tables[Figure.__tablename__]
_STATE = Base.metadata.tables[FigureState.__tablename__]
Counted = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Sums:
    """The figures about one thing in one period. counted: measure → value → number."""

    counted: Counted

    def all(self, measure: Measure) -> int:
        """Return the number of a measure over all its values."""
        return sum(self.by(measure).values())

    def by(self, measure: Measure) -> Mapping[str, int]:
        """Return the numbers of a measure by value."""
        return self.counted.get(measure, {})

    @property
    def share_in_time(self) -> int | None:
        """Percentage, rounded, of the decisions with a due date that came by then."""
        timed = self.by(Measure.TIMED)
        total = sum(timed.values())
        return round(100 * timed.get(Timing.IN_TIME, 0) / total) if total else None

    @property
    def median(self) -> int | None:
        """Working days that half of the decisions took at most."""
        return self.days_of(50)

    @property
    def ninetieth(self) -> int | None:
        """Working days that 90 of 100 decisions took at most."""
        return self.days_of(90)

    def days_of(self, percent: int) -> int | None:
        """Return the least working days within which so many of 100 decisions were taken.

        It is a number of days that occurred, as PostgreSQL's percentile_disc; None without any.
        """
        took = sorted((int(days), number) for days, number in self.by(Measure.TOOK).items())
        total, reached = sum(number for _days, number in took), 0
        for days, number in took:
            reached += number
            if reached * 100 >= total * percent:
                return days
        return None


NOTHING = Sums({})


@dataclass(frozen=True)
class Figures:
    """What the dashboard shows of a period, over all services or of one.

    service: its code, "" for all. made_at: the time that the figures are of; None before the first
    counting. complete_through: the last day that is final. over_time: the totals of the periods
    that end with this one. about: dimension → key → figures of the period. present: the same of the
    present.
    """

    period: Period
    service: str
    made_at: datetime | None
    complete_through: date | None
    over_time: Mapping[Period, Sums]
    about: Mapping[str, Mapping[str, Sums]]
    present: Mapping[str, Mapping[str, Sums]]

    @property
    def narrowing(self) -> dict[str, str]:
        """The filter of requests that what they count has in common."""
        return {"service": self.service} if self.service else {}

    @property
    def total(self) -> Sums:
        """The figures of the period over everything."""
        return self.over_time[self.period]

    @property
    def before(self) -> Sums:
        """Those of the period before."""
        return self.over_time[self.period.previous]

    @property
    def now(self) -> Sums:
        """The figures of the present over everything."""
        return self.present.get(Dimension.ALL, {}).get("", NOTHING)

    @property
    def day(self) -> date | None:
        """The Kuwait day that the figures of the present are of."""
        return None if self.made_at is None else kuwait_date(self.made_at)

    def is_stale(self, now: datetime) -> bool:
        """Return whether the figures are older than the job should leave them."""
        return self.made_at is not None and now - self.made_at > STALE_AFTER


@dataclass(frozen=True)
class Present:
    """The figures of the present: dimension → key → figures.

    made_at: when they were counted; None before the first counting.
    """

    made_at: datetime | None
    about: Mapping[str, Mapping[str, Sums]]

    def of(self, dimension: Dimension, key: object = "") -> Sums:
        """Return the figures about one thing."""
        return self.about.get(dimension, {}).get(str(key), NOTHING)


def present() -> Present:
    """Return the figures of the present in one statement, from the summaries alone."""
    columns = [_FIGURE.c[name] for name in (*_SHAPE, "number")]
    is_read = sa.and_(_FIGURE.c.span == Span.NOW, _FIGURE.c.dimension.in_(_OVER_ALL))
    rows = db.session.execute(
        sa.select(_STATE.c.made_at, *columns).select_from(_STATE).outerjoin(_FIGURE, is_read)
    ).all()
    found: _Rows = {}
    for _made_at, *figure in rows:
        if figure[0] is not None:
            _add(found, *figure)
    return Present(rows[0].made_at, _sums(found))


def counted(tally: Tally, now: datetime) -> Present:
    """Return figures of the present that were counted just now."""
    found: _Rows = {}
    for shape, number in tally.items():
        _add(found, *shape, number)
    return Present(now, _sums(found))


def read(period: Period, service: str = "") -> Figures:
    """Return the figures of a period in two statements, from the summaries alone.

    service: of this one alone, as if it were all that there is.
    """
    state = db.session.execute(sa.select(_STATE.c.made_at, _STATE.c.complete_through)).one()
    trend = period.trend()
    rows = db.session.execute(_selected(period, trend[0].start, service))
    found: dict[tuple[str, date], _Rows] = {}
    for span, start, dimension, key, *figure in rows:
        about = _within(dimension, key) if service else (dimension, key)
        _add(found.setdefault((span, start), {}), *about, *figure)
    totals = {
        other: Sums(found.get((period.span, other.start), {}).get(Dimension.ALL, {}).get("", {}))
        for other in trend
    }
    now = next((kept for (span, _start), kept in found.items() if span == Span.NOW), {})
    return Figures(
        period=period,
        service=service,
        made_at=state.made_at,
        complete_through=state.complete_through,
        over_time=totals,
        about=_sums(found.get((period.span, period.start), {})),
        present=_sums(now),
    )


_Rows = dict[str, dict[str, dict[str, dict[str, int]]]]
"""Dimension → key → measure → value → number."""


_OVER_ALL = [dimension for dimension in Dimension if dimension != Dimension.SERVICE_REVIEWER]
_OF_SERVICE = (Dimension.STAGE, Dimension.SERVICE_REVIEWER)


def _selected(period: Period, first: date, service: str) -> sa.Select[Any]:
    """Return the query for totals since `first`, all of the period, and the present."""
    dimension, key = _FIGURE.c.dimension, _FIGURE.c.key
    is_total: sa.ColumnElement[bool] = dimension == Dimension.ALL
    is_detail: sa.ColumnElement[bool] = dimension.in_(_OVER_ALL)
    if service:
        is_total = sa.and_(dimension == Dimension.SERVICE, key == service)
        of_service = key.startswith(f"{service}.", autoescape=True)
        is_detail = sa.or_(is_total, sa.and_(dimension.in_(_OF_SERVICE), of_service))
    of_period = _FIGURE.c.span == period.span
    is_shown = sa.or_(
        sa.and_(_FIGURE.c.span == Span.NOW, is_detail),
        sa.and_(of_period, is_total, _FIGURE.c.start.between(first, period.start)),
        sa.and_(of_period, is_detail, _FIGURE.c.start == period.start),
    )
    columns = [_FIGURE.c[name] for name in ("span", "start", *_SHAPE, "number")]
    return sa.select(*columns).where(is_shown)


def _within(dimension: str, key: str) -> tuple[str, str]:
    """Return what a figure of one service is about where there is no other service."""
    if dimension == Dimension.SERVICE:
        return Dimension.ALL, ""
    if dimension == Dimension.SERVICE_REVIEWER:
        return Dimension.REVIEWER, key.rpartition(".")[2]
    return dimension, key


_SHAPE = ("dimension", "key", "measure", "value")


def _add(rows: _Rows, dimension: str, key: str, measure: str, value: str, number: int) -> None:
    keys = rows.setdefault(dimension, {})
    keys.setdefault(key, {}).setdefault(measure, {})[value] = number


def _sums(rows: _Rows) -> dict[str, dict[str, Sums]]:
    return {
        dimension: {key: Sums(counted) for key, counted in keys.items()}
        for dimension, keys in rows.items()
    }
