"""The register's one writer: what changes, what is noted, and what the trail says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.models import Broker, Event, Licence, LicenceChange, Request, User
from clearance.models.enums import LicenceStatus, LicenceStep, Status, SuspendedBy
from clearance.requests import drafts, transitions
from clearance.requests import drafts as request_drafts
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.crossings import Instant, crossed
from tests.support.issued_factories import make_licence
from tests.support.races import race
from tests.support.rows import count_of

NOW = utc_now()
EXPIRES = date(2029, 6, 30)
TOGETHER = 120


@pytest.mark.databases
def test_change_is_noted_with_both_values_in_history_and_trail(agent: User) -> None:
    licence = make_licence(agent.memberships[0].organisation, passport_no="P1")
    entry = licence_register.change(
        licence,
        LicenceStep.CORRECTED,
        {"expires": EXPIRES, "passport_no": "P2", "name_ar_1": "خالد", "nationality": "KW"},
        now=NOW,
        actor_id=agent.id,
        reason="خطأ في الإدخال",
    )
    db.session.commit()
    assert entry.changes == {
        "expires": ["2030-06-30", "2029-06-30"],
        "passport_no": ["P1", "P2"],
        "name_ar_1": ["أحمد", "خالد"],
    }
    assert (licence.expires, licence.version, licence.broker.version) == (EXPIRES, 2, 2)
    assert "خالد" in licence.broker.name_folded and "احمد" not in licence.broker.name_folded
    event = db.session.scalars(sa.select(Event).filter_by(kind="register:corrected")).one()
    assert (event.changes, event.reason) == (entry.changes, "خطأ في الإدخال")
    assert (event.object_type, event.object_id) == ("licence", str(licence.id))
    assert chain.verify(db.session()).faults == []


def test_change_of_the_broker_alone_makes_an_older_view_of_the_licence_stale(agent: User) -> None:
    licence = make_licence()
    licence_register.change(
        licence, LicenceStep.UPDATED, {"mobile": "+96550000009"}, now=NOW, actor_id=None
    )
    assert (licence.version, licence.broker.version) == (2, 2)
    licence_register.change(
        licence,
        LicenceStep.SUSPENDED,
        {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE},
        now=NOW,
        actor_id=None,
    )
    assert (licence.version, licence.broker.version) == (3, 2)


def test_unknown_field_is_no_change_of_the_register(agent: User) -> None:
    licence = make_licence()
    with pytest.raises(ValueError, match="number"):
        licence_register.change(
            licence, LicenceStep.CORRECTED, {"number": "X"}, now=NOW, actor_id=None
        )
    assert db.session.scalars(sa.select(LicenceChange)).all() == []


@pytest.mark.databases
def test_new_licence_gets_the_next_number_that_no_other_has(agent: User) -> None:
    make_licence(number="KW-2")
    candidate = requests.make_request(agent, "passed")
    numbers = []
    for _each in range(2):
        req = requests.make_draft(agent, "issuance", candidate_id=candidate.id)
        req.civil_id = factories.civil_id()
        licence = licence_register.issue(req, expires=EXPIRES, now=NOW, actor_id=None)
        numbers.append(licence.number)
    assert numbers == ["KW-1", "KW-3"]


def test_person_whose_licence_was_cancelled_keeps_the_row_and_gets_a_new_licence(
    agent: User,
) -> None:
    candidate = requests.make_request(agent, "passed")
    former = make_licence(
        status=LicenceStatus.CANCELLED, civil_id=candidate.civil_id, name_ar_1="أمس"
    )
    req = requests.make_draft(agent, "issuance", candidate_id=candidate.id)
    licence = licence_register.issue(req, expires=EXPIRES, now=NOW, actor_id=None)
    db.session.commit()
    assert licence.broker_id == former.broker_id and licence.id != former.id
    assert licence.broker.organisation_id == req.organisation_id
    assert licence.broker.name_ar == candidate.name_ar
    entry = db.session.scalars(sa.select(LicenceChange).filter_by(licence_id=licence.id)).one()
    assert entry.changes["name_ar_1"] == ["أمس", candidate.name_ar_1]
    assert entry.changes["number"] == [None, licence.number]
    assert count_of(Broker) == 1
    assert former.status == LicenceStatus.CANCELLED
    assert db.session.get_one(Licence, licence.id).status == LicenceStatus.ACTIVE


def ask_for_a_letter(app: Flask, licence_id: int, actor: Actor) -> str:
    with app.app_context():
        drafts.start("letter", actor, utc_now(), choice=licence_id)
        db.session.commit()
    return "begun"


@pytest.mark.databases
def test_beginning_a_request_waits_for_nobody_who_changes_its_licence(
    app: Flask, agent: User
) -> None:
    licence = make_licence(agent.memberships[0].organisation)
    begin = partial(ask_for_a_letter, app, licence.id, actor_of(agent))
    db.session.rollback()

    with crossed(app, Instant.LOCK, begin, table="broker") as came:
        licence_register.lock(licence.id)
    db.session.commit()
    assert (came or [begin()]) == ["begun"]


def begin_or_send(
    licence_id: int, drafts: Sequence[int], actor: Actor, number: int
) -> Status | Refused:
    """Begin a request about the licence, or send one; who is late for a renewal is refused."""
    code, draft = ("letter", "renewal")[number // 2 % 2], drafts[number]
    try:
        if number % 2:
            req = request_drafts.start(code, actor, utc_now(), choice=licence_id)
        else:
            req = db.session.get_one(Request, draft)
            transitions.perform(req, Action.SEND, actor=actor, now=utc_now(), version=req.version)
    except Refused as refusal:
        db.session.rollback()
        return refusal
    db.session.commit()
    return Status(req.status)


@pytest.mark.heavy
@pytest.mark.databases
def test_many_who_begin_and_send_about_one_licence_never_lock_each_other_out(
    app: Flask, database: Any
) -> None:
    with app.app_context():
        requests.load_services()
        agent = factories.make_agent()
        expires = kuwait_today() + timedelta(days=30)
        licence = make_licence(agent.memberships[0].organisation, expires=expires)
        drafts = [
            requests.make_draft(agent, ("letter", "renewal")[n // 2 % 2], licence_id=licence.id).id
            for n in range(TOGETHER)
        ]
        work = partial(begin_or_send, licence.id, drafts, actor_of(agent))
        db.session.rollback()
    outcomes = race(app, TOGETHER, work, threads=8)  # more wait in vain on a busy machine
    faults = [outcome for outcome in outcomes if not isinstance(outcome, Status | Refused)]
    assert not faults, faults
    assert outcomes.count(Status.SUBMITTED) == TOGETHER // 4 + 1  # of the renewals one
    with app.app_context():
        db.engine.dispose()
    assert database.deadlocks() == 0
