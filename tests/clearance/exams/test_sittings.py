"""Sittings: what may be planned and changed, who is seated, reminded and released."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.exams import seating as exam_seating
from clearance.exams import sittings
from clearance.exams.statuses import ExamStatus
from clearance.models import Announcement, Event, Exam, ExamSeat, Request, User
from clearance.models.enums import Role, SeatStatus, Status
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
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
from tests.support.rows import count_of

pytestmark = pytest.mark.databases


# Planning


def test_a_sitting_is_made_and_noted(context: Flask, actor: Actor) -> None:
    make_sitting(actor)
    assert count_of(Exam) == 1
    event = db.session.scalars(sa.select(Event).where(Event.kind == "exam:sitting:created")).one()
    assert event.actor_id == actor.id
    assert event.changes["confirm_by"] == [None, "2026-12-10"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"held_at": NOW}, "held_at"),
        ({"confirm_by": date(2026, 12, 20)}, "confirm_by"),
        ({"confirm_by": date(2026, 11, 30)}, "confirm_by"),
        ({"place_ar": " "}, "place_ar"),
        ({"place_en": ""}, "place_en"),
        ({"seats": 0}, "seats"),
        ({"seats": sittings.SEATS_MAX + 1}, "seats"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused_with_its_field(
    context: Flask, actor: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(sittings.BadPlan) as caught:
        sittings.make(replace(PLAN, **changes), actor=actor, now=NOW)
    assert field in caught.value.faults
    assert db.session.scalar(sa.select(Exam.id)) is None


def test_the_day_of_the_exam_is_kuwaits(context: Flask) -> None:
    just_after_midnight = datetime(2026, 12, 19, 21, 30, tzinfo=UTC)  # 00:30 on the 20th there
    plan = replace(PLAN, held_at=just_after_midnight, confirm_by=date(2026, 12, 19))
    assert sittings.faults(plan, NOW) == {}


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
def test_only_reviewers_run_sittings(context: Flask, actor: Actor, role: str) -> None:
    other = actor_of(factories.make_staff(role))
    with pytest.raises(PermissionDenied):
        sittings.make(PLAN, actor=other, now=NOW)
    exam = make_sitting(actor)
    with pytest.raises(PermissionDenied):
        sittings.change(exam.id, PLAN, version=1, actor=other, now=NOW)
    with pytest.raises(PermissionDenied):
        exam_seating.announce(exam.id, actor=other, now=NOW)
    assert db.session.get_one(Exam, exam.id).announced_at is None


def test_a_stale_change_is_refused_with_what_is_kept(context: Flask, actor: Actor) -> None:
    exam = make_sitting(actor)
    sittings.change(exam.id, replace(PLAN, seats=7), version=1, actor=actor, now=NOW)
    db.session.commit()
    with pytest.raises(sittings.StalePlan) as caught:
        sittings.change(exam.id, replace(PLAN, seats=9), version=1, actor=actor, now=NOW)
    assert caught.value.stored.seats == 7
    assert caught.value.version == 2
    assert sittings.find(exam.id).seats == 7


def test_a_change_that_changes_nothing_leaves_no_trace(context: Flask, actor: Actor) -> None:
    exam = make_sitting(actor)
    sittings.change(exam.id, PLAN, version=1, actor=actor, now=NOW)
    db.session.commit()
    assert exam.version == 1
    kinds = set(db.session.scalars(sa.select(Event.kind)))
    assert "exam:sitting:changed" not in kinds


def test_seats_cannot_go_below_those_taken(context: Flask, actor: Actor, reviewer: User) -> None:
    exam = make_sitting(actor)
    make_candidates(2, reviewer)
    announce(exam, actor)
    with pytest.raises(sittings.BadPlan) as caught:
        sittings.change(exam.id, replace(PLAN, seats=1), version=1, actor=actor, now=NOW)
    assert list(caught.value.faults) == ["seats"]


def test_a_held_exam_cannot_be_changed(context: Flask, actor: Actor) -> None:
    exam = make_sitting(actor)
    with pytest.raises(Refused):
        sittings.change(exam.id, replace(PLAN, seats=9), version=1, actor=actor, now=HELD_AT)


def test_a_new_appointment_is_told_to_everyone_seated(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    first, second, third = make_candidates(3, reviewer)
    announce(exam, actor)
    confirm(first)
    later = replace(PLAN, held_at=HELD_AT + timedelta(days=1), place_en="Hall 2")
    sittings.change(exam.id, later, version=1, actor=actor, now=NOW)
    db.session.commit()
    notices = told("exam:changed")
    assert {notice.request_id for notice in notices} == {first.id, second.id}
    assert notices[0].params["date"] == "21/12/2026"
    assert notices[0].params["place"]["en"] == "Hall 2"
    announcement = db.session.scalars(sa.select(Announcement)).one()
    assert "21/12/2026" in announcement.title_en
    assert "Hall 2" in announcement.body_en
    assert statuses([first, second, third]) == [
        ExamStatus.CONFIRMED,
        ExamStatus.SEATED,
        Status.PREAPPROVED,
    ]


def test_more_seats_alone_are_told_to_nobody(context: Flask, actor: Actor, reviewer: User) -> None:
    exam = make_sitting(actor)
    make_candidates(1, reviewer)
    announce(exam, actor)
    sittings.change(exam.id, replace(PLAN, seats=3), version=1, actor=actor, now=NOW)
    db.session.commit()
    assert told("exam:changed") == []


# Announcing


def test_candidates_are_seated_in_the_order_of_sending(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    agent = factories.make_agent()
    late = make_candidates(1, reviewer, agent)[0]
    db.session.execute(
        sa.update(Request).where(Request.id == late.id).values(sent_at=NOW - timedelta(hours=1))
    )
    db.session.commit()
    first, second = make_candidates(2, reviewer, agent)
    seating = announce(exam, actor)
    assert (seating.seated, seating.left_out) == (2, ())
    assert statuses([first, second, late]) == [
        ExamStatus.SEATED,
        ExamStatus.SEATED,
        Status.PREAPPROVED,
    ]
    seats = db.session.scalars(sa.select(ExamSeat).order_by(ExamSeat.id)).all()
    assert [seat.request_id for seat in seats] == [first.id, second.id]
    assert {seat.status for seat in seats} == {SeatStatus.OFFERED}
    assert sittings.find(exam.id).seats_taken == 2
    notices = told("exam:announced")
    assert {notice.request_id for notice in notices} == {first.id, second.id}
    assert notices[0].params["confirm_by"] == "10/12/2026"
    assert notices[0].params["time"] == "10:00"
    assert chain.verify(db.session()).faults == []


def test_announcing_publishes_one_announcement_in_both_languages(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    make_candidates(1, reviewer)
    announce(exam, actor)
    make_candidates(1, reviewer)
    announce(exam, actor)
    announcement = db.session.scalars(sa.select(Announcement)).one()
    assert announcement.exam_id == exam.id
    assert announcement.ends_at == HELD_AT
    assert "20/12/2026" in announcement.title_ar
    assert "قاعة الاختبارات، الشويخ" in announcement.body_ar
    assert "Examination Hall, Shuwaikh" in announcement.body_en
    assert "10/12/2026" in announcement.body_en


def test_announcing_again_fills_freed_seats_only(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    first, second, third = make_candidates(3, reviewer)
    announce(exam, actor)
    with pytest.raises(Refused):
        exam_seating.announce(exam.id, actor=actor, now=NOW)
    requests.step(first, Action.WITHDRAW, db.session.get_one(User, first.created_by_id), now=NOW)
    assert sittings.find(exam.id).seats_taken == 1
    assert announce(exam, actor).seated == 1
    assert statuses([first, second, third]) == [
        Status.WITHDRAWN,
        ExamStatus.SEATED,
        ExamStatus.SEATED,
    ]
    assert sittings.find(exam.id).seats_taken == 2


def test_a_reviewer_does_not_seat_their_own_file_but_another_does(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    mine, other = make_candidates(2, reviewer)
    reviewer.civil_id = mine.civil_id
    db.session.commit()
    seating = announce(exam, actor_of(reviewer))
    assert seating.seated == 1
    assert [number for number, _why in seating.left_out] == [mine.number]
    assert statuses([mine, other]) == [Status.PREAPPROVED, ExamStatus.SEATED]
    announce(exam, actor_of(factories.make_staff()))
    assert statuses([mine]) == [ExamStatus.SEATED]


def test_a_sitting_past_its_last_day_seats_nobody(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    candidates = make_candidates(1, reviewer)
    for now in (AFTER_LAST_DAY, HELD_AT):
        with pytest.raises(Refused):
            exam_seating.announce(exam.id, actor=actor, now=now)
    assert statuses(candidates) == [Status.PREAPPROVED]


def test_an_unknown_sitting_is_not_found(context: Flask, actor: Actor) -> None:
    with pytest.raises(NotFound):
        exam_seating.announce(999, actor=actor, now=NOW)


def test_only_flows_with_seats_give_candidates(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    requests.publish(requests.TRIVIAL)
    req = requests.make_request(
        factories.make_agent(),
        Status.UNDER_REVIEW,
        code="greeting",
        reviewer=reviewer,
        now=NOW,
        words="مرحبا",
    )
    exam = make_sitting(actor)
    assert announce(exam, actor).seated == 0
    assert statuses([req]) == [Status.UNDER_REVIEW]


def test_two_announcements_at_once_never_oversell(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor, seats=3)
    make_candidates(6, reviewer)
    other = actor_of(factories.make_staff())
    exam_id = exam.id
    db.session.remove()
    outcomes = list(
        _at_once(context, [lambda a=a: _announce_once(exam_id, a) for a in (actor, other)])
    )
    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 3
    assert sittings.find(exam_id).seats_taken == 3
    held = sa.select(sa.func.count()).select_from(ExamSeat)
    assert db.session.scalar(held) == 3
    assert count_of(Announcement) == 1
    assert len(told("exam:announced")) == 3


def test_two_sittings_announced_at_once_seat_nobody_twice(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    ids = [make_sitting(actor, seats=3).id for _place in range(2)]
    make_candidates(4, reviewer)
    db.session.remove()
    list(_at_once(context, [partial(_announce_once, exam_id, actor) for exam_id in ids]))
    seated = db.session.scalars(sa.select(ExamSeat.request_id)).all()
    assert len(seated) == len(set(seated))
    taken = [sittings.find(exam_id).seats_taken for exam_id in ids]
    assert sum(taken) == len(seated)
    assert max(taken) <= 3


def _announce_once(exam_id: int, actor: Actor) -> Any:
    try:
        seated = exam_seating.announce(exam_id, actor=actor, now=NOW).seated
        db.session.commit()
    except Refused as error:
        db.session.rollback()
        return error
    return seated


def _at_once(app: Flask, works: list[Any]) -> Iterator[Any]:
    gate = threading.Barrier(len(works))
    outcomes: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                outcomes[place] = works[place]()
            except Exception as error:  # told by the assertion that follows
                outcomes[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    faults = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(fault, Refused) for fault in faults), faults
    yield from outcomes
