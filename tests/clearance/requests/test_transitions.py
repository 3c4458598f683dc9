"""Steps of a request: done whole or not at all, once, by those who may, and told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core import chain, office_settings
from clearance.core.clock import kuwait_midnight, utc_now
from clearance.core.errors import (
    NotFound,
    PermissionDenied,
    ReasonRequired,
    Refused,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import (
    Counter,
    Document,
    ExamSeat,
    Notice,
    Organisation,
    Remark,
    Request,
    Subscription,
    User,
)
from clearance.models.enums import Role, SeatStatus, Status
from clearance.notifications import inbox
from clearance.requests import (
    available_actions,
    completeness,
    deadlines,
    drafts,
    remarks,
    transitions,
)
from clearance.requests.completeness import Incomplete
from clearance.services import registry, versions
from clearance.services.decisions import Assignment, RemarkInput, Remarks
from clearance.services.effects import Effect, StepContext
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.steps_taken import act, make_plain, notices_of, publish_plain, steps_of


@pytest.fixture
def sent(agent: User) -> Request:
    return requests.make_sent(agent)


# A whole life


@pytest.mark.databases
def test_service_made_of_yaml_alone_goes_from_draft_to_approval(agent: User) -> None:
    requests.publish(requests.TRIVIAL)
    reviewer = factories.make_staff()
    actor, now = actor_of(agent), utc_now()
    offered = {
        service.code: service for service in available_actions.startable_services(actor, now)
    }
    assert offered["greeting"].refusal is None
    req = drafts.start("greeting", actor, now, choice="private")
    assert {item.field for item in completeness.missing(req, now)} == {"words"}  # the name is known
    drafts.save(req, {"words": "صباح الخير"}, actor, now)
    assert completeness.missing(req, now) == []
    act(req, Action.SEND, agent)
    assert req.number is not None and req.number.startswith("GR/1/")
    act(req, Action.APPROVE, reviewer)
    db.session.commit()
    assert req.status == Status.APPROVED
    assert req.answers == {"words": "صباح الخير"}
    assert steps_of(req) == ["send", "take", "approve"]
    assert notices_of(req) == ["request:sent", "request:approved"]
    assert chain.verify(db.session()).faults == []


@pytest.mark.databases
def test_exam_request_goes_from_draft_to_passed(agent: User, reviewer: User) -> None:
    req = requests.make_request(agent, ExamStatus.PASSED, reviewer=reviewer)
    assert steps_of(req) == ["send", "take", "preapprove", "seat", "confirm", "pass"]
    assert notices_of(req) == [
        "request:sent",
        "request:preapproved",
        "exam:announced",
        "exam:confirmed",
        "exam:passed",
    ]
    seat = db.session.scalars(sa.select(ExamSeat)).one()
    assert (seat.status, seat.result) == (SeatStatus.CONFIRMED, "passed")
    assert req.decided_at is not None
    assert chain.verify(db.session()).faults == []


# Sending


@pytest.mark.databases
def test_sending_gives_the_number_and_keeps_who_sent_it_and_when(agent: User) -> None:
    now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    req = requests.make_draft(agent, now=now)
    assert req.number is None
    act(req, Action.SEND, agent, now=now)
    assert (req.number, req.status, req.sent_at) == ("CE/1/26", Status.SUBMITTED, now)
    assert req.sender_id == agent.id
    assert str(req.due_on) == "2026-03-08"
    assert all(document.is_locked for document in db.session.scalars(sa.select(Document)))


def test_request_that_lacks_something_is_not_sent_and_takes_no_number(agent: User) -> None:
    req = requests.make_draft(agent, with_documents=False, address=None)
    with pytest.raises(Incomplete) as refused:
        act(req, Action.SEND, agent)
    assert {item.field or item.document_kind for item in refused.value.missing} == {
        "address",
        "civil_id_copy",
        "photo",
        "good_conduct",
    }
    db.session.rollback()
    assert db.session.get(Counter, ("CE", utc_now().year)) is None
    assert req.status == Status.DRAFT


def test_expiry_that_passed_since_it_was_typed_is_found_at_sending(agent: User) -> None:
    req = requests.make_draft(agent)
    with pytest.raises(Incomplete) as refused:
        act(req, Action.SEND, agent, now=datetime(2036, 1, 1, tzinfo=UTC))
    assert [item.field for item in refused.value.missing] == ["civil_id_expiry"]


@pytest.mark.databases
def test_request_sent_again_keeps_number_and_reviewer_and_settles_remarks(
    agent: User, reviewer: User, sent: Request
) -> None:
    number = sent.number
    remark = RemarkInput("العنوان ناقص.", field="address")
    act(sent, Action.RETURN, reviewer, reason="أكمل العنوان.", data=Remarks(remarks=(remark,)))
    assert completeness.open_fields(sent) == {"address"}
    drafts.save(sent, {"address": "السالمية", "mobile": "+96550000009"}, actor_of(agent), utc_now())
    act(sent, Action.SEND, agent)
    db.session.commit()
    assert (sent.number, sent.reviewer_id, sent.status) == (number, reviewer.id, Status.SUBMITTED)
    assert sent.address == "السالمية"
    assert sent.mobile != "+96550000009"
    assert remarks.unsettled(sent) == []
    assert db.session.scalars(sa.select(Remark.settled_at)).one() is not None
    assert act(sent, Action.PREAPPROVE, reviewer).from_status == Status.UNDER_REVIEW


@pytest.mark.databases
def test_second_open_request_for_a_civil_number_is_refused_with_a_link(
    agent: User, sent: Request
) -> None:
    again = requests.make_draft(agent, civil_id=sent.civil_id)
    with pytest.raises(Refused) as refused:
        act(again, Action.SEND, agent)
    assert sent.number is not None and sent.number in str(refused.value)
    assert refused.value.refusal.url.endswith(f"id={sent.id}")


def test_request_of_another_organisation_is_not_named_in_the_refusal(sent: Request) -> None:
    stranger = factories.make_agent()
    again = requests.make_draft(stranger, civil_id=sent.civil_id)
    with pytest.raises(Refused) as refused:
        act(again, Action.SEND, stranger)
    assert str(sent.number) not in str(refused.value)
    assert refused.value.refusal.url == ""


@pytest.mark.parametrize(
    "status",
    [Status.WITHDRAWN, Status.REJECTED, ExamStatus.FAILED, ExamStatus.ABSENT, Status.LAPSED],
)
def test_person_may_ask_again_after(agent: User, status: Status) -> None:
    earlier = requests.make_request(agent, status)
    again = requests.make_draft(agent, civil_id=earlier.civil_id)
    later = utc_now() + timedelta(days=20)
    act(again, Action.SEND, agent, now=later)
    assert again.status == Status.SUBMITTED


def test_person_who_passed_may_not_ask_again(agent: User) -> None:
    passed = requests.make_request(agent, ExamStatus.PASSED)
    again = requests.make_draft(agent, civil_id=passed.civil_id)
    with pytest.raises(Refused):
        act(again, Action.SEND, agent)


@pytest.mark.databases
def test_race_lost_at_the_constraint_is_told_like_the_guard(
    agent: User, sent: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = requests.make_draft(agent, civil_id=sent.civil_id)
    monkeypatch.setattr("clearance.services.guards.claim_is_free", lambda case: None)
    monkeypatch.setattr("clearance.requests.eligibility.guards.claim_is_free", lambda case: None)
    with pytest.raises(Refused) as refused:
        act(again, Action.SEND, agent)
    assert sent.number is not None and sent.number in str(refused.value)
    db.session.commit()
    assert again.status == Status.DRAFT and again.number is None
    assert db.session.get_one(Counter, ("CE", utc_now().year)).last == 1


def test_colleague_without_the_grant_cannot_send_and_one_with_it_can(agent: User) -> None:
    req = requests.make_draft(agent)
    organisation = db.session.get_one(Organisation, req.organisation_id)
    with pytest.raises(NotFound):
        act(req, Action.SEND, factories.make_agent(organisation, is_general=False))
    granted = factories.make_agent(organisation, is_general=False, services=("exam",))
    act(req, Action.SEND, granted)
    assert req.sender_id == granted.id


def test_subscription_that_ended_is_noticed_at_sending(agent: User) -> None:
    req = requests.make_draft(agent)
    db.session.add(
        Subscription(
            organisation_id=req.organisation_id,
            service_code="exam",
            status="left",
            asked_at=utc_now(),
        )
    )
    db.session.commit()
    with pytest.raises(Refused) as refused:
        act(req, Action.SEND, agent)
    assert refused.value.refusal.url == "/my/subscriptions/"


# Deciding


def test_deciding_on_an_untaken_request_takes_it_as_an_event_of_its_own(
    reviewer: User, sent: Request
) -> None:
    event = act(sent, Action.PREAPPROVE, reviewer)
    assert (event.from_status, event.to_status) == (Status.UNDER_REVIEW, Status.PREAPPROVED)
    assert steps_of(sent) == ["send", "take", "preapprove"]
    assert sent.reviewer_id == reviewer.id


def test_request_taken_by_another_is_refused_with_the_name(reviewer: User, sent: Request) -> None:
    act(sent, Action.TAKE, reviewer)
    other = factories.make_staff()
    for action in (Action.PREAPPROVE, Action.REJECT, Action.RETURN):
        with pytest.raises(PermissionDenied, match="نورة الصباح"):
            act(sent, action, other, reason="سبب")


def test_request_given_back_can_be_decided_by_another(reviewer: User, sent: Request) -> None:
    act(sent, Action.TAKE, reviewer)
    act(sent, Action.GIVE_BACK, reviewer)
    assert (sent.status, sent.reviewer_id) == (Status.SUBMITTED, None)
    act(sent, Action.REJECT, factories.make_staff(), reason="سبب")
    assert sent.status == Status.REJECTED


def test_manager_assigns_to_a_reviewer_who_is_told(reviewer: User, sent: Request) -> None:
    manager = factories.make_staff(Role.MANAGER)
    act(sent, Action.ASSIGN, manager, data=Assignment(reviewer_id=reviewer.id))
    assert (sent.status, sent.reviewer_id) == (Status.UNDER_REVIEW, reviewer.id)
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "office:assigned")).one()
    assert told.user_id == reviewer.id
    with pytest.raises(PermissionDenied):
        act(sent, Action.PREAPPROVE, factories.make_staff())


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR, Role.AGENT])
def test_work_is_assigned_to_reviewers_only(sent: Request, role: Role) -> None:
    manager = factories.make_staff(Role.MANAGER)
    chosen = factories.make_user(role=role)
    with pytest.raises(Refused):
        act(sent, Action.ASSIGN, manager, data=Assignment(reviewer_id=chosen.id))
    assert (sent.status, sent.reviewer_id) == (Status.SUBMITTED, None)


def test_work_is_not_assigned_to_whom_it_is_about(sent: Request) -> None:
    manager = factories.make_staff(Role.MANAGER)
    concerned = factories.make_staff(civil_id=sent.civil_id)
    with pytest.raises(Refused):
        act(sent, Action.ASSIGN, manager, data=Assignment(reviewer_id=concerned.id))


def test_reviewer_cannot_decide_on_what_they_sent(agent: User, sent: Request) -> None:
    agent.role = Role.REVIEWER
    db.session.commit()
    with pytest.raises(PermissionDenied):
        act(sent, Action.REJECT, agent, reason="سبب")


def test_reviewer_cannot_decide_on_their_own_civil_number(sent: Request) -> None:
    concerned = factories.make_staff(civil_id=sent.civil_id)
    for action in (Action.TAKE, Action.PREAPPROVE, Action.REJECT):
        with pytest.raises(PermissionDenied):
            act(sent, action, concerned, reason="سبب")


def test_reviewer_cannot_decide_on_their_organisation(sent: Request) -> None:
    member = factories.make_staff()
    factories.make_membership(member, db.session.get_one(Organisation, sent.organisation_id))
    with pytest.raises(PermissionDenied):
        act(sent, Action.PREAPPROVE, member)


@pytest.mark.parametrize("reason", ["", "   "])
@pytest.mark.parametrize("action", [Action.RETURN, Action.REJECT])
def test_return_and_reject_need_a_reason(
    reviewer: User, sent: Request, action: Action, reason: str
) -> None:
    with pytest.raises(ReasonRequired):
        act(sent, action, reviewer, reason=reason)
    db.session.commit()
    assert (sent.status, sent.reviewer_id) == (Status.SUBMITTED, None)
    assert steps_of(sent) == ["send"]


def test_a_notice_names_request_and_person(reviewer: User, sent: Request) -> None:
    act(sent, Action.REJECT, reviewer, reason="لا تتوفر الشروط.")
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "request:rejected")).one()
    assert told.params["name"] == {"ar": sent.name_ar, "en": sent.name_en}
    title, _body = inbox.text_of(told, "en")
    assert title == f"Request {sent.number} was rejected ({sent.name_en})"


def test_agent_reads_the_reason_in_the_notice(reviewer: User, sent: Request) -> None:
    act(sent, Action.REJECT, reviewer, reason="لا تتوفر الشروط.")
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "request:rejected")).one()
    assert told.params["reason"] == {"ar": "لا تتوفر الشروط.", "en": "لا تتوفر الشروط."}
    assert told.params["service"] == {
        "ar": "طلب امتحان وكلاء التخليص",
        "en": "Take the clearing agents' exam",
    }


def test_remark_cannot_be_pinned_to_what_the_service_does_not_ask(
    reviewer: User, sent: Request
) -> None:
    for remark in (RemarkInput("؟", field="broker_type"), RemarkInput("؟", document_kind="x")):
        with pytest.raises(ValueError, match="cannot be pinned"):
            act(sent, Action.RETURN, reviewer, reason="سبب", data=Remarks(remarks=(remark,)))


def test_remarked_kind_of_document_alone_is_unlocked(
    agent: User, reviewer: User, sent: Request
) -> None:
    remark = RemarkInput("غير واضحة.", document_kind="photo")
    act(sent, Action.RETURN, reviewer, reason="سبب", data=Remarks(remarks=(remark,)))
    assert completeness.open_document_kinds(sent) == {"photo"}
    assert completeness.open_fields(sent) == frozenset()
    unlocked = db.session.scalars(sa.select(Document.kind).where(Document.is_locked.is_(False)))
    assert list(unlocked) == ["photo"]


def test_return_without_remarks_opens_everything_asked(reviewer: User, sent: Request) -> None:
    act(sent, Action.RETURN, reviewer, reason="راجع بياناتك.")
    asked = {spec.name for spec in versions.for_request(sent).asked}
    assert completeness.open_fields(sent) == asked
    assert "photo" in completeness.open_document_kinds(sent)


# Too late, or not at all


@pytest.mark.databases
def test_loser_is_told_who_decided_and_when(reviewer: User, sent: Request) -> None:
    seen = sent.version
    now = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
    act(sent, Action.REJECT, reviewer, reason="سبب", now=now)
    other = factories.make_staff()
    with force_locale("en"), pytest.raises(TransitionNotAllowed) as told:
        act(sent, Action.PREAPPROVE, other, version=seen)
    assert "The request was rejected" in str(told.value)
    assert "نورة الصباح" in str(told.value)
    assert "02/11/2026 10:30" in str(told.value)


def test_agent_who_comes_too_late_reads_of_the_office_not_of_its_people(
    agent: User, reviewer: User, sent: Request
) -> None:
    seen = sent.version
    act(sent, Action.REJECT, reviewer, reason="سبب")
    with force_locale("en"), pytest.raises(TransitionNotAllowed) as told:
        act(sent, Action.WITHDRAW, agent, version=seen)
    assert "نورة" not in str(told.value)
    assert "Affairs Office" in str(told.value)


def test_repeated_step_changes_nothing(agent: User, sent: Request) -> None:
    seen = sent.version
    act(sent, Action.WITHDRAW, agent)
    with pytest.raises(TransitionNotAllowed):
        act(sent, Action.WITHDRAW, agent, version=seen)
    with pytest.raises(TransitionNotAllowed):
        act(sent, Action.WITHDRAW, agent)
    assert steps_of(sent) == ["send", "withdraw"]


def test_draft_saved_elsewhere_meanwhile_is_not_sent_unseen(agent: User) -> None:
    req = requests.make_draft(agent)
    seen = req.version
    drafts.save(req, {"address": "الفحيحيل"}, actor_of(agent), utc_now())
    with pytest.raises(TransitionNotAllowed):
        act(req, Action.SEND, agent, version=seen)


def test_row_that_is_gone_is_not_found(agent: User) -> None:
    req = requests.make_draft(agent, with_documents=False)
    db.session.execute(sa.delete(Request).where(Request.id == req.id))
    with pytest.raises(NotFound):
        act(req, Action.SEND, agent)


@pytest.mark.databases
def test_row_changed_under_the_judgement_is_not_moved(
    agent: User, sent: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The UPDATE itself refuses, whatever became of the lock."""
    bump = sa.update(Request).values(version=Request.version + 1)
    db.session.execute(bump.execution_options(synchronize_session=False))
    monkeypatch.setattr("clearance.requests.transitions.lock", lambda req: None)
    with pytest.raises(TransitionNotAllowed):
        act(sent, Action.WITHDRAW, agent)
    assert (sent.status, steps_of(sent)) == (Status.SUBMITTED, ["send"])


def test_stranger_learns_nothing_of_a_request(sent: Request) -> None:
    with pytest.raises(NotFound):
        act(sent, Action.WITHDRAW, factories.make_agent())
    with pytest.raises(NotFound):
        act(sent, Action.REJECT, factories.make_staff(Role.ADMINISTRATOR), reason="سبب")


def test_effect_that_fails_undoes_the_whole_step(
    agent: User, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(step: StepContext) -> None:
        step.req.address = "changed"
        raise RuntimeError("no")

    monkeypatch.setitem(registry.current().effects, "fails", Effect(fails, ""))
    publish_plain(on_approval=["fails"])
    req = make_plain(agent)
    with pytest.raises(RuntimeError):
        act(req, Action.APPROVE, reviewer)
    db.session.commit()
    assert (req.status, req.reviewer_id, req.address) == (Status.SUBMITTED, None, "")
    assert steps_of(req) == ["send"]
    assert notices_of(req) == ["request:sent"]


# Lapsing


@pytest.mark.databases
def test_returned_request_lapses_when_its_last_day_in_kuwait_is_over(
    agent: User, reviewer: User
) -> None:
    start = datetime(2026, 1, 4, 8, 0, tzinfo=UTC)
    old = requests.make_request(agent, Status.RETURNED, reviewer=reviewer, now=start)
    young = requests.make_request(
        agent, Status.RETURNED, reviewer=reviewer, now=start + timedelta(days=5)
    )
    assert deadlines.correct_by(Status.RETURNED, start) == date(2026, 3, 5)
    over = kuwait_midnight(date(2026, 3, 6))
    assert transitions.lapse_returned(over - timedelta(seconds=1)) == 0
    assert transitions.lapse_returned(over) == 1
    assert (old.status, young.status) == (Status.LAPSED, Status.RETURNED)
    assert old.exclusive_key is None
    office_settings.set(
        "returned_lapse_days", 10, actor_of(factories.make_staff(Role.ADMINISTRATOR)), start
    )
    assert transitions.lapse_returned(start + timedelta(days=61)) == 1
    assert young.status == Status.LAPSED


def test_request_that_moves_on_meanwhile_does_not_lapse(agent: User) -> None:
    start = datetime(2026, 1, 4, 8, 0, tzinfo=UTC)
    req = requests.make_request(agent, Status.RETURNED, now=start)
    bump = sa.update(Request).values(version=Request.version + 1)
    db.session.execute(bump.execution_options(synchronize_session=False))
    assert transitions.lapse_returned(start + timedelta(days=90)) == 0
    assert req.status == Status.RETURNED
