"""Messages about a request: who writes, who is told, what is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.values import BadValue
from clearance.models import Event, Notice, Request, User
from clearance.models.enums import Role, Status
from clearance.requests import messages as request_messages
from tests.support import factories, request_factories


@pytest.fixture
def sent(agent: User) -> Request:
    return request_factories.make_sent(agent)


def write(req: Request, user: User, body: str = "سؤال") -> None:
    request_messages.post(req, body, actor_of(user), utc_now())
    db.session.commit()


def told(event: str) -> list[int]:
    return list(db.session.scalars(sa.select(Notice.user_id).where(Notice.event == event)))


def test_an_applicants_message_is_told_to_every_reviewer_until_one_has_the_request(
    agent: User,
) -> None:
    reviewers = [factories.make_staff(), factories.make_staff()]
    factories.make_staff(Role.MANAGER)
    write(request_factories.make_sent(agent), agent)
    assert sorted(told("office:message")) == [reviewer.id for reviewer in reviewers]


def test_it_is_told_to_the_requests_reviewer_alone(agent: User) -> None:
    factories.make_staff()
    reviewer = factories.make_staff()
    req = request_factories.make_request(agent, Status.UNDER_REVIEW, reviewer=reviewer)
    write(req, agent)
    assert told("office:message") == [reviewer.id]


def test_an_answer_is_told_to_the_applicants(sent: Request, agent: User) -> None:
    write(sent, factories.make_staff(), "جواب")
    assert told("request:message") == [agent.id]


def test_messages_are_read_in_their_order_and_stand_in_the_trail(
    sent: Request, agent: User
) -> None:
    for body in ("أول", "ثان"):
        write(sent, agent, body)
    assert [message.body for message in request_messages.of_request(sent)] == ["أول", "ثان"]
    kinds = db.session.scalars(sa.select(Event.kind).where(Event.request_id == sent.id)).all()
    assert kinds.count("request:message:posted") == 2


def test_a_draft_has_no_conversation(agent: User) -> None:
    draft = request_factories.make_draft(agent)
    with pytest.raises(request_messages.NoConversationYet):
        write(draft, agent)


@pytest.mark.parametrize("body", ["", " \n ", "x" * 2001])
def test_an_empty_or_endless_message_is_refused(sent: Request, agent: User, body: str) -> None:
    with pytest.raises(BadValue):
        write(sent, agent, body)


@pytest.mark.parametrize("who", ["foreign", "manager", "administrator"])
def test_who_has_no_part_in_it_writes_nothing(sent: Request, who: str) -> None:
    user = factories.make_agent() if who == "foreign" else factories.make_staff(Role(who))
    with pytest.raises(NotFound):
        write(sent, user)
    assert request_messages.of_request(sent) == []
