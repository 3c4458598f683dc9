"""Exam requests of the demo world, in every state: one sitting held, one to come."""

from __future__ import annotations

from itertools import chain, cycle, repeat

import sqlalchemy as sa

from clearance import exam_results, exam_seating, exams, workflow
from clearance.demo.names import candidate
from clearance.demo.stage import Stage
from clearance.exam_results import Result
from clearance.extensions import db
from clearance.models import Exam, ExamSeat, Request
from clearance.procedures.flows import Action
from clearance.workflow import RemarkInput

SERVICE = "exam"
HELD = -125  # days from today
ADDRESS_REMARK = "يرجى كتابة العنوان كاملاً مع رقم القطعة والمنزل."
PHOTO_REMARK = "الصورة غير واضحة، يرجى تحميل صورة حديثة بخلفية بيضاء."
_AGENTS = ("general", "additional", "general", "receiver", "general", "general", "receiver")
_PASSED = 8
_OTHER_RESULTS = (Result.FAILED, Result.ABSENT)


def past(stage: Stage) -> list[Request]:
    """Play the sitting that was held; returns those who passed, by the time of sending."""
    count = _PASSED + len(_OTHER_RESULTS) + 1
    agents = [name for name, _place in zip(cycle(_AGENTS), range(count), strict=False)]
    ready = [_preapproved(stage, name, HELD - 40 + place) for place, name in enumerate(agents)]
    exam = _exam(stage, HELD, seats=count, confirm_by=HELD - 5, made=HELD - 25)
    _announce(stage, exam, HELD - 24)
    confirmed = list(zip(ready, agents, strict=True))[:-1]
    for req, name in confirmed:
        stage.do(req, Action.CONFIRM, name, HELD - 15)
    exam_seating.close_overdue(stage.at(HELD - 3))
    results = chain(repeat(Result.PASSED, _PASSED), _OTHER_RESULTS)
    given = {req.id: result for (req, _name), result in zip(confirmed, results, strict=True)}
    _record(stage, exam, given)
    return [req for req, _name in confirmed[:_PASSED]]


def present(stage: Stage) -> None:
    """Play the sitting to come, and what waits in the office or was never sent."""
    _ended_without_exam(stage)
    agents = ("general", "additional", "receiver", "general")
    ready = [_preapproved(stage, name, -22 + place) for place, name in enumerate(agents)]
    exam = _exam(stage, 16, seats=5, confirm_by=9, made=-8)
    _announce(stage, exam, -7)
    stage.do(ready[1], Action.CONFIRM, "additional", -6)
    stage.do(ready[2], Action.CONFIRM, "receiver", -5)
    for name in ("general", "receiver"):
        _preapproved(stage, name, -6)
    _in_the_office(stage)
    _draft(stage, "general", -1, is_complete=False)
    _draft(stage, "additional", 0)


def _ended_without_exam(stage: Stage) -> None:
    stage.rejected(_sent(stage, "general", -30), "reviewer2", -27)
    stage.do(_sent(stage, "additional", -26), Action.WITHDRAW, "additional", -25)
    stage.returned(_sent(stage, "general", -110), "reviewer", -105)
    workflow.lapse_returned(stage.at(-40))


def _in_the_office(stage: Stage) -> None:
    remarks = (
        RemarkInput(ADDRESS_REMARK, field="address"),
        RemarkInput(PHOTO_REMARK, document_kind="photo"),
    )
    stage.returned(_sent(stage, "general", -9), "reviewer", -6, *remarks)
    for name, reviewer, days in (
        ("general", "reviewer", -13),
        ("additional", "reviewer", -4),
        ("receiver", "reviewer2", -3),
    ):
        stage.do(_sent(stage, name, days), Action.TAKE, reviewer, days + 1)
    for name, days in (("general", -11), ("additional", -2), ("receiver", -1), ("general", -1)):
        _sent(stage, name, days)


def _draft(stage: Stage, name: str, days: int, *, is_complete: bool = True) -> Request:
    person = candidate(next(stage.people))
    values: dict[str, object] = {
        "nationality": "KW",
        "civil_id": person.civil_id,
        "civil_id_expiry": stage.day(800),
    }
    values |= {f"name_ar_{n}": text for n, text in enumerate(person.names_ar, 1)}
    values |= {f"name_en_{n}": text for n, text in enumerate(person.names_en, 1)}
    if is_complete:
        values |= {"mobile": person.mobile, "email": person.email, "address": person.address}
    return stage.draft(
        SERVICE, name, days, values, has_documents=is_complete, broker_type="private"
    )


def _sent(stage: Stage, name: str, days: int) -> Request:
    return stage.do(_draft(stage, name, days), Action.SEND, name, days, hour=11)


def _preapproved(stage: Stage, name: str, days: int) -> Request:
    reviewer = "reviewer" if days % 2 else "reviewer2"
    return stage.do(_sent(stage, name, days), Action.PREAPPROVE, reviewer, days + 2)


def _exam(stage: Stage, days: int, *, seats: int, confirm_by: int, made: int) -> Exam:
    plan = exams.Plan(
        held_at=stage.at(days, 9),
        place_ar="مركز التدريب الجمركي، قاعة 2",
        place_en="Customs Training Centre, Hall 2",
        seats=seats,
        confirm_by=stage.day(confirm_by),
    )
    return exams.make(
        plan, form_key=f"demo-exam-{days}", actor=stage.actor("reviewer"), now=stage.at(made)
    )


def _announce(stage: Stage, exam: Exam, days: int) -> None:
    exam_seating.announce(exam.id, actor=stage.actor("reviewer"), now=stage.at(days, 13))


def _record(stage: Stage, exam: Exam, given: dict[int, Result]) -> None:
    """Enter the results. given: id of the request → result."""
    seats = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.exam_id == exam.id))
    results = {seat.id: given[seat.request_id] for seat in seats if seat.request_id in given}
    exam_results.record(
        exam.id, results, actor=stage.actor("reviewer2"), now=stage.at(HELD + 1, 12)
    )
