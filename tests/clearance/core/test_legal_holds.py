"""Legal holds by civil number: all that carries the number stays, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import legal_holds
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import ClosedNow, PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.core.legal_holds import Subject
from clearance.core.values import BadValue, civil_number_fault
from clearance.jobs import retention
from clearance.models import (
    AccessEvent,
    Base,
    Delivery,
    Event,
    Invitation,
    LegalHold,
    Purge,
    Registration,
    Request,
    User,
    UserSession,
)
from clearance.models.enums import DeliveryStatus, Role, SessionStage, Status
from clearance.requests import attachments, drafts
from tests.support import factories, issued_factories, request_factories

SOON, LATER = timedelta(days=167), timedelta(days=200)
KEPT = {
    "registration": 2,
    "invitation": 1,
    "user_session": 2,
    "delivery": 3,
    "access_event": 3,
    "request": 3,
}

Rows = list[tuple[type[Base], int]]


def keeper() -> Actor:
    return actor_of(factories.make_staff(Role.MANAGER))


def hold(subject: Subject) -> LegalHold:
    found = legal_holds.place(subject, "Court order 12/2026", keeper(), utc_now())
    db.session.commit()
    return found


def traces(number: str, now: datetime) -> Rows:
    """What the purge would delete about a person with an account, in a colleague's drafts too."""
    person = factories.make_user(civil_id=number)
    colleague = factories.make_agent()
    registration = factories.make_registration(civil_id=number, is_void=True)
    of_office = factories.make_registration(customs_data={"brokers": [{"civil_id": number}]})
    licence = issued_factories.make_licence(
        factories.organisation_of(colleague), civil_id=factories.civil_id()
    )
    about = [request_factories.make_draft(colleague, with_documents=False) for _ in range(3)]
    about[0].civil_id = number
    about[1].civil_id, about[1].answers = None, {"partners": [{"civil": number}]}
    sent = request_factories.make_request(colleague, Status.SUBMITTED)
    sent.civil_id = number
    about[2].civil_id, about[2].licence_id, licence.broker.civil_id = None, licence.id, number
    made = [
        *about,
        invitation(person, now),
        session(now, "u", user_id=person.id),
        session(now, "r", registration_id=registration.id),
        message(now, registration.mobile),
        message(now, "candidate@example.com", request_id=sent.id),
        message(now, registration.email),
        access(now, "account:sign_in", user_id=person.id),
        access(now, "request:read", object_type="request", object_id=str(sent.id)),
        access(now, "broker:read", object_type="broker", object_id=str(licence.broker_id)),
    ]
    db.session.add_all(made)
    db.session.commit()
    return [(type(row), row.id) for row in [registration, of_office, *made]]


def invitation(user: User, now: datetime) -> Invitation:
    given: dict[str, Any] = {"email": user.email, "role": Role.AGENT, "token_hash": str(user.id)}
    return Invitation(user_id=user.id, created_at=now, expires_at=now, **given)


def session(now: datetime, key: str, **owner: int) -> UserSession:
    times = {"created_at": now, "last_seen_at": now, "expires_at": now}
    given = {"key_hash": f"{key}{owner}", "stage": SessionStage.FULL, "ip": "", "user_agent": ""}
    return UserSession(**owner, **times, **given)


def message(now: datetime, address: str, **about: int) -> Delivery:
    given = {"event": "code:verify", "channel": "email", "language": "ar", "body": ""}
    key = f"{address} {about}"
    times = {"created_at": now, "next_at": now, "status": DeliveryStatus.SENT}
    return Delivery(address=address, message_id=key, **given, **times, **about)


def access(now: datetime, kind: str, **about: Any) -> AccessEvent:
    return AccessEvent(at=now - timedelta(days=1100), kind=kind, **about)


def left(rows: Rows) -> dict[str, int]:
    found: dict[str, int] = {}
    for model, key in rows:
        if db.session.get(model, key, populate_existing=True) is not None:
            found[model.__tablename__] = found.get(model.__tablename__, 0) + 1
    return found


def purge(now: datetime) -> None:
    db.session.rollback()
    for at in (now + SOON, now + LATER):
        retention.purge(at)


def account_of(number: str) -> User:
    return db.session.scalars(sa.select(User).where(User.civil_id == number)).one()


@pytest.mark.databases
@pytest.mark.parametrize("of_hold", [str, account_of], ids=["number", "account"])
def test_all_that_carries_a_held_number_stays_until_the_hold_is_lifted(
    context: Flask, of_hold: Callable[[str], Subject]
) -> None:
    now, number = utc_now(), factories.civil_id()
    held, other = traces(number, now), traces(factories.civil_id(), now)
    placed = hold(of_hold(number))
    purge(now)
    assert left(held) == KEPT
    assert left(other) == {}
    run = db.session.scalars(sa.select(Purge).order_by(Purge.id.desc()).limit(1)).one()
    assert run.held == {
        "registration": 2,
        "invitation": 1,
        "user_session": 2,
        "delivery": 3,
        "access_event": 3,
        "draft": 3,
    }
    legal_holds.lift(placed.id, "The case is closed.", keeper(), now)
    db.session.commit()
    purge(now + LATER)
    assert left(held) == {}


def test_a_held_account_without_a_mobile_keeps_no_message_to_others(context: Flask) -> None:
    now, held = utc_now(), factories.make_staff(mobile=None)
    hold(held)
    db.session.add_all([message(now, held.email), message(now, "other@example.com")])
    db.session.commit()
    purge(now)
    codes = sa.select(Delivery.address).where(Delivery.event == "code:verify")
    assert db.session.scalars(codes).all() == [held.email]


def test_a_number_that_the_portal_does_not_know_yet_is_held_for_what_comes(context: Flask) -> None:
    number, now = factories.civil_id(), utc_now()
    hold(f"{number[:4]}-{number[4:8]} {number[8:]}")
    factories.make_registration(civil_id=number)
    purge(now)
    assert db.session.scalars(sa.select(Registration.civil_id)).all() == [number]
    changes = sa.select(Event.changes).where(Event.kind == "retention:hold:set")
    assert db.session.scalars(changes).one() == {"civil_id": [None, number]}


def test_holds_are_refused_by_whom_on_what_and_twice(context: Flask) -> None:
    number, now, agent = factories.civil_id(), utc_now(), factories.make_agent()
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    assert civil_number_fault(wrong)
    for typed in (wrong, "12345", ""):
        with pytest.raises(BadValue):
            legal_holds.place(typed, "Court order", keeper(), now)
    for person in (agent, factories.make_staff(Role.REVIEWER)):
        with pytest.raises(PermissionDenied):
            legal_holds.place(number, "Court order", actor_of(person), now)
    hold(number)
    with pytest.raises(Refused):
        legal_holds.place(number, "Court order", keeper(), now)
    hold(agent)  # his own number is another one


@pytest.mark.databases
def test_of_two_holds_on_a_number_at_once_one_is_refused(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = factories.civil_id()
    hold(number)
    monkeypatch.setattr(legal_holds, "of", lambda _subject: None)  # as before the other's commit
    with pytest.raises(Refused):
        legal_holds.place(number, "Court order", keeper(), utc_now())
    assert db.session.scalars(sa.select(LegalHold.civil_id)).all() == [number]


def test_a_draft_about_a_held_number_keeps_its_documents_and_itself(context: Flask) -> None:
    agent = factories.make_agent()
    draft = request_factories.make_draft(agent)
    assert draft.civil_id is not None
    placed = hold(draft.civil_id)
    document = draft.documents[0]
    for take in (
        lambda: attachments.remove(document, actor_of(agent), utc_now()),
        lambda: drafts.discard(draft, actor_of(agent), utc_now()),
    ):
        with pytest.raises(ClosedNow, match="اسأل المكتب عن السبب"):
            take()
        db.session.rollback()
    legal_holds.lift(placed.id, "The case is closed.", keeper(), utc_now())
    attachments.remove(document, actor_of(agent), utc_now())
    db.session.commit()
    assert db.session.get(Request, draft.id) is not None
