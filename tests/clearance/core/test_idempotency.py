"""One-time keys: the first result stands, a rollback gives the key back, two at once."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from flask import Flask

from clearance.core import idempotency
from clearance.core.clock import utc_now
from clearance.core.extensions import db


def test_the_same_key_gives_the_first_result(context: Flask) -> None:
    key = idempotency.new()
    assert idempotency.claim(key, "user:1", "/first", utc_now()) is None
    db.session.commit()
    assert idempotency.claim(key, "user:1", "/second", utc_now()) == "/first"
    assert idempotency.result_of(key, "user:1") == "/first"


def test_a_rollback_gives_the_key_back(context: Flask) -> None:
    key = idempotency.new()
    idempotency.claim(key, "user:1", "/first", utc_now())
    db.session.rollback()
    assert idempotency.result_of(key, "user:1") is None
    assert idempotency.claim(key, "user:1", "/second", utc_now()) is None


def test_a_key_can_be_given_back_when_nothing_came_of_it(context: Flask) -> None:
    key = idempotency.new()
    idempotency.claim(key, "user:1", "/first", utc_now())
    idempotency.release(key, "user:2")
    assert idempotency.result_of(key, "user:1") == "/first"
    idempotency.release(key, "user:1")
    db.session.commit()
    assert idempotency.claim(key, "user:1", "/second", utc_now()) is None


def test_nobody_reads_a_result_by_the_key_of_somebody_else(context: Flask) -> None:
    key = idempotency.new()
    idempotency.claim(key, "user:1", "/first", utc_now())
    assert idempotency.result_of(key, "user:2") is None
    assert idempotency.claim(key, "user:2", "/own", utc_now()) == "/own"


def test_without_a_key_nothing_is_claimed(context: Flask) -> None:
    assert idempotency.claim("", "user:1", "/first", utc_now()) is None
    assert idempotency.claim("", "user:1", "/second", utc_now()) is None
    assert idempotency.result_of("", "user:1") is None


def test_keys_are_long_and_never_repeat() -> None:
    keys = {idempotency.new() for _each in range(200)}
    assert len(keys) == 200
    assert all(30 <= len(key) <= idempotency.KEY_MAX_LENGTH for key in keys)


@pytest.mark.databases
def test_of_two_sendings_at_once_one_is_the_first(app: Flask) -> None:
    key, barrier = idempotency.new(), Barrier(4)
    answers: list[str | None] = []

    def send(number: int) -> None:
        with app.app_context():
            barrier.wait()
            answers.append(idempotency.claim(key, "user:1", f"/{number}", utc_now()))
            db.session.commit()

    threads = [Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 1
    assert len({answer for answer in answers if answer is not None}) == 1
