"""Putting a snapshot into an empty database; nobody sees it before it is complete.

SQLite's file gets its name at the very end; on PostgreSQL everything is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from clearance.backups.contents import About
from clearance.backups.errors import BackupError
from clearance.backups.places import unfinished_beside
from clearance.backups.snapshot import listed, tables
from clearance.core import schema
from clearance.files.folder import sync_to_disk

_PEOPLE = ("user", "organisation", "request")
_NOT_EMPTY = "The database is not empty: restore into a new one (DATABASE_URL)."


class Loading(Protocol):
    """A database that is being filled."""

    def take(self, about: About, pieces: Iterator[bytes]) -> None:
        """Take a part of the backup's database."""

    @contextmanager
    def complete(self) -> Iterator[sa.Connection]:
        """Yield a connection to what was taken; its changes belong to the restored database.

        Raises: BackupError, schema.BrokenReferences.
        """


def check_empty(url: str) -> None:
    """Raise BackupError unless the database at `url` is empty and nobody uses it.

    A schema in which there is nobody yet is empty too. On SQLite nothing may be connected.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        _check_file(Path(str(address.database)))
        return
    with _reader(address).connect() as connection:
        others = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND usesysid IS NOT NULL "
            "AND coalesce(backend_type, 'client backend') = 'client backend'"  # null: not shown
        ).scalar_one()
        if others:
            raise BackupError(
                f"Others are connected to the database ({others}). Stop the web processes and "
                "flask jobs."
            )
        _check_rows(connection)


def check_nobody(url: str) -> None:
    """Raise BackupError if there are people in the database; others may be connected to it."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        _check_file_rows(Path(str(address.database)))
        return
    with _reader(address).connect() as connection:
        _check_rows(connection)


def _reader(address: sa.URL) -> sa.Engine:
    return sa.create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": 5})


@contextmanager
def opened(url: str, kind: str, revision: str) -> Iterator[Loading]:
    """Yield the database at `url` for filling; kept if the block succeeds.

    kind, revision: of the backup. Raises: BackupError.
    """
    address = sa.make_url(url)
    if address.get_backend_name() != kind:
        raise BackupError(f"The backup is of {kind}, and DATABASE_URL names another database.")
    on = _on_sqlite if kind == "sqlite" else _on_postgresql
    with on(address, revision) as loading:
        yield loading


@contextmanager
def _on_sqlite(address: sa.URL, _revision: str) -> Iterator[Loading]:
    final = Path(str(address.database))
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with unfinished_beside(final, "restored") as path:
        yield _SqliteFile(path)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)  # empty, as all connections are closed
        os.rename(path, final)
        sync_to_disk(final.parent)


class _SqliteFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self, about: About, pieces: Iterator[bytes]) -> None:
        """Write the file."""
        with self._path.open("r+b") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())

    @contextmanager
    def complete(self) -> Iterator[sa.Connection]:
        """Yield a connection once the file is found sound."""
        with schema.migrating(sa.URL.create("sqlite", database=str(self._path))) as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            if found != "ok":
                raise BackupError(f"The database in the backup is damaged: {found}.")
            yield connection


@contextmanager
def _on_postgresql(address: sa.URL, revision: str) -> Iterator[Loading]:
    with schema.migrating(address) as connection:
        _check_rows(connection)  # again, alone now: another restore may have come first
        if schema.current(connection):
            schema.downgrade_within(connection, "base")
        schema.upgrade_within(connection, revision)
        yield _PostgresqlTables(connection)


class _PostgresqlTables:
    """Tables of the backup's schema without rows, references, indexes and triggers at first."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._run("SET LOCAL statement_timeout = 0")
        self._run("SET LOCAL maintenance_work_mem = '256MB'")
        self._tables = [f'"{name}"' for name in tables(connection)]
        self._later: list[str] = []
        for table, name, definition in self._found(_REFERENCES):
            self._later.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            self._run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        # Indexes come before references, which are checked by them.
        indexes = list(self._found(_INDEXES))
        for name, _definition in indexes:
            self._run(f"DROP INDEX {name}")
        self._later[:0] = [definition for _name, definition in indexes]
        for table in self._tables:
            self._run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self._run(f"TRUNCATE {', '.join(self._tables)}")

    def take(self, about: About, pieces: Iterator[bytes]) -> None:
        """Fill a table, or set the sequences."""
        cursor: Any = self._connection.connection.cursor()
        if "sequences" in about:
            for name, last in about["sequences"].items():
                cursor.execute("SELECT setval(quote_ident(%s)::regclass, %s)", (name, last))
            return
        if f'"{about["table"]}"' not in self._tables or '"' in "".join(about["columns"]):
            raise ValueError("not a table of the portal")
        with cursor.copy(f"COPY {listed(about['table'], about['columns'])} FROM STDIN") as copy:
            for piece in pieces:
                copy.write(piece)

    @contextmanager
    def complete(self) -> Iterator[sa.Connection]:
        """Yield the connection once indexes, references and triggers are there again."""
        for statement in self._later:
            self._run(statement)
        for table in self._tables:
            self._run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            self._run(f"ANALYZE {table}")
        yield self._connection

    def _found(self, query: str) -> list[Any]:
        return list(self._connection.exec_driver_sql(query))

    def _run(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)


_REFERENCES = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
AND i.indrelid <> 'alembic_version'::regclass
"""


def _check_file(path: Path) -> None:
    for name in (path, f"{path}-jobs"):  # of the portal, and of its jobs' queue
        for suffix in ("-wal", "-shm", "-journal"):
            if Path(f"{name}{suffix}").exists():
                raise BackupError(
                    f"{name}{suffix} is there, so a process uses the database, or it is left over "
                    "from another one. Stop the web processes and flask jobs; if it does not go "
                    "then, move it away together with its database."
                )
    _check_file_rows(path)


def _check_file_rows(path: Path) -> None:
    if path.exists() and path.stat().st_size:
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=NullPool)
        with engine.connect() as connection:
            _check_rows(connection)


def _check_rows(connection: sa.Connection) -> None:
    present = set(sa.inspect(connection).get_table_names())
    if present and not set(_PEOPLE) <= present:
        raise BackupError(_NOT_EMPTY)
    for name in present & set(_PEOPLE):
        if connection.execute(
            sa.select(sa.exists(sa.select(1).select_from(sa.table(name))))
        ).scalar():
            raise BackupError(_NOT_EMPTY)
