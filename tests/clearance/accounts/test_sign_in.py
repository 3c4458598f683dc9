"""Signing in: one refusal for all reasons, budgets, known browsers, stages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
import time_machine
from argon2 import PasswordHasher
from flask import Flask

from clearance.accounts import sign_in as account_sign_in
from clearance.auth import known_devices, passwords, rate_limits, registrants, sessions
from clearance.core.clock import utc_now
from clearance.core.errors import ServiceUnavailable, TooManyTries
from clearance.core.extensions import db
from clearance.models import AccessEvent, Notice, User, UserSession
from clearance.models.enums import Role, SessionStage
from tests.support import factories
from tests.support.parallel import ROUNDS, run_together
from tests.support.rows import count_of
from tests.support.timing import assert_same_time

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
WRONG = "Wrong-1-Guess!"


@pytest.fixture
def visit(app: Flask) -> Iterator[Flask]:
    """The application during a POST of a visitor."""
    with factories.visit(app, user_agent=CHROME):
        yield app
        db.session.rollback()


def sign_in(
    email: str,
    password: str = factories.PASSWORD,
    *,
    ip: str = "10.0.0.1",
    device: str | None = None,
    now: datetime = NOW,
) -> account_sign_in.SignIn:
    with time_machine.travel(now, tick=False):
        result = account_sign_in.sign_in(email, password, ip=ip, device=device, now=now)
    db.session.commit()
    return result


def fail(email: str, times: int, *, now: datetime = NOW, device: str | None = None) -> None:
    """Fail so often, each time from another address."""
    for number in range(times):
        ip = f"10.1.{number // 250}.{number}"
        assert sign_in(email, WRONG, ip=ip, now=now, device=device).key is None


@pytest.fixture
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare passwords without their slow hash, for tests that only count many tries."""
    monkeypatch.setattr(account_sign_in, "verify_password", lambda _hash, typed: typed != WRONG)
    monkeypatch.setattr(account_sign_in, "spend_verification_time", lambda typed: None)
    monkeypatch.setattr(account_sign_in, "hash_of_sign_up", lambda _email, _typed: "")


def notices_of(user: User) -> list[str]:
    found = db.session.scalars(sa.select(Notice.event).where(Notice.user_id == user.id)).all()
    db.session.commit()
    return list(found)


@pytest.mark.databases
def test_the_right_password_opens_a_session(visit: Flask) -> None:
    user = factories.make_agent()
    result = sign_in(user.email)
    assert result.stage == SessionStage.FULL
    actor = sessions.load_actor(result.key or "", NOW)
    assert actor is not None
    assert actor.user_id == user.id
    row = db.session.scalars(sa.select(UserSession)).one()
    assert (row.ip, row.user_agent) == ("10.0.0.1", CHROME)
    assert result.key not in row.key_hash


@pytest.mark.databases
def test_every_refusal_is_the_same(visit: Flask) -> None:
    user = factories.make_agent()
    gone = factories.make_agent(is_active=False)
    refused = account_sign_in.SignIn(None, None, "")
    assert sign_in(user.email, WRONG) == refused
    assert sign_in("nobody@example.com") == refused
    assert sign_in(gone.email) == refused
    assert sign_in(user.email, "x" * 500) == refused
    assert count_of(UserSession) == 0


def test_an_unknown_address_costs_exactly_the_hashes_of_a_known_one(
    visit: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = factories.make_agent()
    done: list[str] = []
    real_verify, real_burn = passwords.verify_password, passwords.spend_verification_time
    monkeypatch.setattr(
        account_sign_in,
        "verify_password",
        lambda stored, typed: done.append("hash") or real_verify(stored, typed),
    )
    monkeypatch.setattr(
        account_sign_in,
        "spend_verification_time",
        lambda typed: done.append("hash") or real_burn(typed),
    )
    monkeypatch.setattr(
        account_sign_in,
        "hash_of_sign_up",
        lambda email, typed: done.append("hash") or registrants.hash_of_sign_up(email, typed),
    )
    counts = []
    for email in (user.email, "nobody@example.com"):
        done.clear()
        sign_in(email, WRONG)
        counts.append(len(done))
        # Sign-ups with that address must not tell either, nor how many there are.
        for _ in range(3):
            factories.make_registration(
                email=email, password_hash=registrants.hash_of_sign_up(email, factories.PASSWORD)
            )
        done.clear()
        sign_in(email, WRONG)
        counts.append(len(done))
    assert counts == [2, 2, 2, 2]


@pytest.mark.databases
def test_the_sixth_failure_in_five_minutes_is_refused_even_with_the_right_password(
    visit: Flask,
) -> None:
    user = factories.make_agent()
    fail(user.email, 5)
    with pytest.raises(TooManyTries):
        sign_in(user.email)
    assert sign_in(user.email, now=NOW + timedelta(minutes=5)).key is not None


@pytest.mark.databases
def test_strangers_who_fail_delay_the_owner_in_a_new_browser_by_thirty_seconds(
    visit: Flask,
) -> None:
    user = factories.make_agent()
    fail(user.email, 5)
    with pytest.raises(TooManyTries) as refused:
        sign_in(user.email)
    assert refused.value.retry_after == 30
    for second in range(0, 30, 5):  # strangers wait for turns of their own
        with pytest.raises(TooManyTries):
            sign_in(user.email, WRONG, ip=f"10.7.0.{second}", now=NOW + timedelta(seconds=second))
    assert sign_in(user.email, now=NOW + timedelta(seconds=30)).key is not None


@pytest.mark.usefixtures("quick_hash")
def test_a_known_browser_is_not_kept_out_by_a_stranger_at_its_address(visit: Flask) -> None:
    user = factories.make_agent()
    device = sign_in(user.email).device
    for number in range(30):
        assert sign_in(f"someone{number}@example.com", WRONG).key is None
    with pytest.raises(TooManyTries):
        sign_in(user.email)
    assert sign_in(user.email, device=device).key is not None


def test_sign_ups_of_strangers_for_an_address_hide_nobodys(visit: Flask) -> None:
    mine = factories.make_registration(email="same@example.com", created_at=NOW)
    for _ in range(5):
        factories.make_registration(email="same@example.com", created_at=NOW, password=WRONG)
    result = sign_in("same@example.com")
    actor = sessions.load_actor(result.key or "", NOW)
    assert actor is not None
    assert actor.registration_id == mine.id


def test_a_browser_with_the_password_alone_is_not_known_yet(visit: Flask) -> None:
    user = factories.make_staff()
    device = sign_in(user.email).device
    assert not known_devices.is_known(user.id, device)


def test_an_unknown_address_is_limited_like_a_known_one(visit: Flask) -> None:
    fail("nobody@example.com", 5)
    with pytest.raises(TooManyTries):
        sign_in("nobody@example.com")


@pytest.mark.usefixtures("quick_hash")
def test_thirty_failures_from_one_address_refuse_it_whoever_is_tried(visit: Flask) -> None:
    for number in range(30):
        assert sign_in(f"someone{number}@example.com", WRONG).key is None
    user = factories.make_agent()
    with pytest.raises(TooManyTries):
        sign_in(user.email)
    assert sign_in(user.email, ip="10.0.0.2").key is not None


@pytest.mark.usefixtures("quick_hash")
def test_successes_do_not_use_the_budget_up(visit: Flask) -> None:
    user = factories.make_agent()
    for _ in range(40):
        assert sign_in(user.email).key is not None


def test_a_known_browser_has_a_budget_of_its_own(visit: Flask) -> None:
    user = factories.make_agent()
    device = sign_in(user.email).device
    fail(user.email, 5)
    with pytest.raises(TooManyTries):
        sign_in(user.email)
    assert sign_in(user.email, device=device).key is not None


def test_a_browser_known_to_another_user_has_no_budget_here(visit: Flask) -> None:
    user, other = factories.make_agent(), factories.make_agent()
    device = sign_in(other.email).device
    fail(user.email, 5)
    with pytest.raises(TooManyTries):
        sign_in(user.email, device=device)


def test_after_a_hundred_failures_in_a_row_strangers_must_reset(visit: Flask) -> None:
    user = factories.make_agent()
    device = sign_in(user.email).device
    user.failures_in_a_row = account_sign_in.FAILURES_IN_A_ROW - 1
    db.session.commit()
    fail(user.email, 1)
    assert sign_in(user.email) == account_sign_in.SignIn(None, None, "")
    assert sign_in(user.email, device=device).key is not None
    db.session.refresh(user)
    assert user.failures_in_a_row == 0


@pytest.mark.usefixtures("quick_hash")
def test_a_known_browser_that_fails_a_hundred_times_is_a_stranger(visit: Flask) -> None:
    user = factories.make_agent()
    device = sign_in(user.email).device
    for day in range(5):
        for quarter in range(4):
            moment = NOW + timedelta(days=2 * day, hours=2 * quarter)
            fail(user.email, 5, now=moment, device=device)
    assert known_devices.is_known(user.id, device)
    fail(user.email, 1, now=NOW + timedelta(days=20), device=device)
    assert not known_devices.is_known(user.id, device)


def test_a_thousand_failures_in_five_minutes_raise_an_alarm(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "sign_in_all", "3 per 5 minute")
    with factories.visit(app), caplog.at_level(logging.ERROR):
        for number in range(3):
            sign_in(f"someone{number}@example.com", WRONG)
        assert "sign_in_alarm" not in caplog.text
        sign_in("someone@example.com", WRONG)
    assert "sign_in_alarm" in caplog.text


def test_a_new_browser_is_told_of_but_not_the_first(visit: Flask) -> None:
    user = factories.make_agent()
    first = sign_in(user.email)
    assert notices_of(user) == []
    assert sign_in(user.email, device=first.device).device == first.device
    assert notices_of(user) == []
    second = sign_in(user.email)
    assert second.device != first.device
    assert notices_of(user) == ["account:device:new"]
    notice = db.session.scalars(sa.select(Notice)).one()
    assert notice.params["device"] == "Chrome, Windows"


def test_a_planted_device_token_is_replaced(visit: Flask) -> None:
    user = factories.make_agent()
    assert sign_in(user.email, device="planted-by-somebody").device != "planted-by-somebody"
    assert not known_devices.is_known(user.id, "planted-by-somebody")


def test_two_people_share_a_browser(visit: Flask) -> None:
    one, other = factories.make_agent(), factories.make_agent()
    device = sign_in(one.email).device
    assert sign_in(other.email, device=device).device == device
    assert known_devices.is_known(one.id, device)
    assert known_devices.is_known(other.id, device)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR])
def test_staff_go_on_to_the_second_factor(visit: Flask, role: Role) -> None:
    assert sign_in(factories.make_staff(role).email).stage == SessionStage.FACTOR


def test_an_agent_who_switched_it_on_goes_on_to_the_second_factor(visit: Flask) -> None:
    assert sign_in(factories.make_agent(second_factor=True).email).stage == SessionStage.FACTOR


def test_an_added_user_first_chooses_a_password_of_their_own(visit: Flask) -> None:
    user = factories.make_agent(
        must_change_password=True, email_proved_at=None, mobile_proved_at=None
    )
    assert sign_in(user.email).stage == SessionStage.PASSWORD


def test_a_registration_older_than_seven_days_is_over(visit: Flask) -> None:
    registration = factories.make_registration(created_at=NOW - timedelta(days=8))
    assert sign_in(registration.email).key is None
    young = factories.make_registration(created_at=NOW - timedelta(days=6))
    assert sign_in(young.email).stage == SessionStage.VERIFY


def test_of_two_sign_ups_with_one_address_each_opens_by_its_own_password(visit: Flask) -> None:
    mine = factories.make_registration(email="same@example.com", created_at=NOW)
    factories.make_registration(email="same@example.com", created_at=NOW, password=WRONG)
    result = sign_in("same@example.com")
    actor = sessions.load_actor(result.key or "", NOW)
    assert actor is not None
    assert actor.registration_id == mine.id


def test_an_older_hash_is_made_anew(visit: Flask) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
    user = factories.make_agent(password_hash=cheap.hash(factories.PASSWORD))
    assert sign_in(user.email).key is not None
    db.session.refresh(user)
    assert not passwords.needs_rehash(user.password_hash)
    assert passwords.verify_password(user.password_hash, factories.PASSWORD)


def test_sign_ins_good_and_bad_are_in_the_trail_masked(visit: Flask) -> None:
    user = factories.make_agent(email="masked@example.com")
    sign_in(user.email, WRONG)
    sign_in(user.email)
    fail(user.email, 4)
    with pytest.raises(TooManyTries):
        sign_in(user.email)
    events = db.session.scalars(
        sa.select(AccessEvent).where(AccessEvent.kind == "account:sign_in")
    ).all()
    results = [event.result for event in events]
    assert results[:2] == ["refused", "accepted"]
    assert results[-1] == "throttled"
    assert {event.detail for event in events} == {"m•••@example.com"}
    assert {event.user_id for event in events} == {user.id}


@pytest.mark.databases
def test_without_counters_nobody_signs_in(visit: Flask) -> None:
    user = factories.make_agent()
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE throttle_count"))
    with pytest.raises(ServiceUnavailable):
        sign_in(user.email)


@pytest.mark.databases
def test_twenty_wrong_passwords_at_once_get_five_looks(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looks_at_once(app, monkeypatch, 20) == 5


@pytest.mark.heavy
@pytest.mark.databases
def test_twenty_wrong_passwords_at_once_get_five_looks_every_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [looks_at_once(app, monkeypatch, 20) for _ in range(ROUNDS)] == [5] * ROUNDS


def looks_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch, times: int) -> int:
    """How many of so many wrong passwords are looked at while a full window of failures ends."""
    looked: list[int] = []
    monkeypatch.setattr(
        account_sign_in, "verify_password", lambda stored, typed: bool(looked.append(1))
    )
    monkeypatch.setattr(account_sign_in, "hash_of_sign_up", lambda _email, _typed: "")
    monkeypatch.setitem(
        rate_limits.POLICIES, "sign_in_ip", ""
    )  # the same addresses fail each round
    with factories.visit(app):
        email = factories.make_agent().email
        fail(email, 5)
        db.session.remove()
    looked.clear()

    def attempt(number: int) -> None:
        with factories.visit(app):
            try:
                account_sign_in.sign_in(
                    email, WRONG, ip=f"10.2.0.{number}", device=None, now=utc_now()
                )
            except TooManyTries:
                return
            finally:
                db.session.remove()

    with time_machine.travel(NOW + timedelta(minutes=5, milliseconds=-20), tick=True):
        run_together(attempt, times)
    return len(looked)


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (CHROME, "Chrome, Windows"),
        (f"{CHROME} Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_told_shortly(user_agent: str, told: str) -> None:
    assert known_devices.describe_user_agent(user_agent) == told


@pytest.mark.usefixtures("real_hashes")
@pytest.mark.heavy
def test_known_and_unknown_take_the_same_time_over_100_tries(visit: Flask) -> None:
    user = factories.make_agent(password_hash=passwords.hash_password(factories.PASSWORD))

    def try_as(email: str, number: int) -> None:
        moment = NOW + timedelta(days=2 * number)
        assert sign_in(email, WRONG, ip=f"10.3.{number}.1", now=moment).key is None

    assert_same_time(partial(try_as, user.email), partial(try_as, "nobody@example.com"))
