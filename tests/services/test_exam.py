"""The exam: asked for anybody, approved provisionally, seated, confirmed, passed or failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import Broker, Exam, ExamSeat, Request, User
from clearance.models.enums import Role, Status
from clearance.requests import available_actions
from clearance.services.flows import Action
from clearance.services.standard_fields import Kind
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.service_life import WHO_MAY_ASK, ServiceLife, refusal_of, words

SHOWN = {"broker_type", "number"}
REQUIRED = [
    *("name_ar_1", "name_ar_4", "name_en_1", "name_en_4"),
    *("nationality", "civil_id", "civil_id_expiry", "mobile", "email", "address"),
]
OPTIONAL = {"name_ar_2", "name_ar_3", "name_en_2", "name_en_3", "notes"}
DOCUMENTS = ["civil_id_copy", "photo", "good_conduct"]
NOT_HELD_YET = "The exam has not taken place yet. You can enter results once the exam has started."


@pytest.fixture
def exam(context: Flask) -> ServiceLife:
    return ServiceLife("exam")


@pytest.fixture
def administrator(context: Flask) -> User:
    return factories.make_staff(Role.ADMINISTRATOR)


@pytest.fixture
def sitting(exam: ServiceLife) -> Exam:
    return requests.make_exam()


def walk(exam: ServiceLife, status: Status, sitting: Exam) -> Request:
    """A request of the office that has come so far."""
    return requests.make_request(exam.agent, status, reviewer=exam.reviewer, exam=sitting)


def seat_of(req: Request) -> ExamSeat:
    return db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == req.id)).one()


# Asked


def test_names_and_number_are_those_of_the_manual(exam: ServiceLife) -> None:
    service = exam.definition
    assert (service.prefix, service.flow, service.start) == ("CE", "exam", "broker_type")
    assert service.title_in("ar") == "طلب امتحان وكلاء التخليص"
    assert service.title_in("en") == "Take the clearing agents' exam"
    assert any("وكيل تخليص" in condition.ar for condition in service.conditions)


def test_fields_are_those_of_the_specification(exam: ServiceLife) -> None:
    service = exam.definition
    assert {spec.name for spec in service.fields if not spec.is_asked} == SHOWN
    experience = {spec.name for spec in service.fields if spec.section == "experience"}
    optional = {spec.name for spec in service.asked if not spec.required}
    assert optional == OPTIONAL | {"has_experience"} | experience
    notes = service.field("notes")
    assert notes is not None and (notes.kind, notes.title("ar")) == (Kind.TEXTAREA, "الملاحظات")


def test_work_experience_is_asked_of_those_who_have_some(exam: ServiceLife) -> None:
    told = {"experience_with": "مكتب الدانة", "experience_years": 4}
    assert exam.ask(has_experience=True, **told).answers == {"has_experience": True, **told}
    assert exam.ask(has_experience=False, **told).answers == {"has_experience": False}
    assert exam.ask(**told).answers == {}


def test_form_wants_names_in_two_languages_contact_and_three_documents(exam: ServiceLife) -> None:
    assert exam.wants() == [*REQUIRED, *DOCUMENTS]
    taken = {spec.kind for spec in exam.definition.documents_for({"broker_type": "general"})}
    assert taken - set(DOCUMENTS) == {"other"}


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(exam: ServiceLife) -> None:
    assert exam.who_may_ask() == WHO_MAY_ASK


def test_candidate_may_be_any_person(exam: ServiceLife) -> None:
    assert exam.refusal_to_begin() == ""
    for _ in range(3):
        assert exam.ask().status == Status.SUBMITTED


def test_numbers_look_like_the_manuals(exam: ServiceLife) -> None:
    now = datetime(2026, 7, 5, 8, 0, tzinfo=UTC)
    sent = [requests.make_sent(exam.agent, now=now).number for _ in range(2)]
    assert sent == ["CE/1/26", "CE/2/26"]


@pytest.mark.parametrize("status", [ExamStatus.FAILED, ExamStatus.ABSENT])
def test_who_failed_or_was_absent_waits_as_long_as_the_office_has_set(
    exam: ServiceLife, administrator: User, status: Status
) -> None:
    earlier = requests.make_request(exam.agent, status)
    assert earlier.decided_at is not None
    draft = exam.draft(civil_id=earlier.civil_id)
    tomorrow = earlier.decided_at + timedelta(days=1)
    allowed = earlier.decided_at + timedelta(days=30)
    assert warned(exam, draft, tomorrow) == []
    office_settings.set("exam_waiting_days", 30, actor_of(administrator), tomorrow)
    db.session.commit()
    told = refusal_of(partial(requests.step, draft, Action.SEND, exam.agent, now=tomorrow))
    assert told.startswith("The waiting time after the last exam has not passed yet.")
    assert warned(exam, draft, tomorrow) != []
    assert warned(exam, draft, allowed) == []


def test_who_has_used_up_the_attempts_asks_no_more(exam: ServiceLife, administrator: User) -> None:
    earlier = requests.make_request(exam.agent, ExamStatus.FAILED)
    assert earlier.decided_at is not None
    draft = exam.draft(civil_id=earlier.civil_id)
    later = earlier.decided_at + timedelta(days=60)
    office_settings.set("exam_attempts", 2, actor_of(administrator), later)
    assert warned(exam, draft, later) == []
    office_settings.set("exam_attempts", 1, actor_of(administrator), later)
    db.session.commit()
    assert len(warned(exam, draft, later)) == 1
    told = refusal_of(partial(requests.step, draft, Action.SEND, exam.agent, now=later))
    assert told == (
        "All the exam attempts the office allows have been used. "
        "Ask the office if you need an exception."
    )


def warned(exam: ServiceLife, draft: Request, now: datetime) -> list[str]:
    """What the form warns of before sending."""
    refusals = available_actions.send_warnings(draft, actor_of(exam.agent), now)
    return [words(refusal) for refusal in refusals]


def test_for_one_person_one_request_is_open_at_a_time(exam: ServiceLife) -> None:
    first = exam.ask()
    assert exam.refusal_to_send(exam.draft(civil_id=first.civil_id)) == (
        f"Request {first.number} is still open. "
        "You can apply again when it is decided or withdrawn."
    )


# Reviewed


def test_returned_it_is_corrected_where_the_remarks_are_and_keeps_its_number(
    exam: ServiceLife,
) -> None:
    req = exam.ask(address="حولي")
    number = req.number
    exam.return_for(req, "address", "photo")
    assert exam.open_places(req) == {"address", "photo"}
    exam.correct(req, address="السالمية", name_en_1="Salem")
    assert (req.status, req.number, req.address) == (Status.SUBMITTED, number, "السالمية")
    assert req.name_en_1 == "Ahmad"


def test_rejected_with_its_reason_nobody_is_seated_and_he_can_ask_again(exam: ServiceLife) -> None:
    req = exam.reject(exam.ask(), "The certificate of conduct is too old.")
    assert req.status == Status.REJECTED
    assert "The certificate of conduct is too old." in exam.last_notice()
    assert exam.refusal_to_send(exam.draft(civil_id=req.civil_id)) == ""


# The seat


def test_approved_provisionally_he_is_nominated_for_a_sitting(
    exam: ServiceLife, sitting: Exam
) -> None:
    req = requests.step(exam.ask(), Action.PREAPPROVE, exam.reviewer)
    assert req.status == Status.PREAPPROVED
    seat = SeatChoice(exam_id=sitting.id)
    requests.step(req, ExamAction.SEAT, exam.reviewer, data=seat)
    assert (req.status, seat_of(req).status) == (ExamStatus.SEATED, "offered")
    db.session.refresh(sitting)
    assert sitting.seats_taken == 1
    assert exam.refusal_to_send(exam.draft(civil_id=req.civil_id)).startswith("Request CE/")


def test_sitting_that_is_full_takes_nobody_more(exam: ServiceLife) -> None:
    full = requests.make_exam(seats=1)
    walk(exam, ExamStatus.SEATED, full)
    req = requests.make_request(exam.agent, Status.PREAPPROVED)
    seat = SeatChoice(exam_id=full.id)
    told = refusal_of(partial(requests.step, req, ExamAction.SEAT, exam.reviewer, data=seat))
    assert told == "This exam has no seats left, or its last day to confirm has passed."
    assert req.status == Status.PREAPPROVED


def test_attendance_is_confirmed_in_time(exam: ServiceLife, sitting: Exam) -> None:
    req = walk(exam, ExamStatus.SEATED, sitting)
    late = utc_now() + timedelta(days=8)
    told = refusal_of(partial(requests.step, req, ExamAction.CONFIRM, exam.agent, now=late))
    assert told == (
        f"The last day to confirm attendance was {sitting.confirm_by:%d/%m/%Y}. "
        "You will be offered a seat in the next exam."
    )
    requests.step(req, ExamAction.CONFIRM, exam.agent)
    assert (req.status, seat_of(req).status) == (ExamStatus.CONFIRMED, "confirmed")


def test_withdrawn_his_seat_is_the_next_candidates(exam: ServiceLife, sitting: Exam) -> None:
    req = walk(exam, ExamStatus.CONFIRMED, sitting)
    requests.step(req, Action.WITHDRAW, exam.agent)
    assert (req.status, seat_of(req).status) == (Status.WITHDRAWN, "released")
    db.session.refresh(sitting)
    assert sitting.seats_taken == 0


# The result


@pytest.mark.parametrize("result", [ExamAction.PASS, ExamAction.FAIL, ExamAction.ABSENT])
def test_no_result_is_given_before_the_exam_is_held(
    exam: ServiceLife, sitting: Exam, result: Action
) -> None:
    req = walk(exam, ExamStatus.CONFIRMED, sitting)
    assert refusal_of(partial(requests.step, req, result, exam.reviewer)) == NOT_HELD_YET
    assert (req.status, seat_of(req).result) == (ExamStatus.CONFIRMED, None)
    begun = sitting.held_at
    assert refusal_of(partial(requests.step, req, result, exam.reviewer, now=begun)) == ""


def test_passed_he_can_be_given_a_licence_and_need_not_sit_again(
    exam: ServiceLife, sitting: Exam
) -> None:
    req = walk(exam, ExamStatus.PASSED, sitting)
    assert (seat_of(req).result, "passed" in exam.last_notice()) == ("passed", True)
    assert ServiceLife("issuance", exam.agent).refusal_to_begin(req) == ""
    told = exam.refusal_to_send(exam.draft(civil_id=req.civil_id))
    assert told.startswith("This service was already completed for this civil number.")
    assert db.session.scalars(sa.select(Broker)).all() == []


@pytest.mark.parametrize("status", [ExamStatus.FAILED, ExamStatus.ABSENT])
def test_failed_or_absent_he_can_ask_again(
    exam: ServiceLife, sitting: Exam, status: Status
) -> None:
    req = walk(exam, status, sitting)
    assert seat_of(req).result == status
    assert exam.refusal_to_send(exam.draft(civil_id=req.civil_id)) == ""
