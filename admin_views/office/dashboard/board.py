"""What the page of the dashboard shows: tiles, charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from admin_views.office.dashboard import links, tables
from admin_views.office.dashboard.charts import Chart, Plane, Series
from admin_views.office.dashboard.tables import Table
from clearance.core import i18n
from clearance.exams.statuses import ExamStatus
from clearance.figures.measures import Measure
from clearance.figures.reading import Figures
from clearance.services import registry

RESULTS = (ExamStatus.PASSED, ExamStatus.FAILED, ExamStatus.ABSENT)


@dataclass(frozen=True)
class Tile:
    """A figure of the period with that of the period before. change: in percent, or ""."""

    label: str
    number: int | None
    before: int | None
    url: str | None = None
    unit: str = ""
    change: str = ""


@dataclass(frozen=True)
class Board:
    """The parts of the page. breakdowns: wide tables. lists: those of one number a row."""

    is_over: bool
    tiles: Sequence[Tile]
    present: Table
    over_time: Table
    amounts: Chart
    durations: Chart
    in_time: Chart
    breakdowns: Sequence[Table]
    lists: Sequence[Table]
    present_lists: Sequence[Table]


def of(figures: Figures, today: date) -> Board:
    """Return the page's parts. today: the Kuwait day on which it is read."""
    is_over = figures.period.last < today
    return Board(
        is_over=is_over,
        tiles=_tiles(figures, is_over=is_over),
        present=tables.present(figures),
        over_time=tables.over_time(figures),
        amounts=_amounts(figures),
        durations=_durations(figures),
        in_time=_in_time(figures),
        breakdowns=_breakdowns(figures),
        lists=_lists(figures),
        present_lists=_present_lists(figures),
    )


def all_tables(figures: Figures) -> list[Table]:
    """Return everything that the page shows, as tables."""
    return [
        tables.over_time(figures),
        *_breakdowns(figures),
        *_lists(figures),
        tables.present(figures),
        *_present_lists(figures),
    ]


def _tiles(figures: Figures, *, is_over: bool) -> list[Tile]:
    """Return the figures of the period. is_over: they can be compared with the period before."""
    now, before, period = figures.total, figures.before, figures.period
    decided = links.decided(period, **figures.narrowing)
    counts = (
        (_("Received"), Measure.RECEIVED, links.received(period, **figures.narrowing)),
        (_("Decided"), Measure.DECIDED, decided),
        (_("Returned"), Measure.RETURNED, tables.returned_url(figures, period)),
    )
    return [
        *(
            Tile(
                label,
                now.all(measure),
                before.all(measure),
                url,
                change=_change(now.all(measure), before.all(measure)) if is_over else "",
            )
            for label, measure, url in counts
        ),
        Tile(_("Decided in time"), now.share_in_time, before.share_in_time, decided, unit="%"),
        Tile(_("Median working days"), now.median, before.median, decided),
        Tile(_("Working days for 9 in 10"), now.ninetieth, before.ninetieth, decided),
    ]


def _change(number: int, before: int) -> str:
    """Return by how many percent a number has changed; "" if that cannot be said."""
    return f"{round(100 * (number - before) / before):+d}%" if before else ""


def _plane(figures: Figures, *series: Series, top: int = 0) -> Plane:
    labels = [period.short_label for period in figures.over_time]
    return Plane(labels, series, is_rtl=i18n.language() == "ar", top=top)


def _amounts(figures: Figures) -> Chart:
    urls = [tables.page_url(period, figures.service) for period in figures.over_time]
    totals = figures.over_time.values()
    return _plane(
        figures,
        Series(_("Received"), [sums.all(Measure.RECEIVED) for sums in totals], urls),
        Series(_("Decided"), [sums.all(Measure.DECIDED) for sums in totals], urls),
    ).columns()


def _durations(figures: Figures) -> Chart:
    totals = figures.over_time.values()
    return _plane(
        figures,
        Series(_("Median"), [sums.median for sums in totals]),
        Series(_("9 in 10 within"), [sums.ninetieth for sums in totals]),
    ).lines()


def _in_time(figures: Figures) -> Chart:
    shares = [sums.share_in_time for sums in figures.over_time.values()]
    return _plane(figures, Series(_("Decided in time, %"), shares), top=100).columns()


def _breakdowns(figures: Figures) -> list[Table]:
    """Return the tables by service, reviewer, stage and team that have rows.

    Of one service there are reviewers and stages; a stage has one team.
    """
    found = [tables.reviewers(figures), tables.stages(figures)]
    if not figures.service:
        found = [tables.services(figures), *found, tables.teams(figures)]
    return [table for table in found if table.rows]


def _lists(figures: Figures) -> list[Table]:
    """Return the short tables of one number a row."""
    has_exams = set(RESULTS) <= set(registry.current().statuses) and not figures.service
    return [
        tables.outcomes(figures),
        *([tables.exam_results(figures, RESULTS)] if has_exams else []),
        *tables.reasons(figures),
    ]


def _present_lists(figures: Figures) -> list[Table]:
    if figures.service:
        return [tables.ages(figures)]
    return [tables.ages(figures), tables.expiring(figures), tables.undelivered(figures)]
