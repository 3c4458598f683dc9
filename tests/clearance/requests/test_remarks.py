"""Every remark on a returned request is answered: by a change, or by why nothing has to change."""

from __future__ import annotations

import pytest

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request, User
from clearance.models.enums import Status
from clearance.requests import attachments, completeness, drafts, remarks
from clearance.requests.completeness import Incomplete
from clearance.requests.remarks import AnswerState
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests

ADDRESS = RemarkInput("أكمل العنوان.", field="address")
PHOTO = RemarkInput("صورة أوضح.", document_kind="photo")


@pytest.fixture
def reviewer(context: object) -> User:
    return factories.make_staff()


def returned(agent: User, reviewer: User, *pinned: RemarkInput) -> Request:
    req = requests.make_sent(agent, address="حولي")
    data = Remarks(remarks=pinned)
    return requests.step(req, Action.RETURN, reviewer, reason="أكمل الطلب.", data=data)


def save(req: Request, agent: User, **values: str) -> None:
    drafts.save(req, values, actor_of(agent), utc_now())
    db.session.commit()


def explain(req: Request, agent: User, text: str) -> None:
    answers = {each.id: text for each in remarks.unsettled(req)}
    drafts.save(req, {}, actor_of(agent), utc_now(), answers=answers)
    db.session.commit()


def states(req: Request) -> list[AnswerState]:
    return [each.state for each in remarks.open_ones(req)]


def lacking(req: Request) -> list[tuple[str | None, str | None]]:
    return [(each.field, each.document_kind) for each in completeness.missing(req)]


@pytest.mark.databases
def test_untouched_it_is_not_sent_again(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS, PHOTO)
    first, second = remarks.unsettled(req)
    assert lacking(req) == [(f"remark_{first.id}", None), (f"remark_{second.id}", "photo")]
    with pytest.raises(Incomplete):
        requests.step(req, Action.SEND, agent)
    db.session.rollback()
    assert req.status == Status.RETURNED


@pytest.mark.databases
def test_a_change_answers_its_remark_and_no_other(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS, PHOTO)
    save(req, agent, address="السالمية")
    assert states(req) == [AnswerState.CHANGED, AnswerState.OPEN]
    requests.make_document(req, "photo", agent)
    assert states(req) == [AnswerState.CHANGED, AnswerState.CHANGED]
    requests.step(req, Action.SEND, agent)
    answered = remarks.of_last_sending(req)
    assert [each.state for each in answered] == [AnswerState.CHANGED, AnswerState.CHANGED]


def test_what_is_changed_back_is_not_answered(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS)
    save(req, agent, address="السالمية")
    save(req, agent, address="حولي")
    assert states(req) == [AnswerState.OPEN]


def test_a_reason_why_nothing_has_to_change_answers_too(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS, PHOTO)
    explain(req, agent, "  هكذا في البطاقة.\r\n ")
    assert states(req) == [AnswerState.EXPLAINED, AnswerState.EXPLAINED]
    assert {each.answer for each in remarks.unsettled(req)} == {"هكذا في البطاقة."}
    requests.step(req, Action.SEND, agent)
    assert [each.remark.answer for each in remarks.of_last_sending(req)] == ["هكذا في البطاقة."] * 2


@pytest.mark.parametrize("empty", ["", "   ", "\u2068 \u2069"])
def test_an_empty_reason_answers_nothing(agent: User, reviewer: User, empty: str) -> None:
    req = returned(agent, reviewer, ADDRESS)
    explain(req, agent, empty)
    assert states(req) == [AnswerState.OPEN]


def test_removing_the_document_answers_its_remark(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, PHOTO)
    photo = next(document for document in req.documents if document.kind == "photo")
    attachments.remove(photo, actor_of(agent), utc_now())
    db.session.commit()
    assert states(req) == [AnswerState.CHANGED]
    assert lacking(req) == [(None, "photo")]  # it is required all the same


def test_without_remarks_nothing_has_to_be_answered(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer)
    assert lacking(req) == []
    requests.step(req, Action.SEND, agent)
    assert remarks.of_last_sending(req) == []


def test_the_answers_of_another_request_are_not_touched(agent: User, reviewer: User) -> None:
    mine, other = (returned(agent, reviewer, ADDRESS) for _number in range(2))
    (theirs,) = remarks.unsettled(other)
    answers = {theirs.id: "شيء آخر"}
    drafts.save(mine, {}, actor_of(agent), utc_now(), answers=answers)
    assert states(mine) == states(other) == [AnswerState.OPEN]


def test_a_settled_remark_is_answered_no_more(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS)
    (first,) = remarks.unsettled(req)
    explain(req, agent, "صحيح.")
    requests.step(req, Action.SEND, agent)
    again = Remarks(remarks=(PHOTO,))
    requests.step(req, Action.RETURN, reviewer, reason="بقيت الصورة.", data=again)
    drafts.save(req, {}, actor_of(agent), utc_now(), answers={first.id: "غير ذلك"})
    assert first.answer == "صحيح."
    assert states(req) == [AnswerState.OPEN]


def test_a_new_round_counts_its_own_changes_only(agent: User, reviewer: User) -> None:
    req = returned(agent, reviewer, ADDRESS)
    save(req, agent, address="السالمية")
    requests.step(req, Action.SEND, agent)
    data = Remarks(remarks=(ADDRESS,))
    requests.step(req, Action.RETURN, reviewer, reason="ما زال ناقصاً.", data=data)
    assert states(req) == [AnswerState.OPEN]
    with pytest.raises(Incomplete):
        requests.step(req, Action.SEND, agent)
