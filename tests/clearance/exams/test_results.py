"""Results of a sitting: the file, matching it, recording once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.exams import lists as exam_lists
from clearance.exams import results as exam_results
from clearance.exams import seating, sittings
from clearance.exams.results import BadFile, BadResults, Result
from clearance.exams.statuses import ExamStatus
from clearance.models import Event, Exam, Notice, Request, User
from clearance.models.enums import Role
from tests.support import factories
from tests.support.december_sitting import (
    HELD_AT,
    NOW,
    announce,
    confirm,
    make_candidates,
    make_sitting,
)
from tests.support.exam_factories import seat_of, status_of

AFTER = HELD_AT + timedelta(hours=3)

pytestmark = pytest.mark.databases


def hold(actor: Actor, reviewer: User, number: int) -> tuple[Exam, list[Request]]:
    """A sitting with `number` confirmed candidates."""
    exam = make_sitting(actor, seats=number + 1)
    candidates = make_candidates(number, reviewer)
    announce(exam, actor)
    for req in candidates:
        confirm(req)
    return exam, candidates


def csv_of(*rows: tuple[str, str, str]) -> bytes:
    lines = ["number,civil_id,result", *(",".join(row) for row in rows)]
    return "\r\n".join(lines).encode("utf-8-sig")


def row_of(req: Request, result: str) -> tuple[str, str, str]:
    return (req.number or "", req.civil_id or "", result)


# Recording


def test_results_are_recorded_and_everyone_is_told(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, candidates = hold(actor, reviewer, 3)
    results = dict(zip((seat_of(req).id for req in candidates), Result, strict=True))
    assert exam_results.record(exam.id, results, actor=actor, now=AFTER) == 3
    db.session.commit()
    assert [status_of(req) for req in candidates] == [
        ExamStatus.PASSED,
        ExamStatus.FAILED,
        ExamStatus.ABSENT,
    ]
    for req, result in zip(candidates, Result, strict=True):
        assert (seat_of(req).result, seat_of(req).result_at) == (result, AFTER)
        notice = db.session.scalars(sa.select(Notice).where(Notice.event == f"exam:{result}")).one()
        assert notice.request_id == req.id
    event = db.session.scalars(sa.select(Event).where(Event.kind == "exam:results:recorded")).one()
    assert event.changes == {"passed": [None, 1], "failed": [None, 1], "absent": [None, 1]}
    counts = exam_lists.counts(exam.id)
    assert (counts.resolved, counts.unresolved) == (3, 0)


def test_a_result_before_the_exam_is_refused(context: Flask, actor: Actor, reviewer: User) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    before = HELD_AT - timedelta(minutes=1)
    with pytest.raises(Refused):
        exam_results.record(exam.id, {seat_of(req).id: Result.PASSED}, actor=actor, now=before)
    db.session.rollback()
    assert status_of(req) == ExamStatus.CONFIRMED


def test_a_result_is_recorded_once(context: Flask, actor: Actor, reviewer: User) -> None:
    exam, (req, other) = hold(actor, reviewer, 2)
    exam_results.record(exam.id, {seat_of(req).id: Result.FAILED}, actor=actor, now=AFTER)
    db.session.commit()
    both = {seat_of(req).id: Result.PASSED, seat_of(other).id: Result.PASSED}
    with pytest.raises(BadResults) as caught:
        exam_results.record(exam.id, both, actor=actor, now=AFTER)
    db.session.rollback()
    assert [fault.who for fault in caught.value.faults] == [req.number]
    assert [status_of(req), status_of(other)] == [ExamStatus.FAILED, ExamStatus.CONFIRMED]


def test_who_did_not_confirm_gets_no_result(context: Flask, actor: Actor, reviewer: User) -> None:
    exam = make_sitting(actor)
    (req,) = make_candidates(1, reviewer)
    announce(exam, actor)
    with pytest.raises(BadResults):
        exam_results.record(exam.id, {seat_of(req).id: Result.PASSED}, actor=actor, now=AFTER)
    db.session.rollback()
    seating.close_overdue(AFTER)
    with pytest.raises(BadResults):
        exam_results.record(exam.id, {seat_of(req).id: Result.PASSED}, actor=actor, now=AFTER)


def test_nobody_records_a_result_on_their_own_file(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (mine, other) = hold(actor, reviewer, 2)
    reviewer.civil_id = mine.civil_id
    db.session.commit()
    both = {seat_of(req).id: Result.PASSED for req in (mine, other)}
    with pytest.raises(BadResults) as caught:
        exam_results.record(exam.id, both, actor=actor_of(reviewer), now=AFTER)
    db.session.rollback()
    assert [fault.who for fault in caught.value.faults] == [mine.number]
    assert status_of(other) == ExamStatus.CONFIRMED
    another = actor_of(factories.make_staff())
    assert exam_results.record(exam.id, both, actor=another, now=AFTER) == 2


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
def test_only_reviewers_record_results(
    context: Flask, actor: Actor, reviewer: User, role: str
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    other = actor_of(factories.make_staff(role))
    with pytest.raises(PermissionDenied):
        exam_results.record(exam.id, {seat_of(req).id: Result.PASSED}, actor=other, now=AFTER)


def test_nothing_chosen_and_a_foreign_seat_are_refused(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    with pytest.raises(Refused):
        exam_results.record(exam.id, {}, actor=actor, now=AFTER)
    other = make_sitting(actor, "other")
    with pytest.raises(BadResults):
        exam_results.record(other.id, {seat_of(req).id: Result.PASSED}, actor=actor, now=AFTER)
    db.session.rollback()
    assert status_of(req) == ExamStatus.CONFIRMED


# The file


def test_a_good_file_is_matched_to_its_candidates(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (one, two, three) = hold(actor, reviewer, 3)
    data = csv_of(
        row_of(one, "passed"), row_of(two, " Failed "), ("", "", ""), row_of(three, "غائب")
    )
    lines = exam_results.read_file(data)
    assert [line.row for line in lines] == [2, 3, 5]
    assert exam_results.match(exam.id, lines) == {
        seat_of(one).id: Result.PASSED,
        seat_of(two).id: Result.FAILED,
        seat_of(three).id: Result.ABSENT,
    }


def test_digits_of_either_script_are_equal(context: Flask, actor: Actor, reviewer: User) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    eastern = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    number, civil_id, _result = row_of(req, "")
    data = csv_of((number.lower().translate(eastern), civil_id.translate(eastern), "passed"))
    assert len(exam_results.match(exam.id, exam_results.read_file(data))) == 1


def test_every_bad_row_is_told_and_none_is_matched(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (one, two) = hold(actor, reviewer, 2)
    data = csv_of(
        row_of(one, "passed"),
        row_of(one, "failed"),
        ("CE/999999/26", "288010112345", "passed"),
        (two.number or "", one.civil_id or "", "passed"),
        row_of(two, "excellent"),
        ("=HYPERLINK(1)", "@SUM(1)", "<script>"),
    )
    with pytest.raises(BadResults) as caught:
        exam_results.match(exam.id, exam_results.read_file(data))
    assert [fault.row for fault in caught.value.faults] == [3, 4, 5, 6, 7]
    assert caught.value.faults[-1].who == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"number,civil_id\r\nCE/1/26,288010112345\r\n",
        b"number,civil_id,result,note\r\nCE/1/26,288010112345,passed,x\r\n",
        b"civil_id,number,result\r\n288010112345,CE/1/26,passed\r\n",
        b"number;civil_id;result\r\nCE/1/26;288010112345;passed\r\n",
        b"number,civil_id,result\r\n",
        b"number,civil_id,result\r\nCE/1/26,288010112345\r\n",
        b"number,civil_id,result\r\nCE/1/26,288010112345,passed,more\r\n",
        b'number,civil_id,result\r\n"CE/1/26,288010112345,passed\r\n',
        b"number,civil_id,result\r\nCE/1/26,\x00,passed\r\n",
        "number,civil_id,result\r\nالأول,1,ناجح\r\n".encode("cp1256"),
        b"number,civil_id,result\r\n" + b"CE/1/26,1,passed\r\n" * (exam_results.FILE_ROWS_MAX + 1),
        b"number,civil_id,result\r\n" + b"x" * exam_results.FILE_BYTES_MAX,
    ],
    ids=[
        "empty",
        "column missing",
        "column too many",
        "columns in another order",
        "semicolons",
        "no rows",
        "short row",
        "long row",
        "open quote",
        "nul",
        "not utf-8",
        "too many rows",
        "too large",
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(context: Flask, data: bytes) -> None:
    with pytest.raises(BadFile):
        exam_results.read_file(data)


# Lists


def test_the_final_list_has_those_who_confirmed(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor, seats=3)
    one, two, three = make_candidates(3, reviewer)
    announce(exam, actor)
    confirm(three)
    confirm(one)
    assert not sittings.is_final(exam, NOW)
    assert sittings.is_final(exam, AFTER)
    # The list is right even before the clock has released the others.
    assert [row.number for row in exam_lists.final_list(exam.id)] == [one.number, three.number]
    assert two.number not in {row.number for row in exam_lists.final_list(exam.id)}
    row = exam_lists.candidates(exam.id)[0]
    assert exam_lists.name_of(row, "ar") == one.name_ar
    assert exam_lists.name_of(row, "en") == one.name_en
