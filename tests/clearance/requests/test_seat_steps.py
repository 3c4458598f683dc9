"""Steps that take, confirm and free a seat in a sitting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import ExamSeat, User
from clearance.models.enums import SeatStatus, Status
from clearance.services.flows import Action
from tests.support import request_factories as requests
from tests.support.steps_taken import act, notices_of


def test_full_exam_seats_nobody_more(agent: User, reviewer: User) -> None:
    exam = requests.make_exam(seats=1)
    requests.make_request(agent, ExamStatus.SEATED, reviewer=reviewer, exam=exam)
    other = requests.make_request(agent, Status.PREAPPROVED, reviewer=reviewer)
    with pytest.raises(Refused):
        act(other, ExamAction.SEAT, reviewer, data=SeatChoice(exam_id=exam.id))
    assert other.status == Status.PREAPPROVED
    db.session.refresh(exam)
    assert exam.seats_taken == 1


@pytest.mark.parametrize("exam_id", [None, 0, 99])
def test_unknown_exam_seats_nobody(agent: User, reviewer: User, exam_id: int | None) -> None:
    req = requests.make_request(agent, Status.PREAPPROVED, reviewer=reviewer)
    with pytest.raises(Refused):
        act(
            req,
            ExamAction.SEAT,
            reviewer,
            data=[] if exam_id is None else SeatChoice(exam_id=exam_id),
        )


@pytest.mark.parametrize("status", [ExamStatus.SEATED, ExamStatus.CONFIRMED])
def test_withdrawing_frees_the_seat(agent: User, status: Status) -> None:
    exam = requests.make_exam(seats=1)
    req = requests.make_request(agent, status, exam=exam)
    act(req, Action.WITHDRAW, agent)
    db.session.refresh(exam)
    assert exam.seats_taken == 0
    assert db.session.scalars(sa.select(ExamSeat.status)).one() == SeatStatus.RELEASED


def test_released_candidate_waits_for_the_next_exam_and_may_get_the_same_seat_again(
    agent: User, reviewer: User
) -> None:
    exam = requests.make_exam(seats=1)
    req = requests.make_request(agent, ExamStatus.SEATED, reviewer=reviewer, exam=exam)
    act(req, ExamAction.RELEASE, None)
    assert (req.status, req.due_on) == (Status.PREAPPROVED, None)
    assert notices_of(req)[-1] == "exam:released"
    act(req, ExamAction.SEAT, reviewer, data=SeatChoice(exam_id=exam.id))
    assert req.status == ExamStatus.SEATED


def test_attendance_is_confirmed_up_to_the_last_day(agent: User) -> None:
    req = requests.make_request(agent, ExamStatus.SEATED, exam=requests.make_exam())
    last = db.session.scalars(sa.select(ExamSeat)).one().exam.confirm_by
    evening = datetime(last.year, last.month, last.day, 20, 59, tzinfo=UTC)  # 23:59 in Kuwait
    with pytest.raises(Refused):
        act(req, ExamAction.CONFIRM, agent, now=evening + timedelta(minutes=1))
    act(req, ExamAction.CONFIRM, agent, now=evening)
    assert req.status == ExamStatus.CONFIRMED


def test_result_is_not_given_before_the_exam(agent: User, reviewer: User) -> None:
    req = requests.make_request(agent, ExamStatus.CONFIRMED, reviewer=reviewer)
    for action in (ExamAction.PASS, ExamAction.FAIL, ExamAction.ABSENT):
        with pytest.raises(Refused):
            act(req, action, reviewer)
