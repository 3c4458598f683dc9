"""Exam results: read a CSV file, check, record once per candidate."""

from __future__ import annotations

import csv
import io
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
from clearance.core.values import ascii_digits, clean_text
from clearance.exams import guards as exam_guards
from clearance.exams import sittings
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus
from clearance.requests import transitions

COLUMNS = ("number", "civil_id", "result")
FILE_BYTES_MAX = 256 * 1024
FILE_ROWS_MAX = sittings.SEATS_MAX
SHOWN_MAX = 60  # characters of a cell shown in faults


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
_WORDS = {
    **{result.value: result for result in Result},
    "ناجح": Result.PASSED,
    "راسب": Result.FAILED,
    "غائب": Result.ABSENT,
}


@dataclass(frozen=True)
class Line:
    """One row of the file. row: its number in a spreadsheet; the header is 1."""

    row: int
    number: str
    civil_id: str
    result: str


@dataclass(frozen=True)
class Fault:
    """Why a result cannot be recorded. row: of the file, or None; who: request number, or ""."""

    row: int | None
    who: str
    message: str


class BadFile(DomainError):
    """The file cannot be read."""

    status_code = 400


class BadResults(DomainError):
    """Some results cannot be recorded, so none was."""

    message = _l("Nothing was recorded. Correct the rows below and try again.")

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


def results_refusal(exam: Exam, now: datetime) -> Refusal | None:
    """Return why results cannot be recorded now, or None."""
    return exam_guards.NOT_HELD if now < exam.held_at else None


def read_file(data: bytes) -> list[Line]:
    """Read a CSV file with exactly the columns number, civil_id, result.

    data: at most FILE_BYTES_MAX bytes, UTF-8. Skips empty rows; uses no database.
    Raises: BadFile. Source: security requirement 36.
    """
    if len(data) > FILE_BYTES_MAX:
        raise BadFile(_l("The file is too large. The limit is 256 KB."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(_l("The file is not UTF-8 text. Save it as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise BadFile(_l("The file is not a CSV file."))
    try:
        rows = _rows(text)
    except csv.Error:
        raise BadFile(_l("The file is not a CSV file.")) from None
    if not rows or [cell.strip() for cell in rows[0][1]] != list(COLUMNS):
        raise BadFile(
            _l("The first row must be exactly: number,civil_id,result (separated by commas).")
        )
    if len(rows) == 1:
        raise BadFile(_l("The file has no results under the header row."))
    return [_line(row, cells) for row, cells in rows[1:]]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    for row, cells in enumerate(reader, 1):
        if any(cell.strip() for cell in cells):
            rows.append((row, cells))
        if len(rows) > FILE_ROWS_MAX + 1:
            raise BadFile(
                _l("The file has too many rows. The maximum is %(most)d.", most=FILE_ROWS_MAX)
            )
    return rows


def _line(row: int, cells: Sequence[str]) -> Line:
    if len(cells) != len(COLUMNS):
        raise BadFile(
            _(
                "Row %(row)d has %(found)d columns. Each row must have 3.",
                row=row,
                found=len(cells),
            )
        )
    number, civil_id, result = (ascii_digits(clean_text(cell)) for cell in cells)
    return Line(row, number.upper(), civil_id, result.lower())


def match(exam_id: int, lines: Iterable[Line]) -> dict[int, Result]:
    """Match all lines to candidates: seat id → result.

    Raises: BadResults with every row that has no candidate in this sitting, the wrong civil number,
    an unknown result, or a repeated candidate.
    """
    seats = _seats_by_number(exam_id)
    results: dict[int, Result] = {}
    found: list[Fault] = []
    for line in lines:
        seat = seats.get(line.number)
        result = _WORDS.get(line.result)
        message = _line_fault(line, seat, result, results)
        if message:
            found.append(Fault(line.row, line.number[:SHOWN_MAX], str(message)))
        elif seat is not None and result is not None:
            results[seat.id] = result
    if found:
        raise BadResults(found)
    return results


def _line_fault(line: Line, seat: Any, result: Result | None, earlier: Mapping[int, Any]) -> Any:
    if seat is None:
        return _("No candidate of this exam has this request number.")
    if line.civil_id != seat.civil_id:
        return _(
            "The civil number is not this candidate's. If a spreadsheet shortened it, format the "
            "column as text."
        )
    if result is None:
        return _("The result must be passed, failed or absent.")
    if seat.id in earlier:
        return _("This candidate is already in an earlier row.")
    return ""


def _seats_by_number(exam_id: int) -> dict[str, Any]:
    rows = db.session.execute(
        sa.select(ExamSeat.id, Request.number, Request.civil_id)
        .join(Request, Request.id == ExamSeat.request_id)
        .where(ExamSeat.exam_id == exam_id)
    )
    return {row.number.upper(): row for row in rows}


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
