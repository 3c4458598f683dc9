"""Jobs whose database goes away: they wait, say so once, and go on."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa
from flask import Flask
from huey.signals import SIGNAL_COMPLETE

from app import create_app
from clearance.core import schema
from clearance.core.extensions import db
from clearance.jobs import queue as job_queue
from clearance.jobs.queue import Patience
from tests.support.gateways import SmtpGateway, free_port, queue_code

PATIENCE_SECONDS = 60


def wait_for(condition: Callable[[], Any], what: str) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.05)


class Road:
    """A TCP port that leads to the test's PostgreSQL, and can be cut."""

    def __init__(self, database_url: str) -> None:
        url = sa.make_url(database_url)
        self._target = f"{url.query['host']}/.s.PGSQL.5432"
        self._port = free_port()
        self._ends: list[socket.socket] = []
        self._door: socket.socket | None = None
        road = url.set(host="127.0.0.1", port=self._port, query={})
        self.url = road.render_as_string(hide_password=False)

    def open(self) -> Self:
        """Let connections through (again)."""
        self._door = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._take, args=(self._door,), daemon=True).start()
        return self

    def cut(self) -> None:
        """End every connection and take no more."""
        if self._door is not None:
            for end in [self._door, *self._ends]:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
            self._ends.clear()

    def _take(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def road(_databases: Callable[[str], Any]) -> Iterator[Road]:
    database = _databases("postgresql")
    database.restore()
    road = Road(database.url).open()
    yield road
    road.cut()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, tracebacks among it."""
    return [f"{record.name}: {record.getMessage()}" for record in caplog.records]


def test_jobs_wait_for_their_database_with_one_line_of_log_and_go_on(
    road: Road, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with SmtpGateway() as gateway:
        app = create_app(
            testing=True,
            database_url=road.url,
            storage_url=f"file://{tmp_path}",
            mail_server="127.0.0.1",
            mail_port=gateway.port,
        )
        jobs = app.extensions["jobs"]
        done: list[str] = []
        jobs.huey.signal(SIGNAL_COMPLETE)(lambda _signal, task: done.append(task.name))
        jobs.start()
        try:
            wait_for(lambda: "tick" in done, "the first look at the clock")
            road.cut()
            wait_for(lambda: lines(caplog), "a line")
            time.sleep(5 * job_queue.WAIT_SECONDS)  # every thread has had its tries
            told = lines(caplog)
            road.open()
            wait_for(lambda: len(lines(caplog)) > len(told), "the line of going on")
            with app.app_context():
                queue_code()
            wait_for(lambda: gateway.messages, "the mail")
            assert len(told) == 1 and "the database is away" in told[0]
            assert len(lines(caplog)) == 2 and "jobs go on" in lines(caplog)[1]
        finally:
            jobs.stop()
            with app.app_context():
                db.engine.dispose()


def test_jobs_that_start_before_their_database_wait_for_it_and_its_schema(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "comes-later"
    url = f"sqlite:///{folder / 'a.sqlite'}"
    late = create_app(
        testing=True,
        database_url=url,
        storage_url=f"file://{tmp_path}",
    )
    waiting = threading.Thread(target=Patience(late, lambda: False).wait)
    waiting.start()
    wait_for(lambda: lines(caplog), "a line")
    folder.mkdir()
    waiting.join(2 * job_queue.WAIT_SECONDS)
    assert waiting.is_alive()
    schema.upgrade(url)
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()
    assert ["away" in line for line in lines(caplog)] == [True, False]


def test_jobs_that_are_stopped_wait_no_longer(tmp_path: Path) -> None:
    away = create_app(
        testing=True,
        database_url="sqlite:////nowhere/a.sqlite",
        storage_url=f"file://{tmp_path}",
    )
    Patience(away, lambda: True).wait()


def test_a_fault_that_is_not_the_databases_is_told(context: Flask) -> None:
    with pytest.raises(ZeroDivisionError), Patience(context, lambda: False).work():
        raise ZeroDivisionError
