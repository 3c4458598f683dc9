"""Notices about a sitting besides those of request steps: changes and reminders."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from clearance import notifications
from clearance.core import urls
from clearance.core.clock import KUWAIT, kuwait_date
from clearance.core.conditional_writes import changed_rows
from clearance.core.extensions import db
from clearance.exams import facts
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.requests import notice_values

REMINDER_DAYS = 2  # before the last day to confirm
HELD = (SeatStatus.OFFERED, SeatStatus.CONFIRMED)


def tell_seated(exam: Exam, now: datetime) -> int:
    """Notify all seated candidates of a changed sitting; flushes. Returns how many."""
    seated = db.session.scalars(
        sa.select(Request)
        .join(ExamSeat, ExamSeat.request_id == Request.id)
        .where(ExamSeat.exam_id == exam.id, ExamSeat.status.in_(HELD))
        .order_by(Request.id)
    ).all()
    for req in seated:
        _tell("exam:changed", exam, req, now)
    return len(seated)


def remind(now: datetime) -> int:
    """Remind unconfirmed candidates, once, shortly before the last day; flushes.

    Nobody is reminded on the day of the offer or after the last day. Returns how many were.
    Source: specification section 10.
    """
    today = kuwait_date(now)
    rows = db.session.execute(
        sa.select(ExamSeat.id, Exam, Request)
        .join(Exam, Exam.id == ExamSeat.exam_id)
        .join(Request, Request.id == ExamSeat.request_id)
        .where(
            ExamSeat.status == SeatStatus.OFFERED,
            ExamSeat.reminded_at.is_(None),
            ExamSeat.offered_at < _start_of(today),
            Exam.confirm_by.between(today, today + timedelta(days=REMINDER_DAYS)),
            Exam.held_at > now,
        )
        .order_by(ExamSeat.id)
    ).all()
    reminded = 0
    for seat_id, exam, req in rows:
        if _claim_reminder(seat_id, now):
            _tell("exam:reminder", exam, req, now)
            reminded += 1
    return reminded


def _claim_reminder(seat_id: int, now: datetime) -> bool:
    due = (ExamSeat.reminded_at.is_(None), ExamSeat.status == SeatStatus.OFFERED)
    reminding = sa.update(ExamSeat).where(ExamSeat.id == seat_id, *due).values(reminded_at=now)
    return changed_rows(reminding) == 1


def _tell(event: str, exam: Exam, req: Request, now: datetime) -> None:
    notifications.notify_members(
        event,
        organisation_id=req.organisation_id,
        service_code=req.service_code,
        params=notice_values.about(req) | facts.notice_values(req, exam),
        now=now,
        request_id=req.id,
        url=urls.request_url(req.id),
        person=notice_values.person(req, f"{event}:candidate"),
    )


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), KUWAIT)
