"""Geometry of the dashboard's charts; templates/office/dashboard/charts.html draws them.

Lengths across are percentages, so that a chart fills any width and its text keeps its size; those
down are pixels. In Arabic time runs from right to left and the scale is at the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 200
_TOP, _BOTTOM = 16, 176
_EDGE = 6.0  # percent, for the scale
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Series:
    """One series. values: one for each label; None where there is nothing to show."""

    name: str
    values: Sequence[int | None]
    urls: Sequence[str] = ()


@dataclass(frozen=True)
class Tick:
    """A line of the scale."""

    value: int
    y: float


@dataclass(frozen=True)
class Mark:
    """A column, or a point of a line. words: what it says when it is pointed at."""

    series: int
    x: float
    y: float
    width: float
    height: float
    words: str
    url: str | None


@dataclass(frozen=True)
class Stroke:
    """A line between two points of a series."""

    series: int
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Chart:
    """A drawn chart. labels: text and place across. edge: where the scale's numbers begin."""

    names: Sequence[str]
    ticks: Sequence[Tick]
    labels: Sequence[tuple[str, float]]
    marks: Sequence[Mark]
    strokes: Sequence[Stroke]
    edge: float
    height: int = HEIGHT
    base: int = _BOTTOM


class Plane:
    """The plane that values are drawn on.

    is_rtl: the first label is at the right. top: of the scale, a multiple of four; by default a
    round number that holds every value.
    """

    def __init__(
        self, labels: Sequence[str], series: Sequence[Series], *, is_rtl: bool, top: int = 0
    ) -> None:
        self._labels, self._series, self._is_rtl = labels, series, is_rtl
        known = [value for one in series for value in one.values if value is not None]
        self._step = top // 4 or _step_for(max(known, default=0))
        self._top = self._step * 4
        self._slot = (100 - _EDGE) / max(1, len(labels))

    def columns(self) -> Chart:
        """Return the series as columns side by side."""
        width = self._slot * 0.72 / len(self._series)
        marks = []
        for place, number, one, value in self._values():
            x = _EDGE + self._slot * (place + 0.14) + width * number
            y = self._y(value)
            at = self._across(x, width)
            size = (at, y, round(width, 3), round(_BOTTOM - y, 1))
            marks.append(Mark(number, *size, self._words(one, place, value), _url(one, place)))
        return self._chart(marks, [])

    def lines(self) -> Chart:
        """Return the series as lines through points; a gap where there is no value."""
        marks, strokes = [], []
        points: dict[tuple[int, int], tuple[float, float]] = {}
        for place, number, one, value in self._values():
            at, y = self._across(self._middle(place)), self._y(value)
            points[number, place] = at, y
            words = self._words(one, place, value)
            marks.append(Mark(number, at, y, 0, 0, words, _url(one, place)))
            before = points.get((number, place - 1))
            if before is not None:
                strokes.append(Stroke(number, *before, at, y))
        return self._chart(marks, strokes)

    def _values(self) -> list[tuple[int, int, Series, int]]:
        return [
            (place, number, one, value)
            for number, one in enumerate(self._series)
            for place, value in enumerate(one.values)
            if value is not None
        ]

    def _chart(self, marks: list[Mark], strokes: list[Stroke]) -> Chart:
        ticks = [Tick(self._step * n, self._y(self._step * n)) for n in range(5)]
        places = [self._across(self._middle(place)) for place in range(len(self._labels))]
        return Chart(
            [one.name for one in self._series],
            ticks,
            list(zip(self._labels, places, strict=True)),
            marks,
            strokes,
            self._across(0),
        )

    def _middle(self, place: int) -> float:
        return _EDGE + self._slot * (place + 0.5)

    def _across(self, x: float, width: float = 0) -> float:
        return round(100 - x - width if self._is_rtl else x, 3)

    def _y(self, value: int) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * value / self._top, 1)

    def _words(self, one: Series, place: int, value: int) -> str:
        return f"{self._labels[place]} – {one.name}: {value:,}"


def _url(one: Series, place: int) -> str | None:
    return one.urls[place] if one.urls else None


def _step_for(top: int) -> int:
    """Return a round step of a scale of four steps that holds `top`."""
    factor = 1
    while True:
        for step in _STEPS:
            if step * factor * 4 >= top:
                return step * factor
        factor *= 10
