"""Effects of the exam's steps: seats taken, confirmed, freed, and their results."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core.clock import kuwait_date
from clearance.core.conditional_writes import changed_rows
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.services.decisions import Decision
from clearance.services.effects import StepContext


class SeatChoice(Decision):
    """The sitting that the candidate is nominated for."""

    audited = ("exam_id",)

    exam_id: int


def take_seat(step: StepContext) -> None:
    """Seat the candidate; a single conditional UPDATE prevents overselling.

    Raises: Refused when the sitting is full, held, unknown or past its last day to confirm.
    """
    taken = db.session.execute(
        sa.update(Exam)
        .where(
            Exam.id == step.given.require(SeatChoice).exam_id,
            Exam.seats_taken < Exam.seats,
            Exam.held_at > step.now,
            Exam.confirm_by >= kuwait_date(step.now),
        )
        .values(seats_taken=Exam.seats_taken + 1)
        .returning(Exam.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        raise Refused(
            Refusal(_l("This exam has no seats left, or its last day to confirm has passed."))
        )
    seat = db.session.scalar(
        sa.select(ExamSeat).where(ExamSeat.exam_id == taken, ExamSeat.request_id == step.req.id)
    )
    if seat is None:
        seat = ExamSeat(exam_id=taken, request_id=step.req.id, offered_at=step.now)
        db.session.add(seat)
    seat.status, seat.offered_at = SeatStatus.OFFERED, step.now
    seat.confirmed_at = seat.reminded_at = None


def confirm_seat(step: StepContext) -> None:
    """Mark the held seat as confirmed."""
    seat = _held_seat(step.req)
    if seat is not None:
        seat.status, seat.confirmed_at = SeatStatus.CONFIRMED, step.now


def free_seat(step: StepContext) -> None:
    """Release the held seat, if any; its row stays as history."""
    seat = _held_seat(step.req)
    if seat is None:
        return
    seat.status = SeatStatus.RELEASED
    changed_rows(
        sa.update(Exam).where(Exam.id == seat.exam_id).values(seats_taken=Exam.seats_taken - 1)
    )


def note_result(step: StepContext) -> None:
    """Record the result, named by the request's new status, on the seat."""
    seat = _held_seat(step.req)
    if seat is not None:
        seat.result, seat.result_at = str(step.req.status), step.now


def _held_seat(req: Request) -> ExamSeat | None:
    return db.session.scalar(
        sa.select(ExamSeat)
        .where(ExamSeat.request_id == req.id, ExamSeat.status != SeatStatus.RELEASED)
        .order_by(ExamSeat.id.desc())
        .limit(1)
    )
