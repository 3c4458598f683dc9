"""One-time keys: the first result stands, a rollback gives the key back, two at once."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from flask import Flask

from clearance import one_time_keys
from clearance.calendar import utc_now
from clearance.extensions import db


def test_the_same_key_gives_the_first_result(context: Flask) -> None:
    key = one_time_keys.new()
    assert one_time_keys.claim(key, "user:1", "/first", utc_now()) is None
    db.session.commit()
    assert one_time_keys.claim(key, "user:1", "/second", utc_now()) == "/first"
    assert one_time_keys.result_of(key, "user:1") == "/first"


def test_a_rollback_gives_the_key_back(context: Flask) -> None:
    key = one_time_keys.new()
    one_time_keys.claim(key, "user:1", "/first", utc_now())
    db.session.rollback()
    assert one_time_keys.result_of(key, "user:1") is None
    assert one_time_keys.claim(key, "user:1", "/second", utc_now()) is None


def test_a_key_can_be_given_back_when_nothing_came_of_it(context: Flask) -> None:
    key = one_time_keys.new()
    one_time_keys.claim(key, "user:1", "/first", utc_now())
    one_time_keys.release(key, "user:2")
    assert one_time_keys.result_of(key, "user:1") == "/first"
    one_time_keys.release(key, "user:1")
    db.session.commit()
    assert one_time_keys.claim(key, "user:1", "/second", utc_now()) is None


def test_nobody_reads_a_result_by_the_key_of_somebody_else(context: Flask) -> None:
    key = one_time_keys.new()
    one_time_keys.claim(key, "user:1", "/first", utc_now())
    assert one_time_keys.result_of(key, "user:2") is None
    assert one_time_keys.claim(key, "user:2", "/own", utc_now()) == "/own"


def test_without_a_key_nothing_is_claimed(context: Flask) -> None:
    assert one_time_keys.claim("", "user:1", "/first", utc_now()) is None
    assert one_time_keys.claim("", "user:1", "/second", utc_now()) is None
    assert one_time_keys.result_of("", "user:1") is None


def test_keys_are_long_and_never_repeat() -> None:
    keys = {one_time_keys.new() for _each in range(200)}
    assert len(keys) == 200
    assert all(30 <= len(key) <= one_time_keys.KEY_MAX_LENGTH for key in keys)


@pytest.mark.databases
def test_of_two_sendings_at_once_one_is_the_first(app: Flask) -> None:
    key, barrier = one_time_keys.new(), Barrier(4)
    answers: list[str | None] = []

    def send(number: int) -> None:
        with app.app_context():
            barrier.wait()
            answers.append(one_time_keys.claim(key, "user:1", f"/{number}", utc_now()))
            db.session.commit()

    threads = [Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 1
    assert len({answer for answer in answers if answer is not None}) == 1
