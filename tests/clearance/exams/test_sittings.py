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
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.exams import notifications as exam_notices
from clearance.exams import seating as exam_seating
from clearance.exams import sittings
from clearance.models import Announcement, Event, Exam, ExamSeat, Notice, Request, User
from clearance.models.enums import Role, SeatStatus, Status
from clearance.requests import transitions
from clearance.services.flows import Action
from tests.support import exam_factories, factories
from tests.support import request_factories as requests
from tests.support.rows import count_of

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)  # 09:00 in Kuwait, a Tuesday
LAST_DAY = date(2026, 12, 10)
HELD_AT = datetime(2026, 12, 20, 7, 0, tzinfo=UTC)
PLAN = sittings.Plan(
    held_at=HELD_AT,
    place_ar="قاعة الاختبارات، الشويخ",
    place_en="Examination Hall, Shuwaikh",
    seats=2,
    confirm_by=LAST_DAY,
)
AFTER_LAST_DAY = datetime(2026, 12, 11, 6, 0, tzinfo=UTC)

pytestmark = pytest.mark.databases


def make_sitting(actor: Actor, key: str = "key", **changes: Any) -> Exam:
    planned = {"held_at": HELD_AT, "confirm_by": LAST_DAY} | changes
    return exam_factories.make_sitting(actor, key, now=NOW, **planned)


def make_candidates(number: int, reviewer: User, agent: User | None = None) -> list[Request]:
    return exam_factories.make_candidates(number, reviewer, agent, now=NOW)


def announce(exam: Exam, actor: Actor, now: datetime = NOW) -> exam_seating.Seating:
    return exam_factories.announce(exam, actor, now)


def confirm(req: Request, now: datetime = NOW) -> None:
    exam_factories.confirm(req, now)


def statuses(candidates: list[Request]) -> list[str]:
    found = db.session.execute(sa.select(Request.id, Request.status)).all()
    by_id = {row.id: row.status for row in found}
    return [by_id[each.id] for each in candidates]


def told(event: str) -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).where(Notice.event == event)))


# Planning


def test_a_sitting_is_made_once_for_one_form(context: Flask, actor: Actor) -> None:
    first = make_sitting(actor, "the-same-key")
    again = make_sitting(actor, "the-same-key")
    assert again.id == first.id
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
        sittings.make(replace(PLAN, **changes), form_key="k", actor=actor, now=NOW)
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
        sittings.make(PLAN, form_key="k", actor=other, now=NOW)
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
    assert statuses([first, second, third]) == [Status.CONFIRMED, Status.SEATED, Status.PREAPPROVED]


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
    assert statuses([first, second, late]) == [Status.SEATED, Status.SEATED, Status.PREAPPROVED]
    seats = db.session.scalars(sa.select(ExamSeat).order_by(ExamSeat.id)).all()
    assert [seat.request_id for seat in seats] == [first.id, second.id]
    assert {seat.status for seat in seats} == {SeatStatus.OFFERED}
    assert sittings.find(exam.id).seats_taken == 2
    notices = told("exam:announced")
    assert {notice.request_id for notice in notices} == {first.id, second.id}
    assert notices[0].params["confirm_by"] == "10/12/2026"
    assert notices[0].params["time"] == "10:00"
    assert audit.verify_chain(db.session()) == []


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
    assert statuses([first, second, third]) == [Status.WITHDRAWN, Status.SEATED, Status.SEATED]
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
    assert statuses([mine, other]) == [Status.PREAPPROVED, Status.SEATED]
    announce(exam, actor_of(factories.make_staff()))
    assert statuses([mine]) == [Status.SEATED]


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
    requests.publish(requests.TRIVIAL, flow="two_approvals")
    req = requests.make_request(
        factories.make_agent(),
        Status.PREAPPROVED,
        code="greeting",
        reviewer=reviewer,
        now=NOW,
        words="مرحبا",
    )
    exam = make_sitting(actor)
    assert announce(exam, actor).seated == 0
    assert statuses([req]) == [Status.PREAPPROVED]


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
    assert sum(each for each in outcomes if isinstance(each, int)) == 3
    assert sittings.find(exam_id).seats_taken == 3
    held = sa.select(sa.func.count()).select_from(ExamSeat)
    assert db.session.scalar(held) == 3
    assert count_of(Announcement) == 1
    assert len(told("exam:announced")) == 3


def test_two_sittings_announced_at_once_seat_nobody_twice(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    ids = [make_sitting(actor, key, seats=3).id for key in ("one", "two")]
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
    faults = [each for each in outcomes if isinstance(each, Exception)]
    assert all(isinstance(each, Refused) for each in faults), faults
    yield from outcomes


# Confirming, reminding, releasing


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
            second, Action.CONFIRM, actor=agent, now=midnight, version=second.version
        )
    assert "10/12/2026" in str(caught.value)
    db.session.rollback()
    assert statuses([first, second]) == [Status.CONFIRMED, Status.SEATED]
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
    assert statuses([first, second]) == [Status.CONFIRMED, Status.PREAPPROVED]
    exam = sittings.find(exam.id)
    assert (exam.seats_taken, exam.final_at) == (1, AFTER_LAST_DAY)
    assert [notice.request_id for notice in told("exam:released")] == [second.id]
    released = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == second.id)).one()
    assert released.status == SeatStatus.RELEASED
    events = db.session.scalars(
        sa.select(Event).where(Event.request_id == second.id).order_by(Event.id.desc())
    )
    assert next(iter(events)).actor_id is None

    later = make_sitting(
        actor, "next", held_at=HELD_AT + timedelta(days=30), confirm_by=date(2027, 1, 10)
    )
    announce(later, actor, AFTER_LAST_DAY)
    assert statuses([second]) == [Status.SEATED]
    assert exam_seating.close_overdue(AFTER_LAST_DAY + timedelta(days=1)) == 0


def test_a_standstill_of_days_is_made_up_for(context: Flask, actor: Actor, reviewer: User) -> None:
    one = make_sitting(actor, "one", seats=1)
    two = make_sitting(actor, "two", seats=1, confirm_by=date(2026, 12, 12))
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
    assert statuses(candidates) == [Status.SEATED]
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
    assert statuses(candidates) == [Status.PREAPPROVED, Status.SEATED]
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
