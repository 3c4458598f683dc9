"""A database that is held or hangs: writers wait a bounded time, readers go on, 503 says when."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import database as transactions
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import Counter, UserSession
from tests.support import factories
from tests.support.pages import PageClient

SHORT = 1.0


@pytest.fixture
def portal(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The portal as people meet it: a fault has its page."""
    app = make_app()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    with app.app_context():
        db.engine.dispose()


@contextmanager
def held(app: Flask) -> Iterator[None]:
    """Another process writes to the SQLite database and does not end."""
    with app.app_context():
        path = str(db.engine.url.database)
        db.session.scalar(sa.select(1))  # the first connection makes the write-ahead log
        db.session.remove()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def hanging(app: Flask) -> Iterator[None]:
    """The processes of the PostgreSQL server stand still; connections to it stay open."""
    with app.app_context(), own_transaction(write=False) as connection:
        folder = connection.scalar(sa.text("SHOW data_directory"))
    postmaster = int(Path(str(folder), "postmaster.pid").read_text().split()[0])
    processes = [*children_of(postmaster), postmaster]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(each) for each in listed.split()]


def posted(app: Flask, token: str, browser: PageClient) -> Callable[[], Any]:
    data = {"csrf_token": token, "email": "nobody@example.com", "password": "x"}
    return lambda: browser.http.post("/login", data=data)


def test_a_writer_waits_a_bounded_time_and_is_told_when_to_come_again(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "REQUEST_WRITER_SECONDS", SHORT)
    browser = PageClient(portal)
    token = browser.csrf_token()
    with held(portal):
        began = time.monotonic()
        answer = posted(portal, token, browser)()
        waited = time.monotonic() - began
    assert answer.status_code == 503
    assert SHORT <= waited < SHORT + 2
    assert posted(portal, token, browser)().status_code != 503


def test_a_request_waits_no_longer_however_often_it_writes(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "REQUEST_WRITER_SECONDS", SHORT)
    with held(portal), portal.test_request_context(method="POST"):
        began = time.monotonic()
        for _ in range(4):
            with pytest.raises(sa.exc.OperationalError), own_transaction():
                raise AssertionError("it must not begin")
        assert time.monotonic() - began < SHORT + 1


def test_few_requests_wait_for_the_writer_and_the_others_give_up_soon(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "REQUEST_WRITER_SECONDS", 5.0)
    monkeypatch.setattr(transactions, "PLACE_SECONDS", 0.1)
    transactions.limit_waiting(portal, 2)

    def write(_number: int) -> float:
        began = time.monotonic()
        with (
            portal.test_request_context(method="POST"),
            pytest.raises(sa.exc.OperationalError, match="locked"),
            own_transaction(),
        ):
            raise AssertionError("it must not begin")
        return time.monotonic() - began

    with held(portal), ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(write, range(8)))
    assert waits[5] < 2
    assert waits[6] > 4


def test_reading_goes_on_while_somebody_else_writes(portal: Flask) -> None:
    with portal.app_context():
        agent = factories.make_agent()
    browser = factories.browser_of(portal, agent, language=None)
    with portal.app_context():  # so long ago that it would be marked anew
        past = utc_now() - timedelta(minutes=5)
        db.session.execute(sa.update(UserSession).values(last_seen_at=past))
        db.session.commit()
    with held(portal):
        began = time.monotonic()
        assert browser.http.get("/my/").status_code == 200
        assert browser.http.get("/login").status_code == 303
        assert time.monotonic() - began < 5


def test_writers_of_one_process_take_turns_and_all_get_theirs(portal: Flask) -> None:
    with portal.app_context():
        db.session.add(Counter(prefix="ZZ", year=26, last=0))
        db.session.commit()
    together = threading.Barrier(32)

    def add(_number: int) -> None:
        together.wait()
        with portal.app_context(), own_transaction() as connection:
            connection.execute(sa.update(Counter).values(last=Counter.last + 1))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(add, range(32)))
    with portal.app_context():
        assert db.session.get_one(Counter, ("ZZ", 26)).last == 32


@pytest.mark.databases
def test_a_server_that_hangs_is_given_up_and_work_goes_on_after(
    portal: Flask, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.kind != "postgresql":
        return  # SQLite has no server
    monkeypatch.setattr(transactions, "REQUEST_ANSWER_SECONDS", SHORT)
    monkeypatch.setattr(transactions, "PING_SECONDS", SHORT)
    browser = PageClient(portal)
    token = browser.csrf_token()
    with hanging(portal):
        began = time.monotonic()
        answer = posted(portal, token, browser)()
        waited = time.monotonic() - began
    assert answer.status_code == 503
    assert waited < 15
    assert posted(portal, token, browser)().status_code != 503


@pytest.mark.databases
def test_a_statement_in_the_middle_is_given_up_too(
    portal: Flask, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.kind != "postgresql":
        return
    monkeypatch.setattr(transactions, "REQUEST_ANSWER_SECONDS", SHORT)
    with portal.test_request_context():
        connection = db.session.connection()
        began = time.monotonic()
        with pytest.raises(sa.exc.OperationalError, match="does not answer"):
            connection.exec_driver_sql("SELECT pg_sleep(20)")
        assert time.monotonic() - began < 10
        db.session.rollback()
        assert db.session.scalar(sa.select(1)) == 1
        db.session.remove()


def test_without_a_free_connection_people_are_told_when_to_come_again(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with portal.app_context(), ExitStack() as stack:
        engine = db.engine
        monkeypatch.setattr(engine.pool, "_timeout", 0.1)
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            stack.enter_context(engine.connect())
        answer = portal.test_client().get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
