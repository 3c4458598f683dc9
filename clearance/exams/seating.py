"""Seating: announce a sitting, fill free seats, release unconfirmed ones.

Seats change by steps of the requests (`transitions.perform`). Requests are locked before the
sitting, as in those steps, to prevent deadlocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.clock import is_daytime, kuwait_date
from clearance.core.errors import DomainError, Refusal, Refused
from clearance.core.extensions import db
from clearance.exams import notifications as exam_notices
from clearance.exams import sittings
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, ExamSeat, Request, ServiceVersion
from clearance.models.enums import SeatStatus, Status
from clearance.requests import transitions
from clearance.services import versions as service_versions

# Candidates considered beyond the free seats, as the actor may not seat some of them.
SPARE_CANDIDATES = 20


@dataclass(frozen=True)
class Seating:
    """Result of an announcement. left_out: (request number, reason) of skipped candidates."""

    seated: int
    left_out: tuple[tuple[str, str], ...] = ()


def announce_refusal(exam: Exam, now: datetime) -> Refusal | None:
    """Return why nobody can be seated in the sitting now, or None."""
    if now >= exam.held_at:
        return Refusal(_l("This exam has taken place."))
    if sittings.is_closed(exam, now):
        return Refusal(
            _l("The last day to confirm has passed, so nobody else can confirm."),
            _l("Set a later last day to confirm."),
        )
    if exam.announced_at is None:
        return None
    if exam.seats_taken >= exam.seats:
        return Refusal(_l("All seats are taken."), _l("Add seats to the exam."))
    if not waiting_count(exam):
        return Refusal(_l("No candidate with a preliminary approval is waiting."))
    return None


def announce(exam_id: int, *, actor: Actor, now: datetime) -> Seating:
    """Announce the sitting and seat waiting candidates in the order of sending; flushes.

    Called again, it fills free seats. Candidates are notified. Concurrent calls never oversell.
    Candidates seated here before wait for another sitting. Raises: NotFound, PermissionDenied,
    Refused. Source: specification section 7.
    """
    sittings.must_run(actor)
    exam = sittings.find(exam_id)
    refusal = announce_refusal(exam, now)
    if refusal is not None:
        raise Refused(refusal)
    candidates = _lock_candidates(exam, exam.seats - exam.seats_taken + SPARE_CANDIDATES)
    exam = sittings.lock(exam_id)
    if exam.announced_at is None:
        exam.announced_at = now
        db.session.flush()
        sittings.write_announcement(exam, now)
    seating = _seat(exam, candidates, actor, now)
    changes = {"seated": [None, seating.seated]}
    audit.record("exam:sitting:announced", obj=exam, actor_id=actor.id, at=now, changes=changes)
    return seating


def _seat(exam: Exam, candidates: list[Request], actor: Actor, now: datetime) -> Seating:
    seated, left_out = 0, []
    free = exam.seats - exam.seats_taken
    for req in candidates:
        if seated >= free:
            break
        try:
            transitions.perform(
                req,
                ExamAction.SEAT,
                actor=actor,
                now=now,
                version=req.version,
                data=SeatChoice(exam_id=exam.id),
            )
        except DomainError as error:
            left_out.append((req.number or "", str(error)))
        else:
            seated += 1
    db.session.refresh(exam)
    return Seating(seated, tuple(left_out))


def daily(now: datetime) -> None:
    """Send reminders, then release overdue seats; idempotent, in the daytime only."""
    if is_daytime(now):
        exam_notices.remind(now)
        close_overdue(now)


def close_overdue(now: datetime) -> int:
    """Release every seat not confirmed by the last day; flushes. Returns how many were.

    Marks every sitting whose last day has passed as final. Source: specification section 7.
    """
    overdue = sa.select(Exam.id).where(
        sa.or_(Exam.announced_at.is_not(None), Exam.seats_taken > 0),
        Exam.final_at.is_(None),
        Exam.confirm_by < kuwait_date(now),
    )
    return sum(_close(exam_id, now) for exam_id in db.session.scalars(overdue).all())


def _close(exam_id: int, now: datetime) -> int:
    offered = db.session.scalars(
        sa.select(Request)
        .join(ExamSeat, ExamSeat.request_id == Request.id)
        .where(
            ExamSeat.exam_id == exam_id,
            ExamSeat.status == SeatStatus.OFFERED,
            Request.status == ExamStatus.SEATED,
        )
        .order_by(Request.id)
        .with_for_update(of=Request)
        .execution_options(populate_existing=True)
    ).all()
    if any(service_versions.for_request(req).is_out_of_order for req in offered):
        return 0  # the sitting stays open until their seats can be released
    for req in offered:
        transitions.perform(req, ExamAction.RELEASE, actor=None, now=now, version=req.version)
    exam = sittings.lock(exam_id)
    exam.final_at = now
    changes = {"released": [None, len(offered)]}
    audit.record("exam:sitting:closed", obj=exam, actor_id=None, at=now, changes=changes)
    return len(offered)


def waiting_count(exam: Exam) -> int:
    """Return how many candidates could still be seated in the sitting."""
    waiting = _waiting(exam).with_only_columns(sa.func.count())
    return db.session.scalar(waiting.order_by(None)) or 0


def first_waiting(exam: Exam, limit: int) -> list[Request]:
    """Return the candidates who would be seated first, in the order of sending."""
    return list(db.session.scalars(_waiting(exam).limit(limit)))


def _waiting(exam: Exam) -> sa.Select[Any]:
    here_before = sa.exists().where(ExamSeat.request_id == Request.id, ExamSeat.exam_id == exam.id)
    return (
        sa.select(Request)
        .where(
            Request.status == Status.PREAPPROVED,
            Request.service_version_id.in_(_seatable_versions()),
            ~here_before,
        )
        .order_by(Request.sent_at, Request.id)
    )


def _seatable_versions() -> list[int]:
    """Return the versions of services whose flow leads from preliminary approval to a seat."""
    versions = db.session.scalars(sa.select(ServiceVersion)).all()
    flows = ((version.id, service_versions.get(version.id).steps) for version in versions)
    return [
        version_id for version_id, flow in flows if flow.step(Status.PREAPPROVED, ExamAction.SEAT)
    ]


def _lock_candidates(exam: Exam, limit: int) -> list[Request]:
    statement = _waiting(exam).limit(limit).with_for_update(of=Request)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))
