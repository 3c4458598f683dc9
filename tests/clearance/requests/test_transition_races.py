"""Steps that are taken at the same instant: one of them is done, numbers have no gaps."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.clock import utc_now
from clearance.core.errors import Refused, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Counter, Organisation, Request
from clearance.models.enums import Status
from clearance.requests import drafts as request_drafts
from clearance.requests import transitions
from clearance.services import registry
from clearance.services.effects import Effect, StepContext
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.races import race
from tests.support.steps_taken import make_plain, notices_of, publish_plain, steps_of


def race_approvals(
    app: Flask, times: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[Any], int]:
    """Approve one request `times` at once by four reviewers: (request id, outcomes, effects)."""
    happened: list[int] = []

    def count_approval(step: StepContext) -> None:
        organisation = db.session.get_one(Organisation, step.req.organisation_id)
        organisation.stored_bytes += 1
        happened.append(step.req.id)

    with app.app_context():
        monkeypatch.setitem(
            registry.current().effects, "count_approval", Effect(count_approval, "")
        )
        publish_plain(on_approval=["count_approval"])
        req = make_plain(factories.make_agent())
        request_id, seen = req.id, req.version
        actors = [actor_of(factories.make_staff()) for _ in range(4)]
        db.session.commit()

    def approve(number: int) -> str:
        row = db.session.get_one(Request, request_id)
        transitions.perform(
            row, Action.APPROVE, actor=actors[number % 4], now=utc_now(), version=seen
        )
        db.session.commit()
        return "approved"

    return request_id, race(app, times, approve), len(happened)


def assert_decided_once(app: Flask, request_id: int, outcomes: list[Any], effects_: int) -> None:
    assert outcomes.count("approved") == 1
    losers = [outcome for outcome in outcomes if outcome != "approved"]
    assert {type(loser) for loser in losers} == {TransitionNotAllowed}
    with app.app_context():
        req = db.session.get_one(Request, request_id)
        assert (req.status, effects_) == (Status.APPROVED, 1)
        assert req.organisation.stored_bytes == 1
        assert steps_of(req) == ["send", "take", "approve"]
        assert notices_of(req) == ["request:sent", "request:approved"]
        assert chain.verify(db.session()).faults == []


@pytest.mark.databases
def test_twenty_approvals_at_once_decide_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_decided_once(app, *race_approvals(app, 20, monkeypatch))


@pytest.mark.databases
@pytest.mark.heavy
def test_two_hundred_approvals_at_once_decide_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_decided_once(app, *race_approvals(app, 200, monkeypatch))


def race_sendings(app: Flask, times: int) -> list[Any]:
    """Send `times` different drafts at once. Returns their numbers or errors."""
    with app.app_context():
        publish_plain()
        agent = factories.make_agent()
        now, actor = utc_now(), actor_of(agent)
        drafts = []
        for _ in range(times):
            req = request_drafts.start("plain", actor, now, choice="private")
            request_drafts.save(req, {"words": "سلام"}, actor, now)
            drafts.append((req.id, req.version))
        db.session.commit()

    def send(number: int) -> str | None:
        request_id, seen = drafts[number]
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, Action.SEND, actor=actor, now=now, version=seen)
        db.session.commit()
        return row.number

    return race(app, times, send)


def assert_gapless(numbers: list[Any]) -> None:
    year = utc_now().year % 100
    assert sorted(map(str, numbers)) == sorted(
        f"PL/{serial}/{year:02d}" for serial in range(1, len(numbers) + 1)
    )


@pytest.mark.databases
def test_fifty_sendings_at_once_get_fifty_numbers_without_a_gap(app: Flask) -> None:
    assert_gapless(race_sendings(app, 50))


@pytest.mark.databases
@pytest.mark.heavy
def test_two_hundred_sendings_at_once_get_two_hundred_numbers_without_a_gap(app: Flask) -> None:
    assert_gapless(race_sendings(app, 200))


@pytest.mark.databases
def test_one_civil_number_sent_by_many_at_once_is_open_once(app: Flask) -> None:
    with app.app_context():
        requests.load_services()
        civil_id = factories.civil_id()
        drafts = []
        for _ in range(8):
            agent = factories.make_agent()
            req = requests.make_draft(agent, civil_id=civil_id)
            drafts.append((req.id, req.version, actor_of(agent)))

    def send(number: int) -> str:
        request_id, seen, actor = drafts[number]
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, Action.SEND, actor=actor, now=utc_now(), version=seen)
        db.session.commit()
        return "sent"

    outcomes = race(app, 8, send)
    assert outcomes.count("sent") == 1
    assert {type(outcome) for outcome in outcomes if outcome != "sent"} == {Refused}
    with app.app_context():
        opened = sa.select(sa.func.count()).where(registry.is_open())
        assert db.session.scalar(opened) == 1
        assert db.session.get_one(Counter, ("CE", utc_now().year)).last == 1
