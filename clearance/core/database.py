"""Transaction handling on both databases, and short transactions outside the request's.

A transaction reads if the HTTP request is GET, HEAD or OPTIONS, else it writes. A write on SQLite
begins with BEGIN IMMEDIATE (a plain BEGIN loses writers under load); a read cannot write at all.
Waiting for SQLite's writer or for PostgreSQL is limited; the request then answers 503 and may be
sent again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from flask import Flask, current_app, g, has_request_context
from psycopg.errors import _WaitTimeout
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from clearance.core import database_faults, kept
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted

# Seconds to wait for SQLite's writer: a request in total, and background work.
REQUEST_WRITER_SECONDS, WORK_WRITER_SECONDS = 10.0, 60.0
PLACE_SECONDS = 0.5
# Seconds to wait for PostgreSQL: longer than its lock_timeout (requests) and statement_timeout
# (background work), set below. A ping has to be answered sooner.
REQUEST_ANSWER_SECONDS, WORK_ANSWER_SECONDS, PING_SECONDS = 15.0, 40.0, 5.0

# The pages that a connection keeps: SQLite's own 2 MB are less than the brokers of an organisation
# with a thousand of them, whose home would read the file each time.
SQLITE_CACHE_KB = 8_000

_forced: ContextVar[bool | None] = ContextVar("clearance_writes", default=None)
_patience: ContextVar[float | None] = ContextVar("clearance_patience", default=None)
_Model = TypeVar("_Model")
_WRITER, _QUERY_ONLY, _PLACES = "clearance_writer", "clearance_query_only", "clearance_places"


def writes() -> bool:
    """Return whether a transaction that begins now may write."""
    forced = _forced.get()
    if forced is not None:
        return forced
    return not has_request_context() or is_posted()


@contextmanager
def own_transaction(
    *, write: bool = True, patience: float | None = None
) -> Iterator[sa.Connection]:
    """Run a short transaction on a connection of its own, committed on leaving the block.

    patience: seconds to wait for SQLite's writer instead of the default.

    For writes that outlive a rollback of the request (counters, access events, last-seen marks),
    and for reading the session before the request's own transaction begins. While that writes, do
    not open another writing one: SQLite's single writer would wait for itself. Raises: RuntimeError
    in that case.
    """
    token, patience_token = _forced.set(write), _patience.set(patience)
    try:
        with db.engine.begin() as connection:
            yield connection
    finally:
        _patience.reset(patience_token)
        _forced.reset(token)


@contextmanager
def reading() -> Iterator[None]:
    """Make transactions that begin in this block read-only, including the session's.

    For long jobs, which would otherwise hold SQLite's one writer. The session is rolled back before
    and after, so it must hold nothing unsaved.
    """
    db.session.rollback()
    token = _forced.set(False)
    try:
        yield
    finally:
        db.session.rollback()
        _forced.reset(token)


@contextmanager
def tentatively(*, is_kept: bool) -> Iterator[None]:
    """Run the block in a savepoint and roll it back unless `is_kept`.

    The time taken does not reveal which happened (security rule 11).
    """
    with db.session.begin_nested() as attempt:
        yield
        db.session.flush()
        if not is_kept:
            attempt.rollback()
    kept.forget()  # as after a rollback


def reserve_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """Reserve `count` ascending ids of `table` for a bulk insert.

    On PostgreSQL they come from the sequence; on SQLite the running writing transaction keeps
    others from inserting.
    """
    if session.get_bind().dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
        places = sa.func.generate_series(1, count).table_valued("place")
        taken = session.scalars(sa.select(sa.func.nextval(sequence)).select_from(places))
        return sorted(taken)
    last = session.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return list(range(last + 1, last + 1 + count))


def shared_alias(model: type[_Model]) -> type[_Model]:
    """Return an alias of `model` that threads may use at once, for a module's own.

    SQLAlchemy fills the index from a table's columns to an alias's when it is first asked, without
    a lock: a second thread would take the columns for missing and join the table itself as well.
    """
    alias = aliased(model)
    table = sa.inspect(model).local_table
    sa.inspect(alias).selectable.corresponding_column(next(iter(table.columns)))
    return alias


def hold_table(model: type[Any]) -> None:
    """Lock the model's table against writes until this transaction ends; reads continue.

    For small tables that are compared as a whole before they are changed. On SQLite the writing
    transaction itself is the lock.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.text(f"LOCK TABLE {model.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def limit_waiting(app: Flask, places: int) -> None:
    """Limit how many requests of this process wait for SQLite's writer; others soon give up.

    For servers with few threads, which would all wait behind one long writer and serve no reads.
    """
    app.extensions[_PLACES] = threading.BoundedSemaphore(places)


class PatientConnection(psycopg.Connection[Any]):
    """A PostgreSQL connection that times out when the server does not answer.

    statement_timeout is enforced by the server, so it is no help when the server or host hangs.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as psycopg does, with a limit. Raises: psycopg.OperationalError."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self._patience)
        except _WaitTimeout as silence:
            self.close()
            raise psycopg.OperationalError("the database server does not answer") from silence

    def rollback(self) -> None:
        """Roll back; a lost connection has lost its transaction, too.

        A restart of the server between a page and the end of its request costs nobody the page.
        """
        try:
            super().rollback()
        except psycopg.OperationalError:
            self.close()

    @property
    def _patience(self) -> float:
        if self.autocommit:  # the pool's ping
            return PING_SECONDS
        return REQUEST_ANSWER_SECONDS if has_request_context() else WORK_ANSWER_SECONDS


def init_app(app: Flask) -> None:
    """Bind the database and its events to the application."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "rollback", _roll_back_sqlite)
        event.listen(engine, "reset", _reset_sqlite)
        if not event.contains(Session, "after_commit", _after_commit):
            event.listen(Session, "after_commit", _after_commit)
    else:
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        database_faults.init_engine(engine)


def engine_options(url: str) -> dict[str, Any]:
    """Return the engine options for `url`: pools, timeouts, no values in logs."""
    # The connection used last has statements compiled and pages read: the next one gets it.
    options: dict[str, Any] = {"pool_size": 16, "pool_use_lifo": True, "hide_parameters": True}
    if url.startswith("sqlite"):
        return options | {"max_overflow": 32}
    timeouts = "-c statement_timeout=30000 -c lock_timeout=10000"
    return options | {
        "pool_pre_ping": True,
        "max_overflow": 16,
        "connect_args": {"connect_timeout": 5, "options": timeouts},
    }


class _Turn:
    """In-process queue for the single writer of a SQLite file.

    Only the first thread asks SQLite, which has no queue: a thread polling it could starve.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0
        self._ticket: object | None = None

    def take(self, seconds: float) -> object:
        """Wait for the turn and return its ticket for `give_back`.

        Raises: OperationalError; RuntimeError if this thread has the turn.
        """
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread writes already: commit or roll that back first")
        if not self._lock.acquire(timeout=seconds):
            raise _locked()
        self._holder, self._ticket = threading.get_ident(), object()
        return self._ticket

    def give_back(self, ticket: object) -> None:
        """End the turn of that ticket, unless it is over already."""
        if ticket is self._ticket:
            self._holder, self._ticket = 0, None
            self._lock.release()

    def give_back_own(self) -> None:
        """End the turn if this thread has it."""
        if self._holder == threading.get_ident():
            self.give_back(self._ticket)


_turns: dict[str | None, _Turn] = {}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions itself
    cursor = connection.cursor()
    cache = f"cache_size=-{SQLITE_CACHE_KB}"
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", cache):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    if writes():
        with _place():
            _begin_writing(connection)
    else:
        _begin_with(connection, "BEGIN", _seconds(), query_only=1)


def _begin_writing(connection: sa.Connection) -> None:
    _give_back(connection.info)  # still held after a commit
    turn = _turns.setdefault(connection.engine.url.database, _Turn())
    began, patience = time.monotonic(), _seconds()
    try:
        ticket = turn.take(patience)
        try:
            left = patience - (time.monotonic() - began)
            _begin_with(connection, "BEGIN IMMEDIATE", left, query_only=0)
        except BaseException:
            turn.give_back(ticket)
            raise
    finally:
        if has_request_context():
            g.waited_to_write = g.get("waited_to_write", 0.0) + time.monotonic() - began
    connection.info[_WRITER] = turn, ticket


def _begin_with(connection: sa.Connection, begin: str, seconds: float, *, query_only: int) -> None:
    cursor = connection.connection.cursor()  # the driver's: SQLAlchemy takes longer than SQLite
    cursor.execute(f"PRAGMA busy_timeout={max(0, int(seconds * 1000))}")
    # Only if it changes: SQLite then compiles every statement of the connection anew.
    if connection.info.get(_QUERY_ONLY) != query_only:
        cursor.execute(f"PRAGMA query_only={query_only}")
        connection.info[_QUERY_ONLY] = query_only
    cursor.close()
    connection.exec_driver_sql(begin)


def _seconds() -> float:
    """Return the seconds a transaction that begins now may wait."""
    given = _patience.get()
    if given is not None:
        return given
    if not has_request_context():
        return WORK_WRITER_SECONDS
    waited: float = g.get("waited_to_write", 0.0)
    return max(0.0, REQUEST_WRITER_SECONDS - waited)


@contextmanager
def _place() -> Iterator[None]:
    """Hold a place for waiting, if they are limited. Raises: OperationalError."""
    places = current_app.extensions.get(_PLACES) if has_request_context() else None
    if places is not None and not places.acquire(timeout=PLACE_SECONDS):
        raise _locked()
    try:
        yield
    finally:
        if places is not None:
            places.release()


def _locked() -> OperationalError:
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


def _roll_back_sqlite(connection: sa.Connection) -> None:
    _give_back(connection.info)


def _reset_sqlite(dbapi_connection: Any, record: Any, state: Any) -> None:
    """End the turn on return to the pool; the `commit` event precedes the COMMIT."""
    _give_back(record.info)


def _give_back(info: dict[str, Any]) -> None:
    turn, ticket = info.pop(_WRITER, (None, None))
    if turn is not None:
        turn.give_back(ticket)


def _after_commit(_session: Session) -> None:
    """End the turn before later listeners act on the commit, such as waking the sender."""
    for turn in list(_turns.values()):
        turn.give_back_own()


def _connect_postgresql(dialect: Any, record: Any, args: Any, options: dict[str, Any]) -> Any:
    return PatientConnection.connect(*args, **options)


def _begin_postgresql(connection: sa.Connection) -> None:
    if not writes():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
