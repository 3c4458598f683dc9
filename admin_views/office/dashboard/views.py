"""The dashboard of the office, for managers: page, spreadsheet and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import gettext as _

from admin_views.base.access import current_actor, require
from admin_views.base.model_view import GuardedView
from admin_views.office.dashboard import board, tables
from admin_views.office.dashboard.tables import Table
from admin_views.shared import request_lists
from clearance.auth import rate_limits
from clearance.core import audit, i18n, values
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date, utc_now
from clearance.figures import reading
from clearance.figures.periods import CHOICES, Period, Span
from clearance.figures.reading import Figures
from clearance.services import versions
from clearance.web import csv_export, sheets, xlsx_export
from clearance.web.sheets import Head, Kind, of_rows

EARLIEST = date(2000, 1, 1)
FILES = ("xlsx", "csv")


class Dashboard(GuardedView):
    """Figures of a day, week, month or year, and of the present."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_manager

    @expose("/")
    def index(self) -> Any:
        """Show the figures of the period in the address, by default of the present month."""
        now = utc_now()
        today, figures = kuwait_date(now), _figures(now)
        period, service = figures.period, figures.service
        return self.render(
            "office/dashboard/index.html",
            figures=figures,
            age=format_timedelta(now - figures.made_at) if figures.made_at else "",
            is_stale=figures.is_stale(now),
            service=request_lists.title_of(service) if service else "",
            all_url=tables.page_url(period),
            spans=[
                (span, tables.page_url(Period.of(span, min(period.last, today)), service))
                for span in CHOICES
            ],
            earlier_url=tables.page_url(period.previous, service),
            later_url=tables.page_url(period.following, service) if period.last < today else None,
            board=board.of(figures, today),
            export_urls=[
                (kind, self.get_url(".export", export_type=kind, **tables.query(period, service)))
                for kind in FILES
            ],
        )

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """Download all tables of the page; rate-limited and recorded as exports of lists are."""
        require(export_type in FILES)
        with rate_limits.counted(("export_account", f"user:{current_actor().id}")):
            figures = _figures(utc_now())
            audit.access(f"export:{export_type}", object_type="figure", result="ok")
            found = board.all_tables(figures)
            period = figures.period
            of_service = f"{figures.service}-" if figures.service else ""
            name = f"figures-{of_service}{period.span}-{period.start.isoformat()}.{export_type}"
            if export_type == "csv":
                heads = [_("Table"), _("About"), _("Figure"), _("Number")]
                return csv_export.csv_response(name, heads, _lines(figures, found))
            about = of_rows(_("About"), [_("Figure"), _("Value")], _about(figures))
            return xlsx_export.tables_response(name, [about, *map(_sheet, found)])


def _figures(now: datetime) -> Figures:
    """Return the figures that the address asks for; of all services if it names none there is."""
    asked = request.args.get("service", "")
    is_known = any(version.definition.code == asked for version in versions.all_newest())
    return reading.read(_chosen(now), asked if is_known else "")


def _chosen(now: datetime) -> Period:
    """Return the period in the address; the present month if there is none, or none that exists."""
    today = kuwait_date(now)
    asked = request.args.get("period", "")
    span = Span(asked) if asked in CHOICES else Span.MONTH
    try:
        day = values.day(request.args.get("at", ""))
    except values.BadValue:
        day = today
    return Period.of(span, min(max(day, EARLIEST), today))


def _about(figures: Figures) -> list[tuple[str, str]]:
    """Return what a file says of its figures: period, service if of one, and their time."""
    made_at = i18n.format_instant(figures.made_at)
    about = [(_("Period"), figures.period.label), (_("Figures as of"), made_at)]
    if figures.service:
        about.insert(1, (_("Service"), request_lists.title_of(figures.service)))
    return about


def _lines(figures: Figures, found: list[Table]) -> Iterator[list[Any]]:
    """Yield table, row, heading and number of every figure."""
    for name, value in _about(figures):
        yield [_("About"), name, value, None]
    for table in found:
        for row in table.rows:
            for head, cell in zip(table.heads[1:], row.cells, strict=True):
                yield [table.title, row.name, head, cell.number]


def _sheet(table: Table) -> sheets.Table:
    """Return a table of the page as a sheet, whose numbers are numbers."""
    kinds = (Kind.TEXT, *(Kind.NUMBER for _head in table.heads[1:]))
    heads = [Head(label, kind) for label, kind in zip(table.heads, kinds, strict=True)]
    rows = [[row.name, *(cell.number for cell in row.cells)] for row in table.rows]
    return sheets.Table(table.title, heads, [list(zip(*rows, strict=True))] if rows else [])
