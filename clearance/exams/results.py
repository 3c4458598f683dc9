"""Exam results: check, record once per candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, Refusal, Refused
from clearance.core.extensions import db
from clearance.exams import guards as exam_guards
from clearance.exams import sittings
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.files import tables
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.requests import transitions


class Result(StrEnum):
    """Result of a confirmed candidate."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


RESULT_LABELS: dict[str, Any] = {result: ExamStatus(result).label for result in Result}

_ACTIONS = {
    Result.PASSED: ExamAction.PASS,
    Result.FAILED: ExamAction.FAIL,
    Result.ABSENT: ExamAction.ABSENT,
}


@dataclass(frozen=True)
class Fault:
    """Why a result cannot be recorded.

    row, column: of the file (rows from 1, columns from 0), or None; who: request number, or "".
    """

    row: int | None
    who: str
    message: str
    column: int | None = None

    @property
    def place(self) -> str:
        """Return where in the file, in the reader's language; "" for none."""
        return tables.cell_name(self.row, self.column) if self.row else ""


class BadResults(DomainError):
    """Some results cannot be recorded, so none was."""

    message = _l("Nothing was recorded. Correct the rows below and try again.")

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


def results_refusal(exam: Exam, now: datetime) -> Refusal | None:
    """Return why results cannot be recorded now, or None."""
    return exam_guards.NOT_HELD if now < exam.held_at else None


def check(
    exam: Exam,
    results: Mapping[int, Result],
    *,
    actor: Actor,
    now: datetime,
    rows: Mapping[int, int] | None = None,
) -> list[Fault]:
    """Return what prevents recording `results` (seat id → result) now.

    Reads only. rows: seat id → row of the file. Raises: PermissionDenied, Refused (too early).
    """
    _must_be_open(exam, actor, now)
    seats = _seats(exam.id, results)
    rows = rows or {}
    found = [
        Fault(rows.get(seat_id), "", _("No candidate of this exam has this seat."))
        for seat_id in results.keys() - seats.keys()
    ]
    for seat_id, (seat, req) in seats.items():
        message = _seat_fault(seat, req, actor)
        if message:
            found.append(Fault(rows.get(seat_id), req.number or "", str(message)))
    return found


def record(exam_id: int, results: Mapping[int, Result], *, actor: Actor, now: datetime) -> int:
    """Record `results` (seat id → result) as steps of the requests; flushes.

    All or nothing, once per candidate, never on the actor's own request. Notifies the candidates.
    Returns how many. Raises: NotFound, PermissionDenied, Refused (too early, nothing chosen),
    BadResults; after an error the caller rolls back. Source: specification section 7.
    """
    exam = sittings.find(exam_id)
    if not results:
        raise Refused(Refusal(_l("Choose at least one result first.")))
    found = check(exam, results, actor=actor, now=now)
    if not found:
        found = _record_each(_seats(exam_id, results), results, actor, now)
    if found:
        raise BadResults(found)
    counted = {result.value: list(results.values()).count(result) for result in Result}
    changes = {name: [None, count] for name, count in counted.items() if count}
    audit.record("exam:results:recorded", obj=exam, actor_id=actor.id, at=now, changes=changes)
    return len(results)


def _record_each(
    seats: Mapping[int, tuple[ExamSeat, Request]],
    results: Mapping[int, Result],
    actor: Actor,
    now: datetime,
) -> list[Fault]:
    found = []
    # In id order, so that concurrent calls cannot deadlock.
    for seat, req in sorted(seats.values(), key=lambda pair: pair[1].id):
        action = _ACTIONS[results[seat.id]]
        try:
            transitions.perform(req, action, actor=actor, now=now, version=req.version)
        except DomainError as error:
            found.append(Fault(None, req.number or "", str(error)))
    return found


def _must_be_open(exam: Exam, actor: Actor, now: datetime) -> None:
    sittings.must_run(actor)
    refusal = results_refusal(exam, now)
    if refusal is not None:
        raise Refused(refusal)


def _seats(exam_id: int, seat_ids: Iterable[int]) -> dict[int, tuple[ExamSeat, Request]]:
    rows = db.session.execute(
        sa.select(ExamSeat, Request)
        .join(Request, Request.id == ExamSeat.request_id)
        .where(ExamSeat.exam_id == exam_id, ExamSeat.id.in_(list(seat_ids)))
    )
    return {seat.id: (seat, req) for seat, req in rows}


def _seat_fault(seat: ExamSeat, req: Request, actor: Actor) -> Any:
    if seat.result is not None:
        return _(
            "A result is already recorded: %(result)s.", result=str(RESULT_LABELS[seat.result])
        )
    if seat.status != SeatStatus.CONFIRMED:
        return _("This candidate did not confirm attendance.")
    refusal = permissions.can_process(actor, req)
    return refusal.text if refusal is not None else ""
