"""The office's clock: runs on working days, stands while the request waits elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.jobs import worker
from clearance.models import Delivery, Holiday, Notice, Request, User
from clearance.models.enums import Role, Status
from clearance.notifications import inbox
from clearance.requests import deadlines
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests

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


def told_late(now: datetime) -> list[tuple[int | None, int]]:
    """Let the clock look at `now`; the (request, user) that have been told until then."""
    deadlines.tell_late(now)
    db.session.commit()
    rows = db.session.execute(
        sa.select(Notice.request_id, Notice.user_id)
        .where(Notice.event == "office:late")
        .order_by(Notice.id)
    )
    return [(row.request_id, row.user_id) for row in rows]


@pytest.mark.databases
def test_every_reviewer_is_told_once_of_a_late_request_nobody_has(agent: User) -> None:
    reviewers = [factories.make_staff(), factories.make_staff()]
    factories.make_staff(Role.MANAGER)
    factories.make_staff(is_active=False)
    req = requests.make_sent(agent, now=SUNDAY)
    assert told_late(day(8)) == []  # the due date itself is in time
    expected = [(req.id, reviewer.id) for reviewer in reviewers]
    assert told_late(day(9)) == expected
    assert told_late(day(9)) == told_late(day(25)) == expected


@pytest.mark.databases
def test_its_reviewer_alone_is_told_however_long_nobody_looked(agent: User) -> None:
    factories.make_staff()
    reviewer = factories.make_staff()
    req = requests.make_request(agent, Status.UNDER_REVIEW, reviewer=reviewer, now=SUNDAY)
    for date_seen in (day(28), day(28), day(29)):
        assert told_late(date_seen) == [(req.id, reviewer.id)]
    notice = db.session.scalars(sa.select(Notice).where(Notice.event == "office:late")).one()
    assert notice.url == f"/office/requests/details/?id={req.id}"
    assert req.number in inbox.text_of(notice, "en")[0]
    late = sa.select(Delivery.address).where(Delivery.event == "office:late")
    assert db.session.scalars(late).all() == [reviewer.email]


@pytest.mark.databases
def test_a_new_due_date_that_passes_is_told_again(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_request(agent, Status.UNDER_REVIEW, reviewer=reviewer, now=SUNDAY)
    once = [(req.id, reviewer.id)]
    assert told_late(day(9)) == once
    requests.step(req, Action.RETURN, reviewer, now=day(10), reason="سبب")
    assert told_late(day(11)) == once  # the clock stands
    requests.step(req, Action.SEND, agent, now=day(12))
    assert req.due_on is not None
    assert told_late(day(12)) == told_late(day(28)) == once * 2


def test_what_is_decided_or_waits_for_others_is_not_late(agent: User) -> None:
    for status in (Status.REJECTED, Status.RETURNED, Status.PREAPPROVED, Status.WITHDRAWN):
        requests.make_request(agent, status, now=SUNDAY)
    requests.make_draft(agent, now=SUNDAY)
    assert told_late(day(28)) == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.MANAGER}])
def test_every_reviewer_is_told_when_the_one_who_had_it_reviews_no_more(
    agent: User, change: dict[str, Any]
) -> None:
    gone, present = factories.make_staff(), factories.make_staff()
    req = requests.make_request(agent, Status.UNDER_REVIEW, reviewer=gone, now=SUNDAY)
    for name, value in change.items():
        setattr(gone, name, value)
    db.session.commit()
    assert told_late(day(9)) == [(req.id, present.id)]


def test_many_late_requests_are_told_in_parts_the_longest_late_first(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_staff()
    second = requests.make_sent(agent, now=day(2))
    first = requests.make_sent(agent, now=SUNDAY)
    monkeypatch.setattr(deadlines, "LATE_BATCH", 1)
    assert [request_id for request_id, _user in told_late(day(28))] == [first.id]
    assert [request_id for request_id, _user in told_late(day(28))] == [first.id, second.id]


def test_telling_of_lateness_leaves_the_request_as_it_was(agent: User) -> None:
    factories.make_staff()
    req = requests.make_sent(agent, now=SUNDAY)
    version = req.version
    told_late(day(9))
    stored = db.session.execute(
        sa.select(Request.version, Request.status).where(Request.id == req.id)
    ).one()
    assert tuple(stored) == (version, Status.SUBMITTED)


def test_the_clock_tells_of_late_requests() -> None:
    assert any(each.work is deadlines.tell_late for each in worker._periodic.values())


def test_second_approval_is_due_like_the_first(agent: User) -> None:
    requests.publish(requests.TRIVIAL, code="double", prefix="DB", flow="two_approvals")
    req = requests.make_sent(agent, "double", now=SUNDAY, words="سلام")
    requests.step(req, Action.APPROVE, factories.make_staff(), now=day(2))
    assert req.due_on == date(2026, 3, 4)
    requests.step(req, Action.APPROVE, factories.make_staff(), now=day(3))
    assert req.due_on is None
