"""What candidates are told of their exam, and what the users of their office read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.exams import notifications as exam_notices
from clearance.exams import results, seating, sittings
from clearance.exams.results import Result
from clearance.models import Delivery, ExamSeat, Notice, Organisation, Request, Service, User
from clearance.models.enums import Channel
from clearance.notifications import inbox, preferences
from tests.support import factories
from tests.support.december_sitting import (
    AFTER_LAST_DAY,
    HELD_AT,
    PLAN,
    announce,
    confirm,
    hold,
    make_candidates,
    make_sitting,
    told,
)

EVENTS = ("announced", "changed", "reminder", "confirmed", "released", "passed", "failed", "absent")


def sent(event: str, address: str | None = None) -> list[Delivery]:
    """The messages of an event, to one address or to all."""
    found = sa.select(Delivery).where(Delivery.event == event).order_by(Delivery.id)
    return [row for row in db.session.scalars(found) if address in (None, row.address)]


def of_office(req: Request) -> User:
    return db.session.get_one(User, req.created_by_id)


def record(exam_id: int, req: Request, result: Result, actor: Actor) -> None:
    seat = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == req.id)).one()
    results.record(exam_id, {seat.id: result}, actor=actor, now=HELD_AT + timedelta(hours=4))
    db.session.commit()


@pytest.mark.databases
def test_candidate_without_account_is_addressed_and_the_user_reads_the_name(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    (req,) = make_candidates(1, reviewer)
    announce(exam, actor)
    user = of_office(req)
    mail, sms = sent("exam:announced:candidate")
    assert (mail.address, sms.address) == (req.email, req.mobile)
    assert (mail.language, mail.notice_id, mail.request_id) == ("ar", None, req.id)
    assert "رشّحك" in mail.body
    office = db.session.get_one(Organisation, req.organisation_id)
    assert office.name_ar in mail.body
    assert "/my/" not in mail.body
    assert [row.address for row in sent("exam:announced")] == [user.email, user.mobile]
    to_user = sent("exam:announced", user.email)[0].body
    assert f"رشّح مكتب شؤون المخلصين {req.name_ar} " in to_user
    assert "رشّحك" not in to_user
    assert [notice.user_id for notice in told("exam:announced")] == [user.id]
    assert told("exam:announced:candidate") == []


def test_every_step_of_an_exam_is_told_to_the_candidate_too(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor, seats=4)
    passing, failing, absent, idle = make_candidates(4, reviewer)
    announce(exam, actor)
    plan = PLAN.__class__(**vars(PLAN) | {"seats": 4, "place_en": "Another hall"})
    sittings.change(exam.id, plan, version=1, actor=actor, now=datetime(2026, 12, 2, tzinfo=UTC))
    assert exam_notices.remind(datetime(2026, 12, 9, 9, 0, tzinfo=UTC)) == 4
    for req in (passing, failing, absent):
        confirm(req)
    seating.close_overdue(AFTER_LAST_DAY)
    db.session.commit()
    record(exam.id, passing, Result.PASSED, actor)
    record(exam.id, failing, Result.FAILED, actor)
    record(exam.id, absent, Result.ABSENT, actor)
    for event in EVENTS:
        candidate, user = sent(f"exam:{event}:candidate"), sent(f"exam:{event}")
        assert len(candidate) == len(user) > 0, event
        assert {row.channel for row in candidate} == {Channel.EMAIL, Channel.SMS}, event
    assert {row.address for row in sent("exam:released:candidate")} == {idle.email, idle.mobile}


@pytest.mark.databases
def test_user_who_is_the_candidate_is_addressed_and_told_once(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    agent = factories.make_agent()
    (req,) = make_candidates(1, reviewer, agent)
    colleague = factories.make_agent(db.session.get_one(Organisation, req.organisation_id))
    agent.civil_id, agent.language = req.civil_id, "en"
    agent.email, agent.mobile = req.email.upper(), factories.mobile()
    db.session.commit()
    announce(exam, actor)
    # Their account's addresses, and the number in the request, which is another one.
    assert [row.address for row in sent("exam:announced:candidate")] == [
        agent.email,
        agent.mobile,
        req.mobile,
    ]
    assert {row.language for row in sent("exam:announced:candidate")} == {"en"}
    assert {row.address for row in sent("exam:announced")} == {colleague.email, colleague.mobile}
    notices = {notice.user_id: notice for notice in db.session.scalars(sa.select(Notice))}
    assert notices[agent.id].event == "exam:announced:candidate"
    assert notices[colleague.id].event == "exam:announced"
    assert req.name_en in inbox.text_of(notices[colleague.id], "en")[1]
    assert "offered you" in inbox.text_of(notices[agent.id], "en")[1]


@pytest.mark.databases
def test_address_that_the_office_gave_for_itself_gets_one_text_the_users(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    (req,) = make_candidates(1, reviewer)
    user = of_office(req)
    req.email, req.mobile = f"  {user.email.upper()}".strip(), user.mobile
    db.session.commit()
    announce(exam, actor)
    assert sent("exam:announced:candidate") == []
    assert [row.address for row in sent("exam:announced")] == [user.email, user.mobile]


def test_who_switched_a_notice_off_does_not_get_it_as_the_candidate(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    agent = factories.make_agent()
    (req,) = make_candidates(1, reviewer, agent)
    agent.civil_id, agent.email, agent.mobile = req.civil_id, req.email, req.mobile
    preferences.set_preference(agent.id, "exam:confirmed", Channel.SMS, wanted=False)
    db.session.commit()
    announce(exam, actor)
    confirm(req)
    assert [row.channel for row in sent("exam:confirmed:candidate")] == [Channel.EMAIL]


def test_candidate_with_an_account_elsewhere_reads_its_language(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam = make_sitting(actor)
    by_number, by_mail, nobody = candidates = make_candidates(3, reviewer)
    assert exam.seats == 2
    exam.seats = 3
    factories.make_user(language="en", civil_id=by_number.civil_id)
    factories.make_user(language="en", email=by_mail.email)
    db.session.commit()
    announce(exam, actor)
    languages = {
        req.id: {row.language for row in sent("exam:announced:candidate", req.email)}
        for req in candidates
    }
    assert languages == {by_number.id: {"en"}, by_mail.id: {"en"}, nobody.id: {"ar"}}


def test_mail_about_a_pass_names_the_next_step_and_its_last_day(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    record(exam.id, req, Result.PASSED, actor)
    params: Any = told("exam:passed")[0].params
    assert params["pass_valid_until"] == "20/12/2029"
    title, body = inbox.text_of(told("exam:passed")[0], "en")
    assert f"{req.name_en} passed" in body
    assert "apply for the licence on the request page by 20/12/2029" in body
    assert req.name_en in title
    assert "20/12/2029" in sent("exam:passed:candidate", req.email)[0].body


def test_pass_that_no_service_leads_on_from_promises_nothing(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    db.session.get_one(Service, "issuance").is_active = False
    db.session.commit()
    record(exam.id, req, Result.PASSED, actor)
    assert "pass_valid_until" not in told("exam:passed")[0].params
    assert "Next step" not in inbox.text_of(told("exam:passed")[0], "en")[1]
