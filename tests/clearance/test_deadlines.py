"""The office's clock: runs on working days, stands while the request waits elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from clearance.extensions import db
from clearance.models import Holiday, User
from clearance.procedures.flows import Action
from clearance.vocabulary import Status
from tests import factories
from tests import request_factories as requests

SUNDAY = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def day(number: int) -> datetime:
    """Ten in the morning of a day of March 2026, in Kuwait."""
    return SUNDAY.replace(day=number)


@pytest.fixture
def agent(context: Flask) -> User:
    requests.load_services(SUNDAY)
    return factories.make_agent()


def test_request_is_due_after_its_working_days(agent: User) -> None:
    assert requests.make_sent(agent, now=SUNDAY).due_on == date(2026, 3, 8)


def test_holidays_are_not_counted(agent: User) -> None:
    db.session.add(Holiday(day=date(2026, 3, 3), name_ar="عطلة", name_en="Holiday"))
    db.session.commit()
    assert requests.make_sent(agent, now=SUNDAY).due_on == date(2026, 3, 9)


@pytest.mark.databases
def test_clock_stands_while_the_request_is_returned(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_sent(agent, now=SUNDAY)
    requests.step(req, Action.RETURN, reviewer, now=day(3), reason="سبب")
    assert req.due_on is None
    requests.step(req, Action.SEND, agent, now=day(10))  # five working days later
    assert req.due_on == date(2026, 3, 15)
    requests.step(req, Action.RETURN, reviewer, now=day(11), reason="سبب")
    requests.step(req, Action.SEND, agent, now=day(12))
    assert req.due_on == date(2026, 3, 16)


def test_taking_and_giving_back_do_not_move_the_day(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_sent(agent, now=SUNDAY)
    for action in (Action.TAKE, Action.GIVE_BACK, Action.TAKE):
        requests.step(req, action, reviewer, now=day(4))
        assert req.due_on == date(2026, 3, 8)


def test_answered_candidates_are_not_due(agent: User) -> None:
    req = requests.make_request(agent, Status.PREAPPROVED, now=SUNDAY)
    assert req.due_on is None


def test_second_approval_is_due_like_the_first(agent: User) -> None:
    requests.publish(requests.TRIVIAL, code="double", prefix="DB", flow="two_approvals")
    req = requests.make_request(agent, Status.PREAPPROVED, code="double", now=SUNDAY, words="سلام")
    assert req.due_on == date(2026, 3, 4)
    requests.step(req, Action.APPROVE, factories.make_staff(), now=day(3))
    assert req.due_on is None
