"""Seats that are confirmed, of which one is reminded, and that are released."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.exams import notifications as exam_notices
from clearance.exams import seating as exam_seating
from clearance.exams import sittings
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import Event, ExamSeat, User
from clearance.models.enums import SeatStatus, Status
from clearance.requests import transitions
from tests.support.december_sitting import (
    AFTER_LAST_DAY,
    HELD_AT,
    NOW,
    PLAN,
    announce,
    confirm,
    make_candidates,
    make_sitting,
    statuses,
    told,
)

pytestmark = pytest.mark.databases


def test_attendance_is_confirmed_until_the_end_of_the_last_day(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    first, second = make_candidates(2, reviewer)
    announce(exam, actor)
    confirm(first, datetime(2026, 12, 10, 20, 59, tzinfo=UTC))  # 23:59 in Kuwait
    seat = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == first.id)).one()
    assert seat.status == SeatStatus.CONFIRMED
    assert seat.confirmed_at is not None
    agent = actor_of(db.session.get_one(User, second.created_by_id))
    midnight = datetime(2026, 12, 10, 21, 0, tzinfo=UTC)
    with pytest.raises(Refused) as caught:
        transitions.perform(
            second, ExamAction.CONFIRM, actor=agent, now=midnight, version=second.version
        )
    assert "10/12/2026" in str(caught.value)
    db.session.rollback()
    assert statuses([first, second]) == [ExamStatus.CONFIRMED, ExamStatus.SEATED]
    assert len(told("exam:confirmed")) == 1


def test_each_is_reminded_once_shortly_before_the_last_day(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    first, second = make_candidates(2, reviewer)
    announce(exam, actor)
    confirm(first)
    assert exam_notices.remind(datetime(2026, 12, 7, 9, 0, tzinfo=UTC)) == 0
    assert exam_notices.remind(datetime(2026, 12, 8, 9, 0, tzinfo=UTC)) == 1
    db.session.commit()
    assert exam_notices.remind(datetime(2026, 12, 9, 9, 0, tzinfo=UTC)) == 0
    assert [notice.request_id for notice in told("exam:reminder")] == [second.id]
    assert told("exam:reminder")[0].params["confirm_by"] == "10/12/2026"


def test_nobody_is_reminded_on_the_day_they_are_told_nor_too_late(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor, confirm_by=date(2026, 12, 2))
    make_candidates(1, reviewer)
    announce(exam, actor)
    assert exam_notices.remind(NOW + timedelta(hours=2)) == 0
    assert exam_notices.remind(datetime(2026, 12, 3, 9, 0, tzinfo=UTC)) == 0
    assert told("exam:reminder") == []


def test_who_does_not_confirm_is_released_for_the_next_sitting(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    first, second = make_candidates(2, reviewer)
    announce(exam, actor)
    confirm(first)
    assert exam_seating.close_overdue(datetime(2026, 12, 10, 9, 0, tzinfo=UTC)) == 0
    assert exam_seating.close_overdue(AFTER_LAST_DAY) == 1
    db.session.commit()
    assert statuses([first, second]) == [ExamStatus.CONFIRMED, Status.PREAPPROVED]
    exam = sittings.find(exam.id)
    assert (exam.seats_taken, exam.final_at) == (1, AFTER_LAST_DAY)
    assert [notice.request_id for notice in told("exam:released")] == [second.id]
    released = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == second.id)).one()
    assert released.status == SeatStatus.RELEASED
    events = db.session.scalars(
        sa.select(Event).where(Event.request_id == second.id).order_by(Event.id.desc())
    )
    assert next(iter(events)).actor_id is None

    later = make_sitting(actor, held_at=HELD_AT + timedelta(days=30), confirm_by=date(2027, 1, 10))
    announce(later, actor, AFTER_LAST_DAY)
    assert statuses([second]) == [ExamStatus.SEATED]
    assert exam_seating.close_overdue(AFTER_LAST_DAY + timedelta(days=1)) == 0


def test_a_standstill_of_days_is_made_up_for(context: Flask, actor: Actor, reviewer: User) -> None:
    one = make_sitting(actor, seats=1)
    two = make_sitting(actor, seats=1, confirm_by=date(2026, 12, 12))
    candidates = make_candidates(2, reviewer)
    announce(one, actor)
    announce(two, actor)
    exam_seating.daily(datetime(2027, 1, 5, 9, 0, tzinfo=UTC))  # weeks after both sittings
    db.session.commit()
    assert statuses(candidates) == [Status.PREAPPROVED, Status.PREAPPROVED]
    assert [sittings.find(exam.id).seats_taken for exam in (one, two)] == [0, 0]
    assert told("exam:reminder") == []
    assert len(told("exam:released")) == 2
    exam_seating.daily(datetime(2027, 1, 6, 9, 0, tzinfo=UTC))
    assert len(told("exam:released")) == 2


def test_the_clock_leaves_people_alone_at_night(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    candidates = make_candidates(1, reviewer)
    announce(exam, actor)
    exam_seating.daily(datetime(2026, 12, 10, 21, 30, tzinfo=UTC))  # 00:30 in Kuwait
    assert statuses(candidates) == [ExamStatus.SEATED]
    exam_seating.daily(datetime(2026, 12, 11, 4, 30, tzinfo=UTC))
    assert statuses(candidates) == [Status.PREAPPROVED]


def test_a_later_last_day_reopens_confirmations_and_reminders(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor, seats=1)
    candidates = make_candidates(2, reviewer)
    announce(exam, actor)
    exam_seating.close_overdue(AFTER_LAST_DAY)
    db.session.commit()
    assert sittings.is_final(sittings.find(exam.id), AFTER_LAST_DAY)
    plan = replace(PLAN, seats=1, confirm_by=date(2026, 12, 18))
    sittings.change(exam.id, plan, version=1, actor=actor, now=AFTER_LAST_DAY)
    db.session.commit()
    assert sittings.find(exam.id).final_at is None
    announce(exam, actor, AFTER_LAST_DAY)
    # Who let the seat go is left for another sitting, so the next in line has it.
    assert statuses(candidates) == [Status.PREAPPROVED, ExamStatus.SEATED]
    assert exam_seating.close_overdue(datetime(2026, 12, 19, 9, 0, tzinfo=UTC)) == 1


def test_the_phases_follow_the_calendar(context: Flask, actor: Actor, reviewer: User) -> None:
    exam = make_sitting(actor)
    make_candidates(1, reviewer)
    phase = sittings.phase
    assert phase(exam, NOW, unresolved=0) is sittings.Phase.PLANNED
    announce(exam, actor)
    assert phase(exam, NOW, unresolved=0) is sittings.Phase.CONFIRMING
    assert phase(exam, AFTER_LAST_DAY, unresolved=1) is sittings.Phase.CLOSED
    assert phase(exam, HELD_AT, unresolved=1) is sittings.Phase.HELD
    assert phase(exam, HELD_AT, unresolved=0) is sittings.Phase.FINISHED
