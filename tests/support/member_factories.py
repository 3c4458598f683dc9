"""An office with its users for tests of their pages, and what the form for a new one wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Membership, Organisation
from clearance.organisations import opening
from clearance.organisations.invitations import NewMember
from clearance.organisations.members import Access
from tests.journeys import steps
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient


def an_added(**values: Any) -> NewMember:
    """What the form gave of somebody new, for the exam and renewals unless told otherwise."""
    plain = NewMember(
        first_name="منيرة",
        last_name="الرشيدي",
        latin_name="Munira Alrashidi",
        gender="female",
        civil_id=factories.civil_id(),
        mobile=factories.mobile(),
        email=f"{factories.mobile()[1:]}@example.com",
        password=factories.PASSWORD,
        access=Access(False, frozenset({"exam", "renewal"})),
        language="ar",
    )
    return replace(plain, **values)


def subscribed_office(**columns: Any) -> Organisation:
    """A clearing office that is subscribed to everything published."""
    organisation = factories.make_organisation(**columns)
    opening.subscribe(organisation, utc_now())
    db.session.commit()
    return organisation


def general_of(office: Organisation) -> Actor:
    """A new general user of the office, as in a request whose own writing has not begun."""
    actor = actor_of(factories.make_agent(office))
    db.session.rollback()
    return actor


def refusal_of(work: Callable[[], object]) -> Refusal:
    """How `work` is refused; what it wrote is undone."""
    db.session.rollback()
    with pytest.raises(Refused) as error:
        work()
    db.session.rollback()
    return error.value.refusal


class World:
    """An office with a general and an additional user; ids, for they outlive the session."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with app.app_context():
            request_factories.load_services()
            office = subscribed_office(phone="+96522000000", email="office@example.com")
            self.office = office.id
            self.general = self.person(office, is_general=True, first_name="بدر")
            self.other = self.person(office, services=("exam",), first_name="هدى")
            self.stranger = self.person(factories.make_organisation(), is_general=True)

    def person(self, office: Organisation, **more: Any) -> int:
        more.setdefault("is_general", False)
        user = factories.make_agent(office, **more)
        return db.session.scalars(
            sa.select(Membership.id).where(Membership.user_id == user.id)
        ).one()

    def add(self, **more: Any) -> int:
        """Another user of the office."""
        with self.app.app_context():
            return self.person(db.session.get_one(Organisation, self.office), **more)

    def client(self, membership_id: int, lang: str = "en") -> PageClient:
        with self.app.app_context():
            user = db.session.get_one(Membership, membership_id).user
            return factories.browser_of(self.app, user, lang)

    def state(self, membership_id: int) -> dict[str, Any]:
        with self.app.app_context():
            row = db.session.get_one(Membership, membership_id)
            return {
                "is_general": row.is_general,
                "is_active": row.is_active,
                "services": sorted(grant.service_code for grant in row.grants),
                "version": row.version,
            }

    def url(self, membership_id: int) -> str:
        return f"/my/users/{membership_id}/"


def filled(app: Flask, page: Page, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "first_name": "منيرة",
        "last_name": "الرشيدي",
        "latin_name": "Munira Alrashidi",
        "gender": "female",
        "civil_id": factories.civil_id(),
        "mobile": factories.mobile(),
        "email": "munira@example.com",
        "services": ["exam", "letter"],
        "password": factories.PASSWORD,
        "password_confirm": factories.PASSWORD,
        "captcha": steps.image_text(app, page),
        "accept_terms": "y",
    }
    return values | changes
