"""The users, invitations, subscriptions, contacts and copies of data that the walk asks for."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.accounts import contact_change, data_exports
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import DataCopy, Delivery, User
from clearance.models.enums import Channel, Gender
from clearance.notifications import outbox
from clearance.organisations import invitations, subscription_changes
from clearance.organisations.members import Access
from tests.support import factories, request_factories
from tests.support.access_licence_rows import People

BY_APPROVAL, AT_ONCE, LEFT = "approved", "instant", "parted"
NEW_EMAIL = "moved@example.com"
ARCHIVE = b"PK\x05\x06" + bytes(18)


def publish() -> None:
    """Services that an organisation has to subscribe to."""
    for number, (code, kind) in enumerate(
        ((BY_APPROVAL, "by_approval"), (AT_ONCE, "on_request"), (LEFT, "on_request"))
    ):
        request_factories.publish(
            request_factories.TRIVIAL, code=code, prefix=f"S{'ABC'[number]}", subscription=kind
        )


def make(app: Flask, people: People, additional: User) -> dict[str, Any]:
    """Make and commit them all; returns what the cases ask for."""
    (membership,), (elsewhere,) = additional.memberships, people.foreign.memberships
    rows: dict[str, Any] = {
        "membership": membership.id,
        "membership_version": membership.version,
        "foreign_membership": elsewhere.id,
        "organisation_version": people.office.version,
        "invited": _invite(app, people.general, people.foreign),
        "inviting": _invite(app, people.foreign, people.general),
        "new_email_code": _contact(app, people.general),
    }
    _copy(people.general)
    return rows | _subscriptions(people)


def _invite(app: Flask, inviter: User, invitee: User) -> int:
    added = invitations.NewMember(
        first_name="سالم",
        last_name="العتيبي",
        gender=Gender.MALE,
        civil_id=factories.civil_id(),
        mobile=factories.mobile(),
        email=invitee.email,
        password=factories.PASSWORD,
        access=Access(is_general=False, services=frozenset({"exam"})),
        language="ar",
    )
    actor = actor_of(inviter)
    db.session.rollback()  # the tries are counted apart
    with factories.visit(app):
        invitation = invitations.invite(added, actor.standings[0].organisation_id, actor, utc_now())
        db.session.commit()
        return invitation.id


def _contact(app: Flask, user: User) -> str:
    """A new e-mail of the user that waits for its code; returns the code."""
    actor = actor_of(user)
    db.session.rollback()
    with factories.visit(app):
        contact_change.ask(actor, Channel.EMAIL, NEW_EMAIL, factories.PASSWORD, utc_now())
        db.session.commit()
        sent = db.session.scalars(sa.select(Delivery).where(Delivery.address == NEW_EMAIL)).one()
        found = re.search(r"(?<!\d)\d{6}(?!\d)", outbox.body_of(sent))
        assert found is not None
        return found[0]


def _copy(user: User) -> None:
    """A copy of the user's data, ready to be fetched."""
    now, stored = utc_now(), storage.put(ARCHIVE, "application/zip")
    copy = DataCopy(
        user_id=user.id,
        asked_at=now,
        attempts=1,
        made_at=now,
        expires_at=now + timedelta(days=1),
        scope=data_exports.scope_of(actor_of(user)),
        storage_key=stored.key,
        size=len(ARCHIVE),
        sha256=hashlib.sha256(ARCHIVE).hexdigest(),
    )
    db.session.add(copy)
    storage.follow(copy)
    db.session.commit()


def _subscriptions(people: People) -> dict[str, Any]:
    """One that the office is asked for, one held, and one that can be asked for."""
    actor, now = actor_of(people.general), utc_now()
    asked = subscription_changes.ask(people.office.id, BY_APPROVAL, actor, now, version=0)
    held = subscription_changes.ask(people.office.id, LEFT, actor, now, version=0)
    db.session.commit()
    return {
        "subscription": asked.id,
        "subscription_version": asked.version,
        "held_version": held.version,
    }
