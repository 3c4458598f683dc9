"""Demo exam requests in every state: one past sitting, one upcoming."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from itertools import chain, cycle, islice, repeat

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.demo import stories_issuance
from clearance.demo.names import candidate
from clearance.demo.people import add_account_of_woman
from clearance.demo.stage import Stage, Story, Telling
from clearance.exams import results as exam_results
from clearance.exams import seating, sittings
from clearance.exams.flow import ExamAction
from clearance.exams.results import Result
from clearance.models import Exam, ExamSeat, Request
from clearance.models.names import NAME_COLUMNS
from clearance.services.decisions import RemarkInput
from clearance.services.flows import Action

SERVICE = "exam"
HELD, COMING = -125, 16  # days from today
ADDRESS_REMARK = "يرجى كتابة العنوان كاملاً مع رقم القطعة والمنزل."
PHOTO_REMARK = "الصورة غير واضحة، يرجى تحميل صورة حديثة بخلفية بيضاء."
_AGENTS = ("general", "additional", "general", "receiver", "general", "general", "receiver")
_PASSED = 8
_OTHER_RESULTS = (Result.FAILED, Result.ABSENT)
_COMING = ("general", "additional", "receiver", "general")
_Ready = dict[int, Request]


def stories(stage: Stage) -> Iterator[Story]:
    """Yield both sittings with their candidates, other requests, and the licences they lead to."""
    held: _Ready = {}
    count = _PASSED + len(_OTHER_RESULTS) + 1
    agents = list(islice(cycle(_AGENTS), count))
    for place, name in enumerate(agents):
        yield _candidate(stage, name, HELD - 40 + place, held)
    yield _sitting_held(stage, agents, held)
    coming: _Ready = {}
    for place, name in enumerate(_COMING):
        yield _candidate(stage, name, -22 + place, coming)
    yield _sitting_to_come(stage, coming)
    for name in ("general", "receiver"):
        yield _candidate(stage, name, -6, {})
    yield from _ended_without_exam(stage)
    yield from _in_the_office(stage)
    yield from stories_issuance.stories(stage)


def _sitting_held(stage: Stage, agents: list[str], ready: _Ready) -> Story:
    """All but the last confirm; the last one's seat is released."""
    exam = yield from _exam(stage, HELD, seats=len(agents), confirm_by=HELD - 5, made=HELD - 25)
    yield from _announce(stage, exam, HELD - 24)
    confirmed = list(zip(ready.values(), agents, strict=True))[:-1]
    for req, name in confirmed:
        yield from stage.do(req, ExamAction.CONFIRM, name, HELD - 15)
    now = yield from stage.wait(HELD + 1)
    results = chain(repeat(Result.PASSED, _PASSED), _OTHER_RESULTS)
    given = {req.id: result for (req, _name), result in zip(confirmed, results, strict=True)}
    seats = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.exam_id == exam.id))
    by_seat = {seat.id: given[seat.request_id] for seat in seats if seat.request_id in given}
    exam_results.record(exam.id, by_seat, actor=stage.actor("reviewer2"), now=now)
    for req, _name in confirmed[:_PASSED]:
        add_account_of_woman(req, stage.cast, now)


def _sitting_to_come(stage: Stage, ready: _Ready) -> Story:
    exam = yield from _exam(stage, COMING, seats=5, confirm_by=9, made=-8)
    yield from _announce(stage, exam, -7)
    waiting = list(ready.values())
    yield from stage.do(waiting[1], ExamAction.CONFIRM, "additional", -6)
    yield from stage.do(waiting[2], ExamAction.CONFIRM, "receiver", -5)


def _ended_without_exam(stage: Stage) -> Iterator[Story]:
    yield stage.story(_sent(stage, "general", -30), (Action.REJECT, "reviewer2", -27))
    yield stage.story(_sent(stage, "additional", -26), (Action.WITHDRAW, "additional", -25))
    yield _returned(stage, -110)


def _in_the_office(stage: Stage) -> Iterator[Story]:
    yield _returned(stage, -9)
    for name, days, reviewer in (
        ("general", -13, "reviewer"),
        ("additional", -4, "reviewer"),
        ("receiver", -3, "reviewer2"),
    ):
        yield stage.story(_sent(stage, name, days), (Action.TAKE, reviewer, days + 1))
    for name, days in (("general", -11), ("additional", -2), ("receiver", -1), ("general", -1)):
        yield _sent(stage, name, days)
    yield _draft(stage, "general", -1, is_complete=False)
    yield _draft(stage, "additional", 0)


def _returned(stage: Stage, days: int) -> Story:
    """Return with remarks; old returned requests lapse automatically."""
    remarks = (
        RemarkInput(ADDRESS_REMARK, field="address"),
        RemarkInput(PHOTO_REMARK, document_kind="photo"),
    )
    sent = _sent(stage, "general", days)
    return stage.story(sent, (Action.RETURN, "reviewer", days + 3), remarks=remarks)


def _candidate(stage: Stage, name: str, days: int, ready: _Ready) -> Story:
    """Send and get the preliminary approval; `ready` keeps the candidates in that order."""
    req = yield from _sent(stage, name, days)
    reviewer = "reviewer" if days % 2 else "reviewer2"
    yield from stage.do(req, Action.PREAPPROVE, reviewer, days + 2)
    ready[req.id] = req


def _sent(stage: Stage, name: str, days: int) -> Telling:
    return stage.story(_draft(stage, name, days), (Action.SEND, name, days))


def _draft(stage: Stage, name: str, days: int, *, is_complete: bool = True) -> Telling:
    person = candidate(next(stage.people))
    values: dict[str, object] = {
        "nationality": "KW",
        "civil_id": person.civil_id,
        "civil_id_expiry": stage.day(800),
    }
    values |= zip(NAME_COLUMNS, (*person.names_ar, *person.names_en), strict=True)
    if is_complete:
        values |= {"mobile": person.mobile, "email": person.email, "address": person.address}
    draft = stage.draft(SERVICE, name, days, values, has_documents=is_complete, choice="private")
    return (yield from draft)


def _exam(
    stage: Stage, days: int, *, seats: int, confirm_by: int, made: int
) -> Generator[datetime, None, Exam]:
    plan = sittings.Plan(
        held_at=stage.at(days, 9),
        place_ar="مركز التدريب الجمركي، قاعة 2",
        place_en="Customs Training Centre, Hall 2",
        seats=seats,
        confirm_by=stage.day(confirm_by),
    )
    now = yield from stage.wait(made)
    return sittings.make(plan, actor=stage.actor("reviewer"), now=now)


def _announce(stage: Stage, exam: Exam, days: int) -> Story:
    now = yield from stage.wait(days, 13)
    seating.announce(exam.id, actor=stage.actor("reviewer"), now=now)
