"""Registering and verifying: nobody learns who is known; a user is made of both codes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import registration as account_registration
from clearance.accounts import sign_in, verification
from clearance.auth import one_time_codes, password_changes, rate_limits, sessions
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied, Refused, TooManyTries
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import (
    AccessEvent,
    Broker,
    Delivery,
    Event,
    KnownDevice,
    Licence,
    Membership,
    Notice,
    Organisation,
    Registration,
    Subscription,
    User,
    UserSession,
    VerificationCode,
)
from clearance.models.enums import Channel, SessionStage
from clearance.services import versions
from tests.support import factories
from tests.support.customs_system import HOLDER_CIVIL_ID, LICENCE_NO, answer, broker
from tests.support.gateways import queued_code
from tests.support.parallel import run_together
from tests.support.rows import count_of

OTHER_PASSWORD = "Sidra-9-Marjan?"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def visit(app: Flask) -> Iterator[Flask]:
    """The application during a POST of a visitor, its services loaded."""
    with factories.visit(app):
        versions.publish_missing(NOW)
        db.session.commit()
        yield app
        db.session.rollback()


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


def resend(actor: Actor, channel: Channel, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        verification.resend(actor, channel, now)
    db.session.commit()


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
    return [(each.event, each.channel, each.address) for each in rows]


@pytest.mark.databases
def test_both_codes_make_user_organisation_membership_and_subscriptions(visit: Flask) -> None:
    who = applicant()
    registration = register(who)
    assert count(User) == 0
    assert registration.is_void is False
    result = verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert (result.email_ok, result.mobile_ok, result.stage) == (True, True, SessionStage.FULL)
    user = db.session.scalars(sa.select(User)).one()
    assert (user.email, user.civil_id, user.role) == (who.email, who.civil_id, "agent")
    assert user.is_proved
    membership = db.session.scalars(sa.select(Membership)).one()
    assert membership.is_general
    organisation = db.session.get_one(Organisation, membership.organisation_id)
    assert organisation.name_ar == "فهد المطيري"
    assert organisation.legal_entity == "clearing_agent"
    automatic = {
        each.definition.code
        for each in versions.all_current()
        if each.definition.subscription == "automatic"
        and "clearing_agent" in each.definition.legal_entities
    }
    subscribed = db.session.execute(sa.select(Subscription.service_code, Subscription.status))
    assert set(subscribed.tuples()) == {(code, "active") for code in automatic}
    assert "exam" in automatic
    event = db.session.scalars(sa.select(Event).where(Event.object_type == "user")).one()
    assert (event.kind, event.actor_id, event.organisation_id) == (
        "account:user:registered",
        user.id,
        organisation.id,
    )
    assert db.session.scalars(sa.select(Notice.event)).all() == ["account:verified"]


def test_the_session_after_verifying_is_a_new_one_and_the_old_has_ended(visit: Flask) -> None:
    who = applicant()
    register(who)
    before = enter(who)
    result = verify(before, code_of(who.email), code_of(who.mobile))
    assert result.key is not None
    assert sessions.load_actor(before.key, NOW) is None
    after = sessions.load_actor(result.key, NOW)
    assert after is not None
    assert after.is_full
    assert after.standing is not None
    assert after.standing.is_general


def test_a_company_is_named_as_it_says_and_gets_only_its_services(visit: Flask) -> None:
    who = applicant(legal_entity="company", organisation_name="شركة المرسى")
    register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert db.session.scalars(sa.select(Organisation.name_ar)).all() == ["شركة المرسى"]
    assert "exam" not in set(db.session.scalars(sa.select(Subscription.service_code)))


def test_the_password_is_kept_as_a_hash_only(visit: Flask) -> None:
    who = applicant()
    registration = register(who)
    assert registration.password_hash.startswith("$argon2id$")
    assert who.password not in repr(who)


def test_one_right_code_counts_and_the_other_may_follow_later(visit: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    mobile_code = code_of(who.mobile)
    assert verify(actor, "000000", mobile_code) == verification.Verified(False, True)
    assert verification.proved(actor) == (False, True)
    assert count(User) == 0
    assert verify(actor, code_of(who.email), None).key is not None


def test_each_code_fails_on_the_other_channel(visit: Flask) -> None:
    who = applicant()
    register(who)
    email_code, mobile_code = code_of(who.email), code_of(who.mobile)
    if email_code != mobile_code:
        assert verify(enter(who), mobile_code, email_code) == verification.Verified(False, False)


def test_expired_codes_fail_and_new_ones_can_be_asked_for(visit: Flask) -> None:
    who = applicant()
    register(who)
    late = NOW + timedelta(minutes=11)
    actor = enter(who, late)
    assert verify(actor, code_of(who.email), code_of(who.mobile), late) == verification.Verified(
        False, False
    )
    for channel in Channel:
        resend(actor, channel, late)
    assert verify(actor, code_of(who.email), code_of(who.mobile), late).key is not None


def test_a_new_code_goes_out_once_a_minute_at_most(visit: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    with pytest.raises(TooManyTries):
        resend(actor, Channel.SMS, NOW + timedelta(seconds=30))
    db.session.rollback()
    resend(actor, Channel.SMS, NOW + timedelta(seconds=60))
    assert [each[0] for each in deliveries()].count("code:verify") == 3


def test_nothing_is_sent_again_to_a_contact_that_is_proved(visit: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    verify(actor, code_of(who.email), None)
    sent = deliveries()
    resend(actor, Channel.EMAIL, NOW + timedelta(minutes=2))
    assert deliveries() == sent


def test_a_full_session_neither_verifies_nor_resends(visit: Flask) -> None:
    actor = sessions.actor_of(factories.make_agent())
    db.session.commit()
    with pytest.raises(PermissionDenied):
        verification.verify(actor, "123456", "123456", NOW)
    with pytest.raises(PermissionDenied):
        verification.resend(actor, Channel.SMS, NOW)


@pytest.mark.databases
def test_a_known_email_gets_a_notice_in_place_of_its_code(visit: Flask) -> None:
    owner = factories.make_user(language="en", password=OTHER_PASSWORD)
    who = applicant(email=owner.email)
    registration = register(who)
    assert registration.is_void
    assert deliveries() == [
        ("account:registration:known", "email", owner.email),
        ("code:verify", "sms", who.mobile),
    ]
    actor = enter(who)
    assert verify(actor, "123456", code_of(who.mobile)) == verification.Verified(False, True)
    assert count(User) == 1


def test_a_known_mobile_gets_a_notice_in_place_of_its_code(visit: Flask) -> None:
    owner = factories.make_user()
    who = applicant(mobile=owner.mobile or "")
    assert register(who).is_void
    assert deliveries() == [
        ("account:registration:known", "sms", owner.mobile),
        ("code:verify", "email", who.email),
    ]


def test_the_owner_of_a_known_civil_number_gets_a_notice_and_it_never_completes(
    visit: Flask,
) -> None:
    owner = factories.make_user()
    who = applicant(civil_id=owner.civil_id or "")
    assert register(who).is_void
    assert ("account:registration:known", "email", owner.email) in deliveries()
    actor = enter(who)
    result = verify(actor, code_of(who.email), code_of(who.mobile))
    assert result.key is None
    assert result.refusal is not None
    assert count(User) == 1
    assert sessions.load_actor(actor.key, NOW) is None


def test_known_and_unknown_leave_the_same_traces_and_the_same_next_steps(visit: Flask) -> None:
    owner = factories.make_user(password=OTHER_PASSWORD)
    traces = []
    for who in (applicant(), applicant(email=owner.email)):
        register(who)
        actor = enter(who)
        told = verification.contacts(actor)
        assert (told.email, told.email_ok, told.mobile_ok) == (who.email, False, False)
        assert told.email_expires_at == told.mobile_expires_at
        with pytest.raises(TooManyTries):
            resend(actor, Channel.EMAIL, NOW)
        db.session.rollback()
        later = NOW + timedelta(minutes=1)
        resend(actor, Channel.EMAIL, later)
        rows = db.session.scalars(
            sa.select(VerificationCode.channel)
            .where(VerificationCode.owner == f"registration:{actor.registration_id}")
            .order_by(VerificationCode.id)
        ).all()
        traces.append(list(rows))
        db.session.commit()
    assert traces[0] == traces[1] == ["email", "sms", "email"]
    assert [each for each in deliveries() if each[2] == owner.email] == [
        ("account:registration:known", "email", owner.email)
    ]


@pytest.mark.databases
def test_who_became_known_meanwhile_gets_a_friendly_answer(visit: Flask) -> None:
    first = applicant()
    second = replace(first, email="second@example.com", mobile=factories.mobile())
    register(first)
    register(second)
    assert verify(enter(first), code_of(first.email), code_of(first.mobile)).key is not None
    result = verify(enter(second), code_of(second.email), code_of(second.mobile))
    assert result.key is None
    assert result.refusal is not None
    assert result.refusal.change
    assert (count(User), count(Organisation), count(Membership)) == (1, 1, 1)


@pytest.mark.databases
def test_two_registrations_of_one_email_completed_at_once_make_one_user(app: Flask) -> None:
    with factories.visit(app):
        versions.publish_missing(NOW)
        db.session.commit()
        made = []
        for _ in range(2):
            who = applicant(email="same@example.com")
            made.append(
                factories.make_registration(
                    email=who.email,
                    mobile=who.mobile,
                    civil_id=who.civil_id,
                    email_proved_at=NOW,
                    mobile_proved_at=NOW,
                )
            )
        ids = [each.id for each in made]
        db.session.remove()
    outcomes: list[bool] = []

    def complete(number: int) -> None:
        with app.app_context():
            row = db.session.get_one(Registration, ids[number], with_for_update=True)
            outcomes.append(isinstance(account_registration.complete(row, NOW), User))
            db.session.commit()
            db.session.remove()

    run_together(complete, 2)
    assert sorted(outcomes) == [False, True]
    with app.app_context():
        assert (count(User), count(Organisation)) == (1, 1)


def test_a_registration_completes_once(visit: Flask) -> None:
    who = applicant()
    registration = register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    again = account_registration.complete(registration, NOW)
    assert not isinstance(again, User)
    assert count(User) == 1


def test_the_browser_that_verified_is_known_afterwards(visit: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    email_code, mobile_code = code_of(who.email), code_of(who.mobile)
    verification.verify(actor, email_code, mobile_code, NOW, device="d" * 43)
    db.session.commit()
    assert count(KnownDevice) == 1


def test_three_registrations_a_day_for_one_address(visit: Flask) -> None:
    who = applicant()
    for minute in (0, 2, 4):
        register(who, NOW + timedelta(minutes=minute))
    with pytest.raises(TooManyTries):
        register(who, NOW + timedelta(minutes=6))


@pytest.mark.parametrize("named", ["civil_id", "email", "mobile"])
def test_strangers_who_name_a_person_keep_nobody_from_registering(visit: Flask, named: str) -> None:
    me = applicant()
    for minute in (0, 2, 4):
        stranger = replace(applicant(), **{named: getattr(me, named)})
        register(stranger, NOW + timedelta(minutes=minute))
    late = NOW + timedelta(minutes=6)
    with factories.visit(visit, ip="10.0.0.2"):
        if named != "civil_id":  # what others have sent to an address delays
            with pytest.raises(TooManyTries) as refused:
                register(me, late)
            assert refused.value.retry_after == 30
            late += timedelta(seconds=30)
        register(me, late)
        result = verify(enter(me, late), code_of(me.email), code_of(me.mobile), late)
    assert result.key is not None


def test_a_registration_that_is_refused_is_not_counted(visit: Flask) -> None:
    organisation = factories.make_organisation(licence_no=LICENCE_NO)
    general, who = factories.make_agent(organisation), by_customs()
    for _ in range(5):
        with pytest.raises(Refused):
            account_registration.register(who, customs=told(), now=NOW)
        db.session.rollback()
    general.is_active = False
    db.session.commit()
    account_registration.register(who, customs=told(), now=NOW)


@pytest.mark.databases
def test_thirty_registrations_of_one_target_at_once_count_three(app: Flask) -> None:
    assert registered_at_once(app, 30) == 3


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.databases
def test_sixty_registrations_of_one_target_at_once_count_three_fifty_times(app: Flask) -> None:
    assert [registered_at_once(app, 60) for _ in range(50)] == [3] * 50


def registered_at_once(app: Flask, times: int) -> int:
    """How many of so many registrations of one person pass at once, each from another address."""
    who, passed = applicant(), []

    def attempt(number: int) -> None:
        with factories.visit(app, ip=f"10.6.0.{number}"):
            try:
                rate_limits.consume_all(who.targets(rate_limits.client_ip()))
            except TooManyTries:
                return
            passed.append(number)

    run_together(attempt, times)
    return len(passed)


def test_a_guessable_password_is_refused_before_anything_is_counted(visit: Flask) -> None:
    who = applicant(password="Kuwait@2026")
    with pytest.raises(password_changes.WeakPassword) as refused:
        account_registration.register(who, now=NOW)
    assert refused.value.faults
    assert count(Registration) == 0
    register(replace(who, password=factories.PASSWORD))


def test_a_mobile_of_a_country_without_sms_is_refused(visit: Flask) -> None:
    with pytest.raises(Refused):
        account_registration.register(applicant(mobile="+447400123456"), now=NOW)


def test_registering_is_in_the_trail_with_a_masked_address_only(visit: Flask) -> None:
    who = applicant()
    register(who)
    events = db.session.scalars(sa.select(AccessEvent)).all()
    assert {"account:register", "code:send"} <= {each.kind for each in events}
    assert {each.ip for each in events} == {"10.0.0.1"}
    written = " ".join(f"{each.detail} {each.object_id}" for each in events)
    assert who.email not in written
    assert who.mobile not in written


# With an account of the customs system.


def told(*brokers: dict[str, object]) -> customs_client.Answer:
    return customs_client.read_answer(answer(*brokers), LICENCE_NO)


def by_customs() -> account_registration.Applicant:
    return applicant(first_name="", last_name="", civil_id="")


@pytest.mark.databases
def test_customs_gives_name_number_organisation_brokers_and_licences(visit: Flask) -> None:
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
    assert (user.full_name, user.civil_id) == ("أحمد الكندري", HOLDER_CIVIL_ID)
    organisation = db.session.scalars(sa.select(Organisation)).one()
    assert (organisation.licence_no, organisation.name_en) == (LICENCE_NO, "Alkandari Clearing")
    general = db.session.get_one(Broker, organisation.general_broker_id)
    assert general.civil_id == HOLDER_CIVIL_ID
    assert " عبدالله" in general.name_folded
    numbers = db.session.scalars(sa.select(Licence.number).order_by(Licence.number)).all()
    assert numbers == ["CL/100", "CL/101"]
    assert db.session.scalars(sa.select(Membership.is_general)).one()


def test_an_organisation_with_a_general_user_sends_the_newcomer_to_him(visit: Flask) -> None:
    organisation = factories.make_organisation(licence_no=LICENCE_NO)
    factories.make_agent(organisation)
    with pytest.raises(Refused) as refused:
        account_registration.register(by_customs(), customs=told(), now=NOW)
    assert refused.value.refusal.change
    assert count(Registration) == 0
    assert deliveries() == []


def test_an_organisation_whose_general_user_is_disabled_may_be_claimed(visit: Flask) -> None:
    organisation = factories.make_organisation(licence_no=LICENCE_NO)
    factories.make_agent(organisation, is_active=False)
    who = by_customs()
    account_registration.register(who, customs=told(), now=NOW)
    db.session.commit()
    result = verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert result.key is not None
    assert count(Organisation) == 1


def test_a_broker_known_elsewhere_stays_where_he_is(visit: Flask) -> None:
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


def test_an_added_user_chooses_a_password_then_proves_both_contacts(visit: Flask) -> None:
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


def test_codes_are_not_shown_anywhere_but_in_the_message(visit: Flask) -> None:
    who = applicant()
    register(who)
    code = code_of(who.email)
    rows = db.session.scalars(sa.select(Delivery)).all()
    assert not any(code in f"{row.subject}{row.body}" for row in rows)
    assert one_time_codes.masked(Channel.EMAIL, who.email) != who.email


@pytest.mark.heavy
def test_known_and_unknown_take_the_same_time_over_300_registrations(visit: Flask) -> None:
    owner = factories.make_user(password=OTHER_PASSWORD)
    db.session.commit()
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(300):
        with factories.visit(visit, ip=f"10.5.{number % 250}.1"):
            for kind, taken in times.items():
                who = applicant(email=owner.email) if kind == "known" else applicant()
                began = time.perf_counter()
                register(who, NOW + timedelta(days=2 * number))
                taken.append(time.perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) < 0.1 * max(known, unknown)
