"""The queue of the jobs: huey on the portal's database, waiting where that is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any

import psycopg
import sqlalchemy as sa
import structlog
from flask import Flask
from huey import Huey, PostgresHuey, SqliteHuey
from huey.api import Task
from sqlalchemy.exc import SQLAlchemyError

from clearance.core.database import PatientConnection, own_transaction

QUEUE_SCHEMA = "clearance_jobs"
QUEUE_LOCK = 778_102  # who makes the queue's tables on PostgreSQL
WAIT_SECONDS = 1

_log = structlog.get_logger(__name__)


class Patience:
    """The waiting of a consumer's threads for a database that is away.

    Together they write one line when they begin to wait and one when they go on.
    """

    def __init__(self, app: Flask, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._is_stopping = is_stopping
        self._turn = threading.Lock()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Run the block; where it failed since the database is away, wait until that answers.

        What the block left undone is found again by the clock. Other faults are raised, but for a
        connection of the queue that was cut: the queue opens another.
        """
        try:
            yield
        except Exception as fault:
            if not self._database_answers():
                self.wait()
            elif not isinstance(fault, psycopg.OperationalError):
                raise

    def patient(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return `work` as a task that waits so."""

        @wraps(work)
        def run(*args: Any) -> None:
            with self.work():
                work(*args)

        return run

    def wait(self) -> None:
        """Wait until the database answers, or the consumer is to stop."""
        with self._turn:
            if self._database_answers():
                return
            _log.error("the database is away: jobs wait")
            while not self._database_answers():
                if self._is_stopping():
                    return
                time.sleep(WAIT_SECONDS)
            _log.warning("the database answers again: jobs go on")

    def _database_answers(self) -> bool:
        try:
            with self._app.app_context(), own_transaction(write=False) as connection:
                connection.execute(sa.text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True


class _Patient:
    """Mixed into huey: what only consumers call waits for the database; queueing does not."""

    patience: Patience

    def dequeue(self) -> Task | None:
        with self.patience.work():
            return super().dequeue()  # type: ignore[misc]  # huey's
        return None

    def read_schedule(self, timestamp: datetime | None = None) -> list[Task]:
        with self.patience.work():
            return super().read_schedule(timestamp)  # type: ignore[misc,no-any-return]  # huey's
        return []

    def execute(self, task: Task, timestamp: datetime | None = None) -> Any:
        with self.patience.work():
            return super().execute(task, timestamp)  # type: ignore[misc]  # huey's
        return None


class _OnSqlite(_Patient, SqliteHuey):  # type: ignore[misc]  # huey is untyped
    """In a file beside the database's."""


class _OnPostgres(_Patient, PostgresHuey):  # type: ignore[misc]  # huey is untyped
    """In a schema of its own."""


def make(database_url: str, patience: Patience) -> Huey:
    """Return the queue beside the database, its tables made where they were not there."""
    huey = _made(sa.make_url(database_url))
    huey.patience = patience
    return huey


def _made(url: sa.URL) -> Huey:
    if url.get_backend_name() == "sqlite":
        return _OnSqlite("clearance", filename=f"{url.database}-jobs", results=False)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def connect() -> psycopg.Connection[Any]:
        search_path = f"-c search_path={QUEUE_SCHEMA}"
        return PatientConnection.connect(address, connect_timeout=5, options=search_path)

    with psycopg.connect(address, connect_timeout=5, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (QUEUE_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA}".encode())
        return _OnPostgres("clearance", connection=connect, results=False)
