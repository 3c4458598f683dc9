"""Builders of people and organisations for tests: each makes, commits and returns rows."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from flask import Flask
from flask.ctx import RequestContext

from clearance.auth import form_tokens, sessions
from clearance.auth.passwords import hash_password
from clearance.core import name_folding
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import civil_number_for
from clearance.models import Grant, Membership, Organisation, Registration, User
from clearance.models.enums import Gender, Role, SessionStage
from tests.support.pages import PageClient

PASSWORD = "Nakhla-7-Bahr!"

_serial = count(1)
_civil_serials: defaultdict[date, count[int]] = defaultdict(count)


@cache
def password_hash(password: str = PASSWORD) -> str:
    """The hash of `password`; made once per run, because hashing is slow on purpose."""
    return hash_password(password)


def civil_id(birth: date = date(1988, 1, 1)) -> str:
    """A civil number that no other test row has; a day younger after this day's 10,000 serials."""
    while True:
        days, serial = divmod(next(_civil_serials[birth]), 10_000)
        with suppress(ValueError):  # two serials in eleven are never issued
            return civil_number_for(birth + timedelta(days=days), serial)


def mobile() -> str:
    """A Kuwait mobile number that no other test row has."""
    return f"+9655{next(_serial):07d}"


def make_user(**columns: Any) -> User:
    """A proved, active agent without an organisation; columns replace what is made up."""
    number = next(_serial)
    values: dict[str, Any] = {
        "email": f"user{number}@example.com",
        "mobile": mobile(),
        "civil_id": civil_id(),
        "first_name": "سالم",
        "last_name": "العتيبي",
        "gender": Gender.MALE,
        "role": Role.AGENT,
        "legal_entity": "clearing_agent",
        "language": "ar",
        "password_hash": password_hash(columns.pop("password", PASSWORD)),
        "email_proved_at": utc_now(),
        "mobile_proved_at": utc_now(),
        "created_at": utc_now(),
    }
    values |= columns
    names = (values["first_name"], values["last_name"], values.get("latin_name"))
    values.setdefault("name_folded", name_folding.name_index(*names))
    user = User(**values)
    db.session.add(user)
    db.session.commit()
    return user


def make_staff(role: str = Role.REVIEWER, **columns: Any) -> User:
    """A user of the office with that role."""
    values: dict[str, Any] = {"role": role, "legal_entity": None, "civil_id": None} | columns
    return make_user(**values)


def make_organisation(**columns: Any) -> Organisation:
    """A clearing office; columns replace what is made up."""
    number = next(_serial)
    values: dict[str, Any] = {
        "legal_entity": "clearing_agent",
        "name_ar": f"مكتب الخليج {number}",
        "name_en": f"Gulf Office {number}",
        "created_at": utc_now(),
    }
    values |= columns
    values.setdefault("name_folded", name_folding.name_index(values["name_ar"], values["name_en"]))
    organisation = Organisation(**values)
    db.session.add(organisation)
    db.session.commit()
    return organisation


def make_membership(
    user: User,
    organisation: Organisation,
    *,
    is_general: bool = True,
    services: tuple[str, ...] = (),
    is_active: bool = True,
) -> Membership:
    """`user` in `organisation`; services: codes granted to an additional user (rows must exist)."""
    membership = Membership(
        user_id=user.id,
        organisation_id=organisation.id,
        is_general=is_general,
        is_active=is_active,
        created_at=utc_now(),
        grants=[Grant(service_code=code) for code in services],
    )
    db.session.add(membership)
    db.session.commit()
    return membership


def make_agent(
    organisation: Organisation | None = None,
    *,
    is_general: bool = True,
    services: tuple[str, ...] = (),
    **columns: Any,
) -> User:
    """A proved agent of `organisation` (a new one when none is given)."""
    user = make_user(**columns)
    organisation = organisation or make_organisation()
    make_membership(user, organisation, is_general=is_general, services=services)
    return user


def make_registration(**columns: Any) -> Registration:
    """A sign-up whose codes were not yet typed; no codes are made for it."""
    number = next(_serial)
    values: dict[str, Any] = {
        "email": f"new{number}@example.com",
        "mobile": mobile(),
        "civil_id": civil_id(),
        "first_name": "فهد",
        "last_name": "المطيري",
        "gender": Gender.MALE,
        "legal_entity": "clearing_agent",
        "organisation_name": "",
        "password_hash": password_hash(columns.pop("password", PASSWORD)),
        "created_at": utc_now(),
    }
    registration = Registration(**(values | columns))
    db.session.add(registration)
    db.session.commit()
    return registration


def visit(app: Flask, ip: str = "10.0.0.1", user_agent: str = "") -> RequestContext:
    """The context of a POST from that address: what a use case that asks who comes needs."""
    return app.test_request_context(
        method="POST", environ_base={"REMOTE_ADDR": ip}, headers={"User-Agent": user_agent}
    )


def sign_in(
    client: PageClient, owner: User | Registration, stage: SessionStage = SessionStage.FULL
) -> str:
    """Put a session of `owner` into the browser, as signing in would. Returns its key."""
    with client.app.test_request_context(method="POST"):
        key = sessions.open_session(owner, stage, utc_now())
        db.session.commit()
        actor = sessions.load_actor(key)
        assert actor is not None
        secret = form_tokens.new_secret(actor)
        db.session.remove()
    with client.http.session_transaction() as cookie:
        cookie.clear()
        cookie[form_tokens.COOKIE_KEY] = secret
        cookie["_user_id"] = key
        cookie["_fresh"] = True
    return key


def browser_of(
    app: Flask,
    user: User | Registration,
    language: str | None = "en",
    *,
    stage: SessionStage = SessionStage.FULL,
    **options: Any,
) -> PageClient:
    """A browser in which `user` is signed in; options as PageClient takes them."""
    client = PageClient(app, language=language, **options)
    sign_in(client, user, stage)
    return client


def session_of(user: User, now: datetime, stage: SessionStage = SessionStage.FULL) -> Actor:
    """The actor of a new session of `user`."""
    key = sessions.open_session(user, stage, now)
    db.session.commit()
    actor = sessions.load_actor(key, now)
    assert actor is not None
    return actor


def organisation_of(user: User) -> Organisation:
    """The one organisation that `user` belongs to."""
    (standing,) = sessions.actor_of(user).standings
    return db.session.get_one(Organisation, standing.organisation_id)
