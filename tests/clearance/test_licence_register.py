"""The register's one writer: what changes, what is noted, and what the trail says."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import audit, licence_register
from clearance.calendar import utc_now
from clearance.extensions import db
from clearance.models import Broker, Event, Licence, LicenceChange, User
from clearance.vocabulary import LicenceStatus, LicenceStep, SuspendedBy
from tests import factories
from tests import request_factories as requests
from tests.issued_factories import make_licence

NOW = utc_now()
EXPIRES = date(2029, 6, 30)


@pytest.fixture
def agent(context: Flask) -> User:
    requests.load_services()
    return factories.make_agent()


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
    assert audit.verify_chain(db.session()) == []


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
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Broker)) == 1
    assert former.status == LicenceStatus.CANCELLED
    assert db.session.get_one(Licence, licence.id).status == LicenceStatus.ACTIVE
