"""The job queue: huey on the portal's database; its consumers wait while that is down."""

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

from clearance.core import schema
from clearance.core.database import PatientConnection, own_transaction

QUEUE_SCHEMA = "clearance_jobs"
QUEUE_LOCK = 778_102  # advisory lock for creating the queue's tables on PostgreSQL
WAIT_SECONDS = 1

_log = structlog.get_logger(__name__)


class Patience:
    """Lets a consumer's threads wait for the database or its schema; logs once for all of them."""

    def __init__(self, app: Flask, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._is_stopping = is_stopping
        self._turn = threading.Lock()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Run the block; if it failed because the database is not ready, wait until it is.

        The periodic job finds the unfinished work again. Other errors are raised, except for a
        broken connection of the queue, which opens another.
        """
        try:
            yield
        except Exception as fault:
            if not self._database_is_ready():
                self.wait()
            elif not isinstance(fault, psycopg.OperationalError):
                raise

    def patient(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return `work` wrapped in `self.work()`."""

        @wraps(work)
        def run(*args: Any) -> None:
            with self.work():
                work(*args)

        return run

    def wait(self) -> None:
        """Wait until the database answers and has its schema, or the consumer is stopping."""
        with self._turn:
            if self._database_is_ready():
                return
            _log.error("the database is away or lacks migrations: jobs wait")
            while not self._database_is_ready():
                if self._is_stopping():
                    return
                time.sleep(WAIT_SECONDS)
            _log.warning("the database is ready again: jobs go on")

    def _database_is_ready(self) -> bool:
        try:
            with self._app.app_context(), own_transaction(write=False) as connection:
                return schema.is_new_enough(connection)
        except SQLAlchemyError:
            return False


class _Patient:
    """Mixin for huey: calls made by consumers wait for the database; queueing does not."""

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
    """A queue in a file next to the database's."""


class _OnPostgres(_Patient, PostgresHuey):  # type: ignore[misc]  # huey is untyped
    """A queue in a schema of its own."""


def make(database_url: str, patience: Patience) -> Huey:
    """Return the queue for this database, creating its tables if missing."""
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
        found = connection.execute("SELECT to_regnamespace(%s)", (QUEUE_SCHEMA,)).fetchone()
        if found is None or found[0] is None:  # made beforehand where the portal may make none
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA}".encode())
        return _OnPostgres("clearance", connection=connect, results=False)
