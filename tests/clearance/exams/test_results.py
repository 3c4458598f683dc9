"""Results of a sitting: recorded once, and listed."""

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
from clearance.exams.results import BadResults, Result
from clearance.exams.statuses import ExamStatus
from clearance.models import Event, Notice, User
from clearance.models.enums import Role
from tests.support import factories
from tests.support.december_sitting import (
    HELD_AT,
    NOW,
    announce,
    confirm,
    hold,
    make_candidates,
    make_sitting,
)
from tests.support.exam_factories import seat_of, status_of

AFTER = HELD_AT + timedelta(hours=3)

pytestmark = pytest.mark.databases


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
    other = make_sitting(actor)
    with pytest.raises(BadResults):
        exam_results.record(other.id, {seat_of(req).id: Result.PASSED}, actor=actor, now=AFTER)
    db.session.rollback()
    assert status_of(req) == ExamStatus.CONFIRMED


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
