"""The geometry of the charts: a scale that holds every value, and gaps where there is none."""

from __future__ import annotations

import pytest

from admin_views.office.dashboard.charts import HEIGHT, Plane, Series

LABELS = ("a", "b", "c")


@pytest.mark.parametrize("top", [0, 1, 4, 5, 99, 100, 101, 1_234_567])
def test_a_scale_has_round_steps_and_holds_the_largest_value(top: int) -> None:
    chart = Plane(LABELS, [Series("s", [0, top, 0])], is_rtl=False).columns()
    values = [tick.value for tick in chart.ticks]
    assert values[0] == 0
    assert top <= values[-1] <= max(4, top * 2.5)
    assert str(values[1]).strip("0") in {"1", "2", "5"}
    assert all(0 <= mark.y <= HEIGHT and mark.height >= 0 for mark in chart.marks)


def test_a_share_has_a_scale_of_a_hundred() -> None:
    chart = Plane(LABELS, [Series("s", [0, 3, 0])], is_rtl=False, top=100).columns()
    assert [tick.value for tick in chart.ticks] == [0, 25, 50, 75, 100]


def test_a_value_that_is_missing_leaves_a_gap_in_the_line() -> None:
    whole = Plane(LABELS, [Series("s", [1, 2, 3])], is_rtl=False).lines()
    broken = Plane(LABELS, [Series("s", [1, None, 3])], is_rtl=False).lines()
    assert (len(whole.marks), len(whole.strokes)) == (3, 2)
    assert (len(broken.marks), len(broken.strokes)) == (2, 0)


def test_a_chart_is_mirrored_for_arabic() -> None:
    series = [Series("s", [1, 2, 3], ["/1", "/2", "/3"]), Series("t", [3, 2, 1])]
    ltr, rtl = (Plane(LABELS, series, is_rtl=is_rtl).columns() for is_rtl in (False, True))
    assert [mark.x for mark in rtl.marks] == [
        pytest.approx(100 - mark.x - mark.width, abs=0.01) for mark in ltr.marks
    ]
    assert (ltr.edge, rtl.edge) == (0, 100)
    assert [mark.url for mark in ltr.marks] == ["/1", "/2", "/3", None, None, None]
