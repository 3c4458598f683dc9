"""Facts about exams, for guards and notices: seats and passes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from clearance.core.clock import KUWAIT, kuwait_date
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.services.facts import Case, Facts


@dataclass(frozen=True)
class SeatFact:
    """The seat a request holds in an exam. confirm_by: Kuwait day, inclusive."""

    exam_id: int
    held_at: datetime
    confirm_by: date
    place_ar: str
    place_en: str
    status: str


def notice_values(req: Request, sitting: Exam | SeatFact) -> dict[str, Any]:
    """Return what notices say of when and where a sitting is held, and who applied for it."""
    held_at = sitting.held_at.astimezone(KUWAIT)
    office = req.organisation
    return {
        "organisation": {"ar": office.name_in("ar"), "en": office.name_in("en")},
        "date": held_at.date(),
        "time": held_at.strftime("%H:%M"),
        "place": {"ar": sitting.place_ar, "en": sitting.place_en},
        "confirm_by": sitting.confirm_by,
    }


def seat_of(case: Case) -> SeatFact | None:
    """Return the seat that the request holds, or None."""
    return case.facts.read(seats).get(case.request_id or 0)


def seats(facts: Facts) -> dict[int, SeatFact]:
    """Load the seats that the requests in question hold, by request id."""
    return load_seats(facts.subjects.request_ids)


def passed(facts: Facts) -> dict[str, date]:
    """Return the Kuwait day of the last passed exam by civil number."""
    found: dict[str, date] = {}
    for civil_id, rows in facts.history.items():
        days = [
            row.decided_at for row in rows if row.status == ExamStatus.PASSED and row.decided_at
        ]
        if days:
            found[civil_id] = kuwait_date(max(days))
    return found


def load_seats(request_ids: Collection[int]) -> dict[int, SeatFact]:
    """Return the seats that these requests hold, by request id; one query."""
    rows = db.session.execute(
        sa.select(
            ExamSeat.request_id,
            ExamSeat.exam_id,
            Exam.held_at,
            Exam.confirm_by,
            Exam.place_ar,
            Exam.place_en,
            ExamSeat.status,
        )
        .join(Exam, Exam.id == ExamSeat.exam_id)
        .where(ExamSeat.request_id.in_(request_ids), ExamSeat.status != SeatStatus.RELEASED)
        .order_by(ExamSeat.id)
    )
    return {row[0]: SeatFact(*row[1:]) for row in rows}
