"""Sittings and results for the list of exams and the office's search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from admin_views.base import formatters
from admin_views.base.columns import Column
from admin_views.base.filters import day_start
from admin_views.base.search import COUNT_CAP, SHOWN, Group, Hit, SearchedList, fits_title
from admin_views.office.exams.results import details_url
from admin_views.shared import request_lists
from clearance.core import i18n, values
from clearance.core.extensions import db
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.requests import search as request_search

_SITTINGS_READ = 500


class ExamSearch(SearchedList):
    """Mixin of the sittings' view: sittings by day or venue, results by candidate."""

    column_named: Mapping[str, Column]

    def search_condition(self, typed: str) -> Any | None:
        """Return the condition for the sittings of a day, or at a venue: of the latest some."""
        try:
            day = values.day(typed)
        except values.BadValue:
            return Exam.id.in_(_at_venue(typed)) if typed.strip() else None
        return sa.and_(Exam.held_at >= day_start(day), Exam.held_at < day_start(day, 1))

    def hit(self, row: Any) -> Hit:
        return Hit(
            i18n.format_instant(row.held_at),
            details_url(row.id),
            (i18n.in_language(row, "place"),),
            self.column_named["phase"].cell_of(row),
        )

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the sittings, and the seats of the newest requests of the candidates found."""
        yield from super().search_hits(typed)
        condition = request_search.newest_condition(typed)
        if condition is None or isinstance(condition, sa.False_):
            return
        rows = db.session.execute(_seats().where(condition).limit(COUNT_CAP + 1)).all()
        if rows:
            yield Group(_l("Exam results"), [_seat_hit(row) for row in rows[:SHOWN]], len(rows))


def _at_venue(typed: str) -> list[int]:
    latest = sa.select(Exam.id, Exam.place_ar, Exam.place_en).order_by(Exam.held_at.desc())
    rows = db.session.execute(latest.limit(_SITTINGS_READ))
    return [row.id for row in rows if fits_title(typed, row.place_ar, row.place_en)]


def _seats() -> Any:
    return (
        sa.select(
            ExamSeat.exam_id,
            ExamSeat.status,
            ExamSeat.result,
            Exam.held_at,
            Request.number,
            Request.civil_id,
            Request.mobile,
            request_lists.name_column(),
        )
        .join(Request, Request.id == ExamSeat.request_id)
        .join(Exam, Exam.id == ExamSeat.exam_id)
        .where(ExamSeat.status != SeatStatus.RELEASED)
        .order_by(Request.id.desc(), ExamSeat.id.desc())
    )


def _seat_hit(row: Any) -> Hit:
    seat = formatters.state_badge(SeatStatus(row.status))
    return Hit(
        row.name,
        details_url(row.exam_id),
        (row.number, i18n.format_instant(row.held_at)),
        formatters.status_badge(row.result) if row.result else seat,
        (row.number, row.civil_id, row.mobile),
    )
