"""Registering and verifying: nobody learns who is known; a user is made of both codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import registration as account_registration
from clearance.accounts import verification
from clearance.auth import password_changes, rate_limits, sessions
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied, Refused, TooManyTries
from clearance.core.extensions import db
from clearance.models import (
    AccessEvent,
    Event,
    KnownDevice,
    Membership,
    Notice,
    Organisation,
    Registration,
    Subscription,
    User,
    VerificationCode,
)
from clearance.models.enums import Channel, SessionStage
from clearance.services import versions
from tests.support import factories
from tests.support.customs_system import LICENCE_NO
from tests.support.parallel import ROUNDS, run_together
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


def resend(actor: Actor, channel: Channel, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        verification.resend(actor, channel, now)
    db.session.commit()


@pytest.mark.databases
def test_both_codes_make_user_organisation_membership_and_subscriptions(signing_up: Flask) -> None:
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
        version.definition.code
        for version in versions.all_current()
        if version.definition.subscription == "automatic"
        and "clearing_agent" in version.definition.legal_entities
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


def test_the_session_after_verifying_is_a_new_one_and_the_old_has_ended(signing_up: Flask) -> None:
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


def test_a_company_is_named_as_it_says_and_gets_only_its_services(signing_up: Flask) -> None:
    who = applicant(legal_entity="company", organisation_name="شركة المرسى")
    register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    assert db.session.scalars(sa.select(Organisation.name_ar)).all() == ["شركة المرسى"]
    assert "exam" not in set(db.session.scalars(sa.select(Subscription.service_code)))


def test_the_password_is_kept_as_a_hash_only(signing_up: Flask) -> None:
    who = applicant()
    registration = register(who)
    assert registration.password_hash.startswith("$argon2id$")
    assert who.password not in repr(who)


def test_one_right_code_counts_and_the_other_may_follow_later(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    mobile_code = code_of(who.mobile)
    assert verify(actor, "000000", mobile_code) == verification.Verified(False, True)
    assert verification.proved(actor) == (False, True)
    assert count(User) == 0
    assert verify(actor, code_of(who.email), None).key is not None


def test_each_code_fails_on_the_other_channel(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    email_code, mobile_code = code_of(who.email), code_of(who.mobile)
    if email_code != mobile_code:
        assert verify(enter(who), mobile_code, email_code) == verification.Verified(False, False)


def test_expired_codes_fail_and_new_ones_can_be_asked_for(signing_up: Flask) -> None:
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


def test_a_new_code_goes_out_once_a_minute_at_most(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    with pytest.raises(TooManyTries):
        resend(actor, Channel.SMS, NOW + timedelta(seconds=30))
    db.session.rollback()
    resend(actor, Channel.SMS, NOW + timedelta(seconds=60))
    assert [delivery[0] for delivery in deliveries()].count("code:verify") == 3


def test_nothing_is_sent_again_to_a_contact_that_is_proved(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    verify(actor, code_of(who.email), None)
    sent = deliveries()
    resend(actor, Channel.EMAIL, NOW + timedelta(minutes=2))
    assert deliveries() == sent


def test_a_full_session_neither_verifies_nor_resends(signing_up: Flask) -> None:
    actor = sessions.actor_of(factories.make_agent())
    db.session.commit()
    with pytest.raises(PermissionDenied):
        verification.verify(actor, "123456", "123456", NOW)
    with pytest.raises(PermissionDenied):
        verification.resend(actor, Channel.SMS, NOW)


@pytest.mark.databases
def test_a_known_email_gets_a_notice_in_place_of_its_code(signing_up: Flask) -> None:
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


def test_a_known_mobile_gets_a_notice_in_place_of_its_code(signing_up: Flask) -> None:
    owner = factories.make_user()
    who = applicant(mobile=owner.mobile or "")
    assert register(who).is_void
    assert deliveries() == [
        ("account:registration:known", "sms", owner.mobile),
        ("code:verify", "email", who.email),
    ]


def test_the_owner_of_a_known_civil_number_gets_a_notice_and_it_never_completes(
    signing_up: Flask,
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


def test_known_and_unknown_leave_the_same_traces_and_the_same_next_steps(signing_up: Flask) -> None:
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
    assert [delivery for delivery in deliveries() if delivery[2] == owner.email] == [
        ("account:registration:known", "email", owner.email)
    ]


@pytest.mark.databases
def test_who_became_known_meanwhile_gets_a_friendly_answer(signing_up: Flask) -> None:
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


def test_a_registration_completes_once(signing_up: Flask) -> None:
    who = applicant()
    registration = register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    again = account_registration.complete(registration, NOW)
    assert not isinstance(again, User)
    assert count(User) == 1


def test_the_browser_that_verified_is_known_afterwards(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    actor = enter(who)
    email_code, mobile_code = code_of(who.email), code_of(who.mobile)
    verification.verify(actor, email_code, mobile_code, NOW, device="d" * 43)
    db.session.commit()
    assert count(KnownDevice) == 1


def test_three_registrations_a_day_for_one_address(signing_up: Flask) -> None:
    who = applicant()
    for minute in (0, 2, 4):
        register(who, NOW + timedelta(minutes=minute))
    with pytest.raises(TooManyTries):
        register(who, NOW + timedelta(minutes=6))


@pytest.mark.parametrize("named", ["civil_id", "email", "mobile"])
def test_strangers_who_name_a_person_keep_nobody_from_registering(
    signing_up: Flask, named: str
) -> None:
    me = applicant()
    for minute in (0, 2, 4):
        stranger = replace(applicant(), **{named: getattr(me, named)})
        register(stranger, NOW + timedelta(minutes=minute))
    late = NOW + timedelta(minutes=6)
    with factories.visit(signing_up, ip="10.0.0.2"):
        if named != "civil_id":  # what others have sent to an address delays
            with pytest.raises(TooManyTries) as refused:
                register(me, late)
            assert refused.value.retry_after == 30
            late += timedelta(seconds=30)
        register(me, late)
        result = verify(enter(me, late), code_of(me.email), code_of(me.mobile), late)
    assert result.key is not None


def test_a_registration_that_is_refused_is_not_counted(signing_up: Flask) -> None:
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
def test_thirty_registrations_of_one_target_at_once_count_three_every_time(app: Flask) -> None:
    assert [registered_at_once(app, 30) for _ in range(ROUNDS)] == [3] * ROUNDS


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


def test_a_guessable_password_is_refused_before_anything_is_counted(signing_up: Flask) -> None:
    who = applicant(password="Kuwait@2026")
    with pytest.raises(password_changes.WeakPassword) as refused:
        account_registration.register(who, now=NOW)
    assert refused.value.faults
    assert count(Registration) == 0
    register(replace(who, password=factories.PASSWORD))


def test_a_mobile_of_a_country_without_sms_is_refused(signing_up: Flask) -> None:
    with pytest.raises(Refused):
        account_registration.register(applicant(mobile="+447400123456"), now=NOW)


def test_registering_is_in_the_trail_with_a_masked_address_only(signing_up: Flask) -> None:
    who = applicant()
    register(who)
    events = db.session.scalars(sa.select(AccessEvent)).all()
    assert {"account:register", "code:send"} <= {event.kind for event in events}
    assert {event.ip for event in events} == {"10.0.0.1"}
    written = " ".join(f"{event.detail} {event.object_id}" for event in events)
    assert who.email not in written
    assert who.mobile not in written
