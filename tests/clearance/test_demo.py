"""The demo world: made once, in every state, by the rules; and as many requests as wanted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import audit, customs, definition, demo, storage, workflow
from clearance.calendar import utc_now
from clearance.demo import mass
from clearance.demo.names import candidate
from clearance.demo.people import ACCOUNTS, CUSTOMS_PASSWORD, FREE_LICENCE, PASSWORD
from clearance.extensions import db
from clearance.models import Broker, Document, Exam, Licence, Organisation, Request, User
from clearance.passwords import verify_password
from clearance.procedures.flows import Action
from clearance.sessions import actor_of
from clearance.values import civil_number_fault
from clearance.vocabulary import LicenceStatus, Status
from tests import request_factories

OF_THE_EXAM = {
    Status.DRAFT,
    Status.SUBMITTED,
    Status.UNDER_REVIEW,
    Status.RETURNED,
    Status.PREAPPROVED,
    Status.SEATED,
    Status.CONFIRMED,
    Status.PASSED,
    Status.FAILED,
    Status.ABSENT,
    Status.REJECTED,
    Status.WITHDRAWN,
    Status.LAPSED,
}


def build() -> None:
    definition.load_missing(utc_now())
    db.session.commit()
    demo.build_world(utc_now())


def test_the_world_has_requests_in_every_state_of_the_exam(context: Flask) -> None:
    build()
    assert set(db.session.scalars(sa.select(Request.status).distinct())) == OF_THE_EXAM
    dates = db.session.scalars(sa.select(Exam.held_at).order_by(Exam.held_at)).all()
    assert len(dates) == 2
    assert dates[0] < utc_now() < dates[1]
    assert audit.verify_chain(db.session()) == []


def test_the_world_has_two_organisations_with_licences_in_every_state(context: Flask) -> None:
    build()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 2
    assert set(db.session.scalars(sa.select(Licence.status))) == set(LicenceStatus)
    assert all(
        civil_number_fault(each) is None for each in db.session.scalars(sa.select(Broker.civil_id))
    )


def test_every_listed_account_signs_in_with_the_listed_password(context: Flask) -> None:
    build()
    users = {user.email: user for user in db.session.scalars(sa.select(User))}
    assert set(users) == {account.email for account in ACCOUNTS}
    assert all(verify_password(user.password_hash, PASSWORD) for user in users.values())


def test_the_free_customs_account_registers_and_the_claimed_one_is_known(context: Flask) -> None:

    build()
    answer = customs.verify(FREE_LICENCE, "demo.broker", CUSTOMS_PASSWORD, utc_now())
    assert answer.licence_no == FREE_LICENCE
    assert answer.brokers[0].licence.number == FREE_LICENCE


def test_documents_of_the_world_have_their_files(context: Flask) -> None:

    build()
    document = db.session.scalars(sa.select(Document)).first()
    assert storage.read(document.storage_key, document.sha256).startswith(b"\xff\xd8")


def test_a_database_with_people_is_left_alone(context: Flask) -> None:
    build()
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Request))
    demo.build_world(utc_now())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Request)) == before


@pytest.mark.databases
def test_many_requests_get_numbers_that_go_on_and_obey_the_claims(context: Flask) -> None:
    build()
    mass.add_requests(1_200, utc_now())
    rows = db.session.execute(
        sa.select(Request.number, Request.status, Request.exclusive_key)
    ).all()
    numbers = [row.number for row in rows if row.number]
    assert len(numbers) == len(set(numbers)) >= 1_200
    claimed = [row.exclusive_key for row in rows if row.exclusive_key]
    assert len(claimed) == len(set(claimed))
    for status in (Status.SUBMITTED, Status.PASSED, Status.REJECTED):
        assert any(row.status == status for row in rows)


@pytest.mark.databases
def test_many_requests_stand_in_the_trail_and_leave_the_portal_working(context: Flask) -> None:
    build()
    workflow.tell_late(utc_now())
    db.session.commit()
    mass.add_requests(60, utc_now())
    invented = db.session.scalars(sa.select(Request).order_by(Request.id.desc())).first()
    agent = db.session.scalars(sa.select(User).where(User.email == "general@example.com")).one()
    assert [each.action for each in workflow.timeline(invented, actor_of(agent))] == [Action.SEND]
    assert workflow.tell_late(utc_now()) == 0  # nobody is written to about what never was
    request_factories.make_sent(agent)
    assert audit.verify_chain(db.session()) == []


def test_the_same_count_gives_the_same_requests() -> None:
    assert candidate(77) == candidate(77)
    people = [candidate(number) for number in range(0, 60_000, 7)]
    assert len({person.civil_id for person in people}) == len(people)
    assert all(civil_number_fault(person.civil_id) is None for person in people[:200])
