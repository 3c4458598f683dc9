"""Signing up by the use cases, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
import time_machine

from clearance.accounts import registration as account_registration
from clearance.accounts import sign_in, verification
from clearance.auth import sessions
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import Delivery, Registration
from clearance.models.enums import SessionStage
from tests.support import factories
from tests.support.customs_system import LICENCE_NO, answer
from tests.support.gateways import queued_code
from tests.support.rows import count_of

OTHER_PASSWORD = "Sidra-9-Marjan?"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def applicant(**values: str) -> account_registration.Applicant:
    plain = {
        "legal_entity": "clearing_agent",
        "organisation_name": "",
        "first_name": "فهد",
        "last_name": "المطيري",
        "gender": "male",
        "civil_id": factories.civil_id(),
        "mobile": factories.mobile(),
        "email": f"{factories.civil_id()}@example.com",
        "password": factories.PASSWORD,
        "language": "ar",
    }
    return account_registration.Applicant(**(plain | values))


def register(who: account_registration.Applicant, now: datetime = NOW) -> Registration:
    with time_machine.travel(now, tick=False):
        registration = account_registration.register(who, now=now)
    db.session.commit()
    return registration


def enter(who: account_registration.Applicant, now: datetime = NOW) -> Actor:
    """Sign in with the new e-mail and password."""
    result = sign_in.sign_in(who.email, who.password, ip="10.0.0.1", device=None, now=now)
    db.session.commit()
    assert result.key is not None
    assert result.stage == SessionStage.VERIFY
    actor = sessions.load_actor(result.key, now)
    assert actor is not None
    return actor


def code_of(address: str) -> str:
    code = queued_code(address)
    db.session.commit()
    return code


def verify(
    actor: Actor, email_code: str | None, mobile_code: str | None, now: datetime = NOW
) -> verification.Verified:
    result = verification.verify(actor, email_code, mobile_code, now)
    db.session.commit()
    return result


def count(model: type) -> int:
    found = count_of(model)
    db.session.commit()
    return found or 0


def deliveries() -> list[tuple[str, str, str]]:
    rows = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
    db.session.commit()
    return [(row.event, row.channel, row.address) for row in rows]


def told(*brokers: dict[str, object]) -> customs_client.Answer:
    return customs_client.read_answer(answer(*brokers), LICENCE_NO)


def by_customs() -> account_registration.Applicant:
    return applicant(first_name="", last_name="", civil_id="")
