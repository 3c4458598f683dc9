"""Limits: counted before the work, shared by all workers, never open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import throttle
from clearance.errors import ServiceUnavailable, TooManyTries
from clearance.extensions import db
from clearance.models import ThrottleCount
from clearance.settings import BadSettings
from tests.parallel import run_together

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FIVE = 5


def hits(policy: str, key: str, times: int, now: datetime = NOW) -> None:
    for _ in range(times):
        throttle.hit(policy, key, now)


@pytest.mark.databases
def test_the_sixth_try_within_five_minutes_waits_for_the_rest_of_them(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    with pytest.raises(TooManyTries) as refused:
        throttle.hit("sign_in_account", "a@example.com", NOW + timedelta(seconds=100))
    assert refused.value.retry_after == 200
    throttle.hit("sign_in_account", "b@example.com", NOW)


@pytest.mark.databases
def test_a_window_ends_after_its_length_and_the_longer_one_still_counts(context: Flask) -> None:
    for window in range(4):
        hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(minutes=5 * window))
    with pytest.raises(TooManyTries) as refused:
        throttle.hit("sign_in_account", "a@example.com", NOW + timedelta(minutes=20))
    assert refused.value.retry_after == 40 * 60


def test_a_refused_try_does_not_use_the_longer_limits_up(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    for _ in range(60):
        with pytest.raises(TooManyTries):
            throttle.hit("sign_in_account", "a@example.com", NOW)
    hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(minutes=5))


def test_when_one_of_several_limits_is_reached_none_is_counted(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    for _ in range(40):
        with pytest.raises(TooManyTries):
            throttle.hit_all([("sign_in_account", "a@example.com"), ("sign_in_ip", "1.1.1.1")], NOW)
    hits("sign_in_ip", "1.1.1.1", 30)


def test_a_clock_that_jumps_back_locks_for_no_longer_than_the_window(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(days=3))
    throttle.hit("sign_in_account", "a@example.com", NOW)
    hits("sign_in_account", "a@example.com", FIVE - 1, NOW)
    with pytest.raises(TooManyTries) as refused:
        throttle.hit("sign_in_account", "a@example.com", NOW)
    assert refused.value.retry_after <= 5 * 60


def test_a_refund_gives_the_try_back_and_a_reset_all_of_them(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    throttle.refund([("sign_in_account", "a@example.com")], NOW)
    throttle.hit("sign_in_account", "a@example.com", NOW)
    with pytest.raises(TooManyTries):
        throttle.hit("sign_in_account", "a@example.com", NOW)
    throttle.reset("sign_in_account", "a@example.com")
    hits("sign_in_account", "a@example.com", FIVE)


def test_what_is_counted_is_kept_as_a_hash_only(context: Flask) -> None:
    throttle.hit("sign_in_account", "secret@example.com", NOW)
    keys = db.session.scalars(sa.select(ThrottleCount.key)).all()
    assert len(keys) == 3
    assert not any("secret" in key for key in keys)


def test_an_empty_key_is_not_counted(context: Flask) -> None:
    hits("captcha_ip", "", 100)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ThrottleCount)) == 0


def test_the_operator_replaces_a_limit_or_takes_it_away(make_app: Callable[..., Flask]) -> None:
    app = make_app(limits={"check_ip": "2 per 1 minute", "captcha_ip": ""})
    with app.app_context():
        hits("check_ip", "1.1.1.1", 2)
        with pytest.raises(TooManyTries):
            throttle.hit("check_ip", "1.1.1.1", NOW)
        hits("captcha_ip", "1.1.1.1", 100)
        db.engine.dispose()


@pytest.mark.parametrize("limits", [{"nonsense": "1 per 1 day"}, {"check_ip": "often"}])
def test_a_limit_that_cannot_be_read_stops_the_start(
    make_app: Callable[..., Flask], limits: dict[str, str]
) -> None:
    with pytest.raises(BadSettings, match="LIMIT_"):
        make_app(limits=limits)


def test_the_daily_budget_of_sms_is_the_operators(make_app: Callable[..., Flask]) -> None:
    with make_app(sms_daily_budget=2).app_context():
        hits("sms_all", "all", 2)
        with pytest.raises(TooManyTries):
            throttle.hit("sms_all", "all", NOW)
        db.engine.dispose()


@pytest.mark.databases
def test_unreachable_counters_refuse_instead_of_letting_pass(context: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE throttle_count"))
    with pytest.raises(ServiceUnavailable):
        throttle.hit("sign_in_account", "a@example.com", NOW)


def test_windows_that_ended_are_purged(context: Flask) -> None:
    throttle.hit("sign_in_account", "a@example.com", NOW)
    assert throttle.purge(NOW + timedelta(minutes=10)) == 1
    assert throttle.purge(NOW + timedelta(days=2)) == 2


@pytest.mark.databases
def test_forty_tries_at_once_let_five_pass(app: Flask) -> None:
    passed: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            try:
                throttle.hit_all(
                    [("sign_in_account", "a@example.com"), ("sign_in_ip", f"10.0.0.{number}")], NOW
                )
            except TooManyTries:
                return
            passed.append(number)

    run_together(attempt, 40)
    assert len(passed) == FIVE
