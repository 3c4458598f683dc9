"""The demo world: made once, in every state, by the rules; and as many requests as wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from clearance import demo
from clearance.auth.passwords import verify_password
from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.core.values import civil_number_fault
from clearance.customs import client as customs_client
from clearance.demo import mass, people, register, stories_subscriptions, stories_users
from clearance.demo.names import candidate
from clearance.demo.people import ACCOUNTS, CUSTOMS_PASSWORD, FREE_LICENCE, GRANTED, PASSWORD
from clearance.exams import starts as exam_starts
from clearance.files import storage
from clearance.issuing import files as issued_files
from clearance.licences import granted_expiry, validity
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.models import (
    Broker,
    Document,
    Event,
    Exam,
    Grant,
    IssuedDocument,
    Licence,
    LicenceChange,
    Notice,
    Organisation,
    Request,
    Subscription,
    User,
)
from clearance.models.enums import (
    LicenceStatus,
    Status,
    SubscriptionStatus,
    SuspendedBy,
    ValidityLink,
)
from clearance.organisations import invitation_queries, subscriptions
from clearance.requests import available_actions, completeness, deadlines, timeline
from clearance.services import versions
from clearance.services.flows import Action
from clearance.transfers import operations as transfer_operations
from clearance.transfers.statuses import TransferStatus
from tests.support import issued_factories, request_factories
from tests.support.databases import SqliteDatabase

NOW = datetime(2026, 12, 1, 7, 30, tzinfo=UTC)
JPEG, PDF = b"\xff\xd8", b"%PDF"


def make_world(folder: Path) -> Flask:
    """The world as it is on NOW, in a database of its own."""
    database = SqliteDatabase(folder)
    database.restore()
    app = create_app(
        testing=True, database_url=database.url, storage_url=f"file://{folder / 'files'}"
    )
    with app.app_context():
        versions.publish_missing(NOW)
        db.session.commit()
        demo.build_world(NOW)
        db.session.remove()
    return app


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = make_world(tmp_path_factory.mktemp("world"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def world(_made: Flask) -> Iterator[Flask]:
    """The world, made once for this file; what a test changes is rolled back."""
    with _made.app_context():
        yield _made
        db.session.rollback()


def user(name: str) -> User:
    return db.session.scalars(sa.select(User).where(User.email == f"{name}@example.com")).one()


def states_of(code: str) -> set[str]:
    """Every status that a request for the service can be in by its flow."""
    steps = versions.current(code).definition.steps.steps
    targets = {step.target for step in steps if step.target is not None}
    return {Status.DRAFT, *targets}


def count(model: Any, **columns: Any) -> int:
    statement = sa.select(sa.func.count()).select_from(model).filter_by(**columns)
    return db.session.scalar(statement) or 0


def licences(office: str | None = None) -> list[Licence]:
    statement = (
        sa.select(Licence)
        .join(Broker, Broker.id == Licence.broker_id)
        .join(Organisation, Organisation.id == Broker.organisation_id)
    )
    if office is not None:
        statement = statement.where(Organisation.licence_no == office)
    return list(db.session.scalars(statement))


def test_every_service_has_requests_in_every_state_of_its_flow(world: Flask) -> None:
    found: dict[str, set[str]] = {}
    for code, status in db.session.execute(sa.select(Request.service_code, Request.status)):
        found.setdefault(code, set()).add(status)
    shipped = [version.definition.code for version in versions.all_current()]
    assert len(shipped) == 9
    assert {code: states_of(code) - found[code] for code in shipped} == {
        code: set() for code in shipped
    }


def test_the_trail_is_whole_and_one_sitting_was_held_and_one_is_to_come(world: Flask) -> None:
    assert chain.verify(db.session()).faults == []
    held, coming = db.session.scalars(sa.select(Exam.held_at).order_by(Exam.held_at)).all()
    assert held < NOW < coming
    lived = sa.select(Event.at).where(Event.request_id.is_not(None)).order_by(Event.id)
    times = list(db.session.scalars(lived))
    assert times == sorted(times)  # all stories together, in the order of time
    assert times[-1] <= NOW


def test_sixty_brokers_of_three_offices_and_those_who_passed_since(world: Flask) -> None:
    assert sum(len(shapes) for shapes in register.SHAPES) == 60
    assert count(Organisation) == 3
    assert count(Broker) == 62
    numbers = list(db.session.scalars(sa.select(Broker.civil_id)))
    assert [number for number in numbers if civil_number_fault(number)] == []
    assert {each.status for each in licences()} == set(LicenceStatus)
    assert {each.suspended_by for each in licences()} == {None, *SuspendedBy}
    for licence in licences():
        assert validity.status_on(licence, kuwait_date(NOW)) == licence.status


def test_licences_end_soon_by_each_link_and_their_users_know(world: Flask) -> None:
    today = kuwait_date(NOW)
    soon = {
        (validity.of(licence).link, (validity.of(licence).until - today).days)
        for licence in licences(people.CLAIMED_LICENCE)
        if licence.status == LicenceStatus.ACTIVE
    }
    assert {(link, days) for link in ValidityLink for days in (7, 30, 60)} <= soon
    assert count(Notice, event="licence:expiring", user_id=user("general").id) >= 12
    assert count(Notice, event="licence:expired", user_id=user("receiver").id) >= 1


def test_a_candidate_waits_and_transfers_wait_for_each_party(world: Flask) -> None:
    general, receiver = actor_of(user("general")), actor_of(user("receiver"))
    for actor in (general, receiver):
        assert len(transfer_operations.waiting_for(actor, NOW)) == 1
        offers = exam_starts.startable_candidates("issuance", actor, NOW)
        assert any(offer.refusal is None for offer in offers)
    assert count(Request, status=TransferStatus.AWAITING_BROKER) == 1


def test_each_office_awaits_somebody_it_added(world: Flask) -> None:
    for name in ("general", "receiver"):
        (row,) = invitation_queries.awaited(user(name).memberships[0].organisation_id, NOW)
        assert row.is_open and row.can_resend
    (invitation,) = invitation_queries.open_for(actor_of(user("additional")), NOW)
    assert invitation.services == ["letter"]
    assert count(User, email=stories_users.NEWCOMER) == 0


def test_subscriptions_by_approval_are_given_refused_and_still_asked_for(world: Flask) -> None:
    receiver = subscriptions.catalogue(actor_of(user("receiver")), NOW)
    not_held = {each.code: each.status for each in receiver if not each.is_held}
    assert not_held == {stories_subscriptions.BY_APPROVAL: SubscriptionStatus.ASKED}
    assert count(Notice, event="subscription:decided", user_id=user("receiver").id) == 1
    general = subscriptions.catalogue(actor_of(user("general")), NOW)
    assert all(each.is_held for each in general)
    officer = count(
        Subscription, status="active", decided_by_id=user("reviewer").id, service_code="lost_card"
    )
    assert officer == 1
    assert count(Notice, event="subscription:asked", user_id=user("reviewer2").id) == 3


def test_every_kind_of_document_is_issued_and_can_be_downloaded(world: Flask) -> None:
    newest = {
        kind: db.session.scalar(
            sa.select(sa.func.max(IssuedDocument.id)).where(
                IssuedDocument.kind == kind, IssuedDocument.voided_at.is_(None)
            )
        )
        for kind in issued_factories.OF_LICENCES
    }
    db.session.rollback()  # files are made in transactions of their own
    assert all(issued_files.file_of(each).startswith(PDF) for each in newest.values())
    languages = db.session.scalars(sa.select(IssuedDocument.language).filter_by(kind="letter"))
    assert set(languages) == {"ar", "en"}
    assert count(IssuedDocument, void_reason="lost") == 2


def test_documents_have_their_files_and_some_are_shared(world: Flask) -> None:
    rows = db.session.scalars(sa.select(Document)).all()
    files = {row.storage_key: row.sha256 for row in rows}
    assert all(storage.read(key, sha256).startswith(JPEG) for key, sha256 in files.items())
    assert len({row.request_id for row in rows if row.kind == "other"}) == 3
    assert len({row.storage_key for row in rows if row.kind == "other"}) == 1
    for office in db.session.scalars(sa.select(Organisation)):
        sizes = {row.storage_key: row.size for row in rows if row.request.organisation is office}
        assert office.stored_bytes == sum(sizes.values())


def test_what_is_open_can_be_carried_on(world: Flask) -> None:
    """Approving what waits is refused by no guard; what was sent lacks nothing."""
    reviewer = actor_of(user("reviewer"))
    waiting = db.session.scalars(sa.select(Request).where(Request.status == Status.SUBMITTED))
    for req in waiting.all():
        assert completeness.missing(req, NOW) == [], req.number
        offered = {each.action: each for each in available_actions.for_request(req, reviewer, NOW)}
        for action in {Action.APPROVE, Action.PREAPPROVE} & set(offered):
            assert offered[action].refusal is None, req.number


def test_every_listed_account_signs_in_and_has_its_grants(world: Flask) -> None:
    users = {row.email: row for row in db.session.scalars(sa.select(User))}
    assert {account.email for account in ACCOUNTS} <= set(users)
    assert all(verify_password(each.password_hash, PASSWORD) for each in users.values())
    assert set(db.session.scalars(sa.select(Grant.service_code))) == set(GRANTED)


def test_certificates_agree_with_the_holders_gender(world: Flask) -> None:
    women = {"فاطمة", "سارة", "دلال", "منى", "لطيفة", "شيخة", "أمل"}
    documents = db.session.scalars(sa.select(IssuedDocument)).all()
    found = {"female": 0, "": 0}
    for document in documents:
        is_woman = document.content["holder"]["ar"].split()[0] in women
        assert document.content["gender"] == ("female" if is_woman else ""), document.content
        found[document.content["gender"]] += 1
    assert all(found.values()), found
    others = {row.email for row in db.session.scalars(sa.select(User))} - {
        account.email for account in ACCOUNTS
    }
    assert {
        row.gender for row in db.session.scalars(sa.select(User).where(User.email.in_(others)))
    } == {"female"}


def test_the_free_customs_account_registers_and_the_claimed_one_is_known(world: Flask) -> None:
    answer = customs_client.verify(FREE_LICENCE, "demo.broker", CUSTOMS_PASSWORD)
    assert answer.licence_no == FREE_LICENCE
    assert answer.brokers[0].licence.number == FREE_LICENCE
    assert count(Licence, number=FREE_LICENCE) == 0
    assert count(Organisation, licence_no=people.CLAIMED_LICENCE) == 1


def test_a_database_with_people_is_left_alone(world: Flask) -> None:
    before = count(Request)
    demo.build_world(NOW)
    assert count(Request) == before


def test_two_builds_of_one_day_are_equal(world: Flask, tmp_path: Path) -> None:
    first = _digests()
    other = make_world(tmp_path)
    with other.app_context():
        assert _digests() == first
        db.session.remove()
        db.engine.dispose()


def _digests() -> dict[str, str]:
    """A digest of each table's rows, leaving out what is random by design."""
    found = {}
    for model in (Broker, Licence, LicenceChange, Request, Exam, Event, Notice, User):
        table = model.__table__
        told = [each for each in table.c if each.name not in {"password_hash", "form_key"}]
        rows = db.session.execute(sa.select(*told).order_by(table.c.id))
        text = "\n".join(str(tuple(row)) for row in rows)
        found[table.name] = hashlib.sha256(text.encode()).hexdigest()
    return found


# As many as wanted


@pytest.fixture
def crowd(context: Flask) -> Flask:
    """The people and the register of the world, without its stories."""
    versions.publish_missing(NOW)
    cast = people.make(NOW)
    register.make(cast, NOW)
    db.session.commit()
    return context


@pytest.mark.databases
def test_many_requests_are_spread_over_the_services_and_obey_the_claims(crowd: Flask) -> None:
    mass.add_requests(1_500, NOW)
    rows = db.session.execute(
        sa.select(Request.number, Request.status, Request.service_code, Request.exclusive_key)
    ).all()
    numbers = [row.number for row in rows]
    assert len(set(numbers)) == len(numbers) == 1_500
    codes = [row.service_code for row in rows]
    assert {version.definition.code for version in versions.all_current()} == set(codes)
    assert max(set(codes), key=codes.count) == "exam"
    claimed = [row.exclusive_key for row in rows if row.exclusive_key]
    assert len(claimed) == len(set(claimed)) >= 300
    for code in set(codes):
        found = {row.status for row in rows if row.service_code == code}
        assert found <= states_of(code)
        assert len(found) >= 3
    assert count(Licence) > 100
    assert {each.status for each in licences()} == set(LicenceStatus)
    assert chain.verify(db.session()).faults == []


@pytest.mark.databases
def test_what_was_added_in_bulk_stands_in_the_trail_and_can_be_carried_on(crowd: Flask) -> None:
    mass.add_requests(400, NOW)
    mass.add_requests(400, NOW)
    agent, reviewer = user("general"), user("reviewer")
    invented = db.session.scalars(sa.select(Request).order_by(Request.id.desc())).first()
    shown = timeline.timeline(invented, actor_of(agent))
    assert [each.action for each in shown] == [Action.SEND]
    assert deadlines.tell_late(NOW) == 0  # nobody is written to about what never was
    waiting = db.session.scalars(
        sa.select(Request).where(
            Request.status == Status.SUBMITTED, Request.service_code == "renewal"
        )
    ).first()
    request_factories.step(waiting, Action.TAKE, reviewer, now=NOW)
    proposed = granted_expiry.proposed_expiry(waiting, NOW)
    granted = GrantedExpiry(granted_expiry=proposed)
    request_factories.step(waiting, Action.APPROVE, reviewer, now=NOW, data=granted)
    assert db.session.get_one(Licence, waiting.licence_id).expires == proposed
    request_factories.make_sent(agent)
    assert chain.verify(db.session()).faults == []


def test_the_same_number_gives_the_same_person() -> None:
    assert candidate(77) == candidate(77)
    invented = [candidate(number) for number in range(0, 60_000, 7)]
    assert len({person.civil_id for person in invented}) == len(invented)
    assert all(civil_number_fault(person.civil_id) is None for person in invented[:200])
