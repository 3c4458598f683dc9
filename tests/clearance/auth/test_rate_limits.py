"""Limits: counted before the work, shared by all workers, never open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import rate_limit_rows, rate_limits
from clearance.core.errors import NotFound, ServiceUnavailable, TooManyTries
from clearance.core.extensions import db
from clearance.core.settings import BadSettings
from clearance.models import ThrottleCount
from tests.support import factories
from tests.support.parallel import ROUNDS, run_together
from tests.support.rows import count_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FIVE = 5


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The clock stands at NOW until the test moves it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def hit(policy: str, key: str, now: datetime = NOW) -> list[rate_limit_rows.Row]:
    with time_machine.travel(now, tick=False):
        return rate_limits.consume(policy, key)


def hits(policy: str, key: str, times: int, now: datetime = NOW) -> None:
    for _ in range(times):
        hit(policy, key, now)


@pytest.mark.databases
def test_the_sixth_try_within_five_minutes_waits_for_the_rest_of_them(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    with pytest.raises(TooManyTries) as refused:
        hit("sign_in_account", "a@example.com", NOW + timedelta(seconds=100))
    assert refused.value.retry_after == 200
    hit("sign_in_account", "b@example.com")


@pytest.mark.databases
def test_a_window_ends_after_its_length_and_the_longer_one_still_counts(context: Flask) -> None:
    for window in range(4):
        hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(minutes=5 * window))
    with pytest.raises(TooManyTries) as refused:
        hit("sign_in_account", "a@example.com", NOW + timedelta(minutes=20))
    assert refused.value.retry_after == 40 * 60


def test_a_refused_try_does_not_use_the_longer_limits_up(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    for _ in range(60):
        with pytest.raises(TooManyTries):
            hit("sign_in_account", "a@example.com")
    hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(minutes=5))


@pytest.mark.usefixtures("clock")
def test_when_one_of_several_limits_is_reached_none_is_counted(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    for _ in range(40):
        with pytest.raises(TooManyTries):
            rate_limits.consume_all(
                [("sign_in_account", "a@example.com"), ("sign_in_ip", "1.1.1.1")]
            )
    hits("sign_in_ip", "1.1.1.1", 30)


def test_a_clock_that_jumps_back_locks_for_no_longer_than_the_window(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(days=3))
    hit("sign_in_account", "a@example.com")
    hits("sign_in_account", "a@example.com", FIVE - 1, NOW)
    with pytest.raises(TooManyTries) as refused:
        hit("sign_in_account", "a@example.com")
    assert refused.value.retry_after <= 5 * 60


def test_a_refund_gives_the_try_back_and_a_reset_all_of_them(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE - 1)
    rate_limits.refund(hit("sign_in_account", "a@example.com"))
    hit("sign_in_account", "a@example.com")
    with pytest.raises(TooManyTries):
        hit("sign_in_account", "a@example.com")
    rate_limits.reset("sign_in_account", "a@example.com")
    hits("sign_in_account", "a@example.com", FIVE)


def test_what_is_counted_is_kept_as_a_hash_only(context: Flask) -> None:
    hit("sign_in_account", "secret@example.com")
    keys = db.session.scalars(sa.select(ThrottleCount.key)).all()
    assert len(keys) == 3
    assert not any("secret" in key for key in keys)


def test_an_empty_key_is_not_counted(context: Flask) -> None:
    hits("captcha_ip", "", 100)
    assert count_of(ThrottleCount) == 0


def test_the_operator_replaces_a_limit_or_takes_it_away(make_app: Callable[..., Flask]) -> None:
    app = make_app(limits={"check_ip": "2 per 1 minute", "captcha_ip": ""})
    with app.app_context():
        hits("check_ip", "1.1.1.1", 2)
        with pytest.raises(TooManyTries):
            hit("check_ip", "1.1.1.1")
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
            hit("sms_all", "all")
        db.engine.dispose()


@pytest.mark.databases
def test_unreachable_counters_refuse_instead_of_letting_pass(context: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE throttle_count"))
    with pytest.raises(ServiceUnavailable):
        hit("sign_in_account", "a@example.com")


@pytest.mark.databases
def test_windows_that_ended_are_purged(context: Flask) -> None:
    hit("sign_in_account", "a@example.com")
    assert rate_limits.purge(NOW + timedelta(minutes=10)) == 1
    assert rate_limits.purge(NOW + timedelta(days=2)) == 2


@pytest.mark.databases
def test_forty_tries_at_once_let_five_pass(app: Flask) -> None:
    passed: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            try:
                rate_limits.consume_all(
                    [("sign_in_account", "a@example.com"), ("sign_in_ip", f"10.0.0.{number}")]
                )
            except TooManyTries:
                return
            passed.append(number)

    run_together(attempt, 40)
    assert len(passed) == FIVE


# Which clock counts.


@pytest.mark.databases
def test_a_try_with_an_older_clock_does_not_begin_a_full_window_anew(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(seconds=3))
    with pytest.raises(TooManyTries):
        hit("sign_in_account", "a@example.com", NOW)


@pytest.mark.databases
def test_the_clock_is_read_while_the_rows_are_held(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def note(connection: sa.Connection, cursor: object, statement: str, *rest: object) -> None:
        order.append(statement.split()[0])

    def clock() -> datetime:
        order.append("clock")
        return NOW

    monkeypatch.setattr(rate_limit_rows, "utc_now", clock)
    sa.event.listen(db.engine, "before_cursor_execute", note)
    rate_limits.consume("sign_in_account", "a@example.com")
    sa.event.remove(db.engine, "before_cursor_execute", note)
    words = [word for word in order if word in {"INSERT", "UPDATE", "clock"}]
    assert words[:3] == ["INSERT", "clock", "UPDATE"]


@pytest.mark.parametrize("seconds_back", [1, 59, 119, 121, 86_400])
def test_a_clock_set_back_keeps_nobody_waiting_longer_than_a_window(
    context: Flask, monkeypatch: pytest.MonkeyPatch, seconds_back: int
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "captcha_ip", "2 per 60 second")
    hits("captcha_ip", "1.1.1.1", 2)
    back = NOW - timedelta(seconds=seconds_back)
    waits = []
    for _ in range(3):
        try:
            hit("captcha_ip", "1.1.1.1", back)
        except TooManyTries as refused:
            waits.append(refused.retry_after)
    assert max(waits) <= 60
    hit("captcha_ip", "1.1.1.1", back + timedelta(seconds=60))


@pytest.mark.databases
def test_forty_tries_around_the_end_of_a_window_let_five_pass(app: Flask) -> None:
    assert passed_around_the_end_of_a_window(app, "a@example.com") == FIVE


@pytest.mark.heavy
@pytest.mark.databases
def test_forty_tries_around_the_end_of_a_window_let_five_pass_every_time(app: Flask) -> None:
    rounds = [passed_around_the_end_of_a_window(app, f"{n}@example.com") for n in range(ROUNDS)]
    assert rounds == [FIVE] * ROUNDS


def passed_around_the_end_of_a_window(app: Flask, key: str) -> int:
    """How many of forty tries pass when a full window of five minutes ends while they come."""
    passed: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            try:
                rate_limits.consume("sign_in_account", key)
            except TooManyTries:
                return
            passed.append(number)

    with app.app_context():
        hits("sign_in_account", key, FIVE)
    with time_machine.travel(NOW + timedelta(minutes=5, milliseconds=-20), tick=True):
        run_together(attempt, 40)
        time.sleep(0.02)  # all forty may have come before the end
        for number in range(40, 40 + FIVE):
            attempt(number)
    return len(passed)


@pytest.mark.databases
def test_a_refund_takes_nothing_from_a_window_that_began_since(context: Flask) -> None:
    early = hit("sign_in_account", "a@example.com")
    later = NOW + timedelta(minutes=5)
    hits("sign_in_account", "a@example.com", FIVE, later)
    rate_limits.refund(early)
    with pytest.raises(TooManyTries):
        hit("sign_in_account", "a@example.com", later)


def test_one_limit_named_twice_in_a_try_counts_twice(context: Flask) -> None:
    with time_machine.travel(NOW, tick=False):
        for _ in range(5):
            rate_limits.consume_all([("export_account", "user:1"), ("export_account", "user:1")])
        with pytest.raises(TooManyTries):
            rate_limits.consume("export_account", "user:1")


# What others use up.


def hit_shared(who: str, now: datetime = NOW) -> None:
    with time_machine.travel(now, tick=False):
        rate_limits.consume_all([rate_limits.Shared("sign_in_account", "a@example.com", who)])


def wait_of(who: str, now: datetime = NOW) -> int:
    with pytest.raises(TooManyTries) as refused:
        hit_shared(who, now)
    return refused.value.retry_after


@pytest.mark.databases
def test_a_shared_limit_delays_for_thirty_seconds_and_does_not_close(context: Flask) -> None:
    for number in range(FIVE):
        hit_shared(f"10.0.0.{number}")
    assert wait_of("10.9.9.9") == 30
    assert wait_of("10.9.9.9", NOW + timedelta(seconds=10)) == 20
    hit_shared("10.9.9.9", NOW + timedelta(seconds=30))
    assert wait_of("10.9.9.9", NOW + timedelta(seconds=31)) == 29


def test_nobody_takes_the_turn_of_another(context: Flask) -> None:
    for number in range(FIVE):
        hit_shared(f"10.0.0.{number}")
    assert wait_of("10.9.9.9") == 30
    for second in range(30):
        assert wait_of(f"10.0.1.{second}", NOW + timedelta(seconds=second)) == 30
    hit_shared("10.9.9.9", NOW + timedelta(seconds=30))


def test_a_turn_that_was_not_taken_is_lost_after_a_while(context: Flask) -> None:
    for hour in range(2):
        hits("sign_in_account", "a@example.com", FIVE, NOW + timedelta(hours=2 * hour))
        assert wait_of("10.9.9.9", NOW + timedelta(hours=2 * hour)) == 30


def test_a_clock_set_back_makes_no_turn_later(context: Flask) -> None:
    hits("sign_in_account", "a@example.com", FIVE)
    assert wait_of("10.9.9.9") == 30
    back = NOW - timedelta(seconds=100)
    assert wait_of("10.9.9.9", back) == 30
    hit_shared("10.9.9.9", back + timedelta(seconds=30))


@pytest.mark.databases
def test_one_turn_lets_one_of_twenty_at_once_pass(app: Flask) -> None:
    passed: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            try:
                rate_limits.consume_all(
                    [rate_limits.Shared("sign_in_account", "a@example.com", "10.9.9.9")]
                )
            except TooManyTries:
                return
            passed.append(number)

    with app.app_context():
        hits("sign_in_account", "a@example.com", FIVE)
        assert wait_of("10.9.9.9") == 30
    with time_machine.travel(NOW + timedelta(seconds=31), tick=False):
        run_together(attempt, 20)
    assert len(passed) == 1


def test_what_is_sent_to_a_target_closes_to_who_used_it_up_and_delays_others(
    context: Flask,
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        mine = rate_limits.of_target("registration_target", "email:a@example.com", "10.0.0.1")
        others = rate_limits.of_target("registration_target", "email:a@example.com", "10.0.0.2")
        for _ in range(3):
            rate_limits.consume_all(mine)
        for _ in range(2):
            with pytest.raises(TooManyTries) as refused:
                rate_limits.consume_all(mine)
            clock.shift(30)
        assert refused.value.retry_after > 3600
        with pytest.raises(TooManyTries) as refused:
            rate_limits.consume_all(others)
        assert refused.value.retry_after == 30
        clock.shift(30)
        rate_limits.consume_all(others)


# Who tries, and what was not given.


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_address_counts_as_its_network(app: Flask, address: str, counted_as: str) -> None:
    with factories.visit(app, ip=address):
        assert rate_limits.client_ip() == counted_as


@pytest.mark.databases
def test_what_was_not_given_is_not_counted(app: Flask) -> None:
    @rate_limits.counted(("export_account", "user:1"))
    def find_nothing() -> None:
        factories.make_user()
        raise NotFound

    with factories.visit(app):
        for _ in range(30):
            with pytest.raises(NotFound):
                find_nothing()
        for _ in range(10):
            with rate_limits.counted(("export_account", "user:1")):
                pass
        with pytest.raises(TooManyTries), rate_limits.counted(("export_account", "user:1")):
            pass
