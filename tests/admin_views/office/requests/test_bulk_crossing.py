"""Two who change many rows at once, in opposite orders: neither waits for the other for good."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask

from admin_views.office.bulk import SelectedRow
from admin_views.office.requests import bulk
from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.jobs import maintenance
from clearance.models import Licence, Request, User
from clearance.models.enums import Status
from clearance.requests import batch
from clearance.services.flows import Action
from tests.support import factories, issued_factories
from tests.support import request_factories as requests
from tests.support.races import race

LICENCES, ROUNDS = 5, 8


def approve(chosen: list[SelectedRow], reviewer: Actor) -> list[str]:
    done = bulk.perform_on_each(
        chosen,
        Action.APPROVE,
        reason=Reason(),
        decisions_of=lambda request_id: (),
        actor=reviewer,
        key="",
    )
    return [each.why for each in done or ()]


def send(ids: list[int], agent: Actor) -> list[bool]:
    drafts = [db.session.get_one(Request, request_id) for request_id in ids]
    outcomes = list(batch.send(drafts, agent, utc_now()))
    db.session.commit()
    return [outcome.is_sent for outcome in outcomes]


def decide_or_send(
    chosen: list[SelectedRow], reviewer: Actor, drafts: list[int], agent: Actor, number: int
) -> Any:
    return send(drafts, agent) if number else approve(chosen, reviewer)


def decide_or_analyze(chosen: list[SelectedRow], reviewer: Actor, number: int) -> Any:
    return maintenance.refresh_statistics(utc_now()) if number else approve(chosen, reviewer)


def crossing(agent: User, licences: list[Licence]) -> tuple[list[SelectedRow], list[int]]:
    """Letters sent in the order of the licences, and drafts begun in the opposite one."""
    sent = [requests.make_sent(agent, "letter", licence_id=licence.id) for licence in licences]
    drafts = [
        requests.make_draft(agent, "letter", licence_id=licence.id) for licence in licences[::-1]
    ]
    return [SelectedRow(req.id, req.version) for req in sent], [req.id for req in drafts]


@pytest.mark.heavy
@pytest.mark.databases
def test_a_decision_and_a_grid_on_the_same_licences_cross_without_harm(context: Flask) -> None:
    requests.load_services()
    office = factories.make_organisation()
    agent, reviewer = factories.make_agent(office), factories.make_staff()
    licences = [issued_factories.make_licence(office) for _each in range(LICENCES)]
    for _round in range(ROUNDS):
        chosen, drafts = crossing(agent, licences)
        deciding, asking = actor_of(reviewer), actor_of(agent)
        db.session.rollback()

        work = partial(decide_or_send, chosen, deciding, drafts, asking)
        assert race(context, 2, work) == [[""] * LICENCES, [True] * LICENCES]
        db.session.expire_all()
        for each in chosen:
            assert db.session.get_one(Request, each.id).status == Status.APPROVED
        for request_id in drafts:
            assert db.session.get_one(Request, request_id).status == Status.SUBMITTED


@pytest.mark.databases
def test_statistics_are_refreshed_beside_a_decision_on_many(context: Flask) -> None:
    requests.load_services()
    office = factories.make_organisation()
    agent, reviewer = factories.make_agent(office), factories.make_staff()
    licences = [issued_factories.make_licence(office) for _each in range(LICENCES)]
    chosen, _drafts = crossing(agent, licences)
    deciding = actor_of(reviewer)
    db.session.rollback()
    work = partial(decide_or_analyze, chosen, deciding)
    assert race(context, 2, work) == [[""] * LICENCES, "done"]
    db.session.expire_all()
    assert {db.session.get_one(Request, row.id).status for row in chosen} == {Status.APPROVED}
