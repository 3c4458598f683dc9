"""Signing up with an account of the customs system, and as a user who was added."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import registration as account_registration
from clearance.accounts import sign_in, verification
from clearance.auth import one_time_codes, password_changes, sessions
from clearance.core.errors import PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import (
    Broker,
    Delivery,
    Event,
    Licence,
    Membership,
    Organisation,
    Registration,
    User,
    UserSession,
)
from clearance.models.enums import Channel, SessionStage
from clearance.organisations import opening
from tests.support import factories
from tests.support.customs_system import HOLDER_CIVIL_ID, LICENCE_NO, answer, broker
from tests.support.registering import (
    NOW,
    OTHER_PASSWORD,
    applicant,
    by_customs,
    code_of,
    count,
    deliveries,
    enter,
    register,
    told,
    verify,
)
from tests.support.timing import assert_same_time

# With an account of the customs system.


@pytest.mark.databases
def test_customs_gives_name_number_organisation_brokers_and_licences(signing_up: Flask) -> None:
    other = factories.civil_id(date(1970, 5, 5))
    brokers = (
        broker(other, "CL/101", broker_type="private"),
        broker(HOLDER_CIVIL_ID, "CL/100"),
    )
    who = by_customs()
    account_registration.register(who, customs=told(*brokers), now=NOW)
    db.session.commit()
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    user = db.session.scalars(sa.select(User)).one()
    assert (user.name_in("ar"), user.civil_id) == ("أحمد الكندري", HOLDER_CIVIL_ID)
    organisation = db.session.scalars(sa.select(Organisation)).one()
    assert (organisation.licence_no, organisation.name_en) == (LICENCE_NO, "Alkandari Clearing")
    general = db.session.get_one(Broker, organisation.general_broker_id)
    assert general.civil_id == HOLDER_CIVIL_ID
    assert " عبدالله" in general.name_folded
    numbers = db.session.scalars(sa.select(Licence.number).order_by(Licence.number)).all()
    assert numbers == ["CL/100", "CL/101"]
    assert db.session.scalars(sa.select(Membership.is_general)).one()


def test_an_organisation_with_a_general_user_sends_the_newcomer_to_him(signing_up: Flask) -> None:
    organisation = factories.make_organisation(licence_no=LICENCE_NO)
    factories.make_agent(organisation)
    with pytest.raises(Refused) as refused:
        account_registration.register(by_customs(), customs=told(), now=NOW)
    assert refused.value.refusal.change
    assert count(Registration) == 0
    assert deliveries() == []


def test_an_organisation_whose_general_user_is_disabled_may_be_claimed(signing_up: Flask) -> None:
    organisation = factories.make_organisation(licence_no=LICENCE_NO)
    factories.make_agent(organisation, is_active=False)
    who = by_customs()
    account_registration.register(who, customs=told(), now=NOW)
    db.session.commit()
    result = verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert result.key is not None
    assert count(Organisation) == 1


def test_an_organisation_claimed_before_the_codes_came_keeps_its_only_general_user(
    signing_up: Flask,
) -> None:
    who = by_customs()
    account_registration.register(who, customs=told(), now=NOW)
    db.session.commit()
    factories.make_agent(factories.make_organisation(licence_no=LICENCE_NO))
    result = verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert result.key is None
    assert result.refusal is opening.HAS_GENERAL_USER
    assert count(User) == count(Membership) == 1


def test_a_broker_known_elsewhere_stays_where_he_is(signing_up: Flask) -> None:
    first = by_customs()
    account_registration.register(first, customs=told(), now=NOW)
    db.session.commit()
    verify(enter(first), code_of(first.email), code_of(first.mobile))
    home = db.session.scalars(sa.select(Broker.organisation_id)).one()
    db.session.commit()
    newcomer = factories.civil_id(date(1971, 6, 6))
    claim = answer(broker(HOLDER_CIVIL_ID, "CL/100"), broker(newcomer, "CL/200"))
    claim["holder"]["civil_id"] = newcomer
    second = by_customs()
    account_registration.register(
        second, customs=customs_client.read_answer(claim, "KW-2002"), now=NOW
    )
    db.session.commit()
    verify(enter(second), code_of(second.email), code_of(second.mobile))
    rows = db.session.execute(sa.select(Broker.civil_id, Broker.organisation_id)).tuples().all()
    homes = dict(rows)
    assert homes[HOLDER_CIVIL_ID] == home
    assert homes[newcomer] != home
    assert count(Licence) == 2


# A user whom the general user added.


def test_an_added_user_chooses_a_password_then_proves_both_contacts(signing_up: Flask) -> None:
    user = factories.make_agent(
        is_general=False,
        must_change_password=True,
        email_proved_at=None,
        mobile_proved_at=None,
    )
    result = sign_in.sign_in(user.email, factories.PASSWORD, ip="10.0.0.1", device=None, now=NOW)
    db.session.commit()
    assert result.stage == SessionStage.PASSWORD
    actor = sessions.load_actor(result.key or "", NOW)
    assert actor is not None
    with pytest.raises(PermissionDenied):
        verification.verify(actor, "123456", "123456", NOW)
    with pytest.raises(password_changes.WeakPassword):
        password_changes.choose_password(actor, factories.PASSWORD, NOW)
    chosen = password_changes.choose_password(actor, OTHER_PASSWORD, NOW)
    db.session.commit()
    assert chosen.stage == SessionStage.VERIFY
    assert sessions.load_actor(actor.key, NOW) is None
    actor = sessions.load_actor(chosen.key, NOW)
    assert actor is not None
    verified = verify(actor, code_of(user.email), code_of(user.mobile or ""))
    assert verified.stage == SessionStage.FULL
    db.session.refresh(user)
    assert user.is_proved
    assert not user.must_change_password
    kinds = set(db.session.scalars(sa.select(Event.kind).where(Event.object_type == "user")))
    assert kinds == {"account:password:changed", "account:contact:proved"}
    assert count(UserSession) == 1


def test_codes_are_not_shown_anywhere_but_in_the_message(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    code = code_of(who.email)
    rows = db.session.scalars(sa.select(Delivery)).all()
    assert not any(code in f"{row.subject}{row.body}" for row in rows)
    assert one_time_codes.masked(Channel.EMAIL, who.email) != who.email


@pytest.mark.heavy
def test_known_and_unknown_take_the_same_time_over_100_registrations(signing_up: Flask) -> None:
    owner = factories.make_user(password=OTHER_PASSWORD)
    db.session.commit()

    def try_as(email: str | None, number: int) -> None:
        with factories.visit(signing_up, ip=f"10.5.{number}.{1 if email else 2}"):
            who = applicant(email=email) if email else applicant()
            register(who, NOW + timedelta(days=2 * number))

    assert_same_time(partial(try_as, owner.email), partial(try_as, None))
