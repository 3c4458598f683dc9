"""How transactions begin on both databases, and short transactions apart from the request's.

A transaction reads if the HTTP request is GET, HEAD or OPTIONS, else it writes. A write on SQLite
begins with BEGIN IMMEDIATE (a plain BEGIN loses writers under load); a read cannot write at all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from flask import Flask, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance.extensions import db
from clearance.web_request import is_posted

_forced: ContextVar[bool | None] = ContextVar("clearance_writes", default=None)
# Which thread writes to which SQLite database now.
_writers: set[tuple[int, str | None]] = set()
_WRITER = "clearance_writer"


def writes() -> bool:
    """Whether a transaction that begins now may write."""
    forced = _forced.get()
    if forced is not None:
        return forced
    return not has_request_context() or is_posted()


@contextmanager
def own_transaction(*, write: bool = True) -> Iterator[sa.Connection]:
    """Run a short transaction on a connection of its own, committed on leaving the block.

    For what must stand whatever becomes of the request: counters, access events, last-seen marks,
    and for reading the session before the request's own transaction begins. While the request's
    own transaction writes, do not open a writing one (SQLite has one writer at a time, so that
    RuntimeError is raised; it would else wait 30 s for itself).
    """
    token = _forced.set(write)
    try:
        with db.engine.begin() as connection:
            yield connection
    finally:
        _forced.reset(token)


@contextmanager
def reading() -> Iterator[None]:
    """Let every transaction that begins in this block only read, the session's too.

    For long work of a job, which else would hold SQLite's one writer all the while. The session's
    transaction is ended before and after: nothing unsaved may be in it.
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
    """Do the work of the block in a savepoint, and undo it unless `is_kept`.

    Nobody can tell by the time it took which of the two it was (security rule 11).
    """
    with db.session.begin_nested() as attempt:
        yield
        db.session.flush()
        if not is_kept:
            attempt.rollback()


def reserve_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """Take `count` fresh keys of `table`, rising, for rows that are inserted in bulk.

    On PostgreSQL they come from the sequence, so that nobody else gets one of them; on SQLite the
    running writing transaction keeps others from inserting.
    """
    if session.get_bind().dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
        places = sa.func.generate_series(1, count).table_valued("place")
        taken = session.scalars(sa.select(sa.func.nextval(sequence)).select_from(places))
        return sorted(taken)
    last = session.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return list(range(last + 1, last + 1 + count))


def hold_table(model: type[Any]) -> None:
    """Let nobody else write to the model's table until this transaction ends; reading goes on.

    For small tables that are compared as a whole before they are changed. On SQLite the writing
    transaction itself is the lock.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.text(f"LOCK TABLE {model.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def init_app(app: Flask) -> None:
    """Bind the database and its events to the application."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "commit", _end_sqlite)
        event.listen(engine, "rollback", _end_sqlite)
        event.listen(engine, "reset", _reset_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def engine_options(url: str) -> dict[str, Any]:
    """Return the engine options for `url`: pools, timeouts, and no values in what it logs."""
    options: dict[str, Any] = {"pool_size": 16, "hide_parameters": True}
    if url.startswith("sqlite"):
        return options | {"connect_args": {"timeout": 60}, "max_overflow": 32}
    timeouts = "-c statement_timeout=30000 -c lock_timeout=10000"
    return options | {
        "pool_pre_ping": True,
        "max_overflow": 16,
        "connect_args": {"connect_timeout": 5, "options": timeouts},
    }


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=60000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    if writes():
        writer = (threading.get_ident(), connection.engine.url.database)
        if writer in _writers:
            raise RuntimeError("this thread writes already: commit or roll that back first")
        connection.exec_driver_sql("PRAGMA query_only=0")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.info[_WRITER] = writer
        _writers.add(writer)
    else:
        connection.exec_driver_sql("PRAGMA query_only=1")
        connection.exec_driver_sql("BEGIN")


def _end_sqlite(connection: sa.Connection) -> None:
    _writers.discard(connection.info.pop(_WRITER, None))


def _reset_sqlite(dbapi_connection: Any, record: Any, state: Any) -> None:
    _writers.discard(record.info.pop(_WRITER, None))  # given back without commit or rollback


def _begin_postgresql(connection: sa.Connection) -> None:
    if not writes():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
