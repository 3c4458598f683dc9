"""The queues' conditions: a page of them is read from the index of what is undecided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.office.requests import queues
from admin_views.shared import request_lists
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.models.enums import Status
from clearance.services import registry
from clearance.transfers.statuses import TransferStatus
from tests.support import factories, request_factories

CONDITIONS: dict[str, Callable[[], Any]] = {
    "mine": lambda: queues.my_open(1),
    "unassigned": lambda: queues.UNASSIGNED,
    "of a team": lambda: sa.and_(queues.UNASSIGNED, queues.of_teams({"review"})),
    "with a team": lambda: queues._team("review"),
    "in a stage": lambda: queues._stage("permit.check"),
    "late": queues.overdue,
    "waiting": queues.waiting_for_applicant,
    "open": request_lists.is_open,
}


def plan_of(statement: sa.Select[Any]) -> list[str]:
    """How SQLite would answer."""
    text = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    return [row[-1] for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))]


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("descending", [False, True])
def test_a_page_of_a_queue_is_read_in_order_from_the_index_of_the_undecided(
    context: Flask, name: str, descending: bool
) -> None:
    direction = sa.desc if descending else sa.asc
    page = sa.select(Request.id, Request.number).where(
        Request.status != Status.DRAFT, CONDITIONS[name]()
    )
    keys = (direction(Request.sent_at), direction(Request.id))
    plan = plan_of(page.order_by(*keys).limit(26))
    assert plan == ["SCAN request USING INDEX ix_request_undecided"]


@pytest.mark.databases
def test_open_requests_are_those_from_sending_to_decision(context: Flask) -> None:
    agent = factories.make_agent()
    for status in (
        Status.DRAFT,
        Status.SUBMITTED,
        Status.UNDER_REVIEW,
        Status.RETURNED,
        Status.PREAPPROVED,
        ExamStatus.SEATED,
        ExamStatus.CONFIRMED,
        ExamStatus.PASSED,
        Status.REJECTED,
        Status.WITHDRAWN,
        Status.LAPSED,
    ):
        request_factories.make_request(agent, status)
    found = set(db.session.scalars(sa.select(Request.status).where(request_lists.is_open())))
    assert found == registry.current().open_statuses - {
        TransferStatus.AWAITING_BROKER,
        TransferStatus.AWAITING_OTHER_PARTY,
    }
    at_office = db.session.scalars(sa.select(Request.status).where(queues.AT_THE_OFFICE))
    assert set(at_office) == {Status.SUBMITTED, Status.UNDER_REVIEW}
    waiting = db.session.scalars(sa.select(Request.status).where(queues.waiting_for_applicant()))
    assert set(waiting) == {Status.RETURNED, ExamStatus.SEATED}
