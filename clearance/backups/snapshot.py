"""The database as it was at one instant, on either kind, while others go on writing.

SQLite is copied by its online backup into a file beside the live one, from one read transaction.
PostgreSQL is read by COPY in one repeatable-read transaction, while migrations are kept out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from clearance.backups.contents import BLOCK_BYTES, ContentWriter
from clearance.backups.errors import BackupError
from clearance.backups.places import unfinished_beside
from clearance.core import schema

Report = Callable[[str], None]
_PAGES = 20_000  # copied between two reports
_VERSION = "alembic_version"
_PATIENT = "-c statement_timeout=0 -c lock_timeout=10000"


class Snapshot(Protocol):
    """A database at an instant. connection: reads it as it was then."""

    connection: sa.Connection

    def dump(self, content: ContentWriter, report: Report) -> None:
        """Write the database's parts."""


@contextmanager
def taken(url: str, name: str, report: Report) -> Iterator[Snapshot]:
    """Yield a snapshot of the database at `url`, which has what was committed before.

    name: of the entry, for temporary files. Raises: BackupError, sqlalchemy's errors, OSError.
    """
    address = sa.make_url(url)
    kind = _on_sqlite if address.get_backend_name() == "sqlite" else _on_postgresql
    with kind(address, name, report) as snapshot:
        yield snapshot


def tables(connection: sa.Connection) -> list[str]:
    """Return the names of the tables that hold rows of the portal, in alphabetical order."""
    names = sa.inspect(connection).get_table_names()
    return sorted(name for name in names if name != _VERSION and _is_ours(name))


def rows(connection: sa.Connection) -> dict[str, int]:
    """Return the number of rows of each of the tables."""
    counted = {
        name: sa.select(sa.func.count()).select_from(sa.table(name)) for name in tables(connection)
    }
    return {name: connection.execute(count).scalar_one() for name, count in counted.items()}


@contextmanager
def _on_sqlite(address: sa.URL, name: str, report: Report) -> Iterator[Snapshot]:
    live = Path(str(address.database))
    with unfinished_beside(live, name) as copy:
        with (
            closing(sqlite3.connect(live, timeout=60, isolation_level=None)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            for pragma in ("journal_mode=OFF", "synchronous=OFF"):
                target.execute(f"PRAGMA {pragma}")
            # One read transaction: the copy would begin anew whenever somebody writes.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            source.backup(target, pages=_PAGES, progress=_pages(report))
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True),
            poolclass=NullPool,
        )
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if found != "ok":
                raise BackupError(f"The database is damaged: {found}.")
            yield _SqliteCopy(connection, copy)


class _SqliteCopy:
    def __init__(self, connection: sa.Connection, path: Path) -> None:
        self.connection, self._path = connection, path

    def dump(self, content: ContentWriter, report: Report) -> None:
        """Write the copied file."""
        with (
            self._path.open("rb") as stream,
            content.part({"part": "database", "packed": True}) as write,
        ):
            while piece := stream.read(BLOCK_BYTES):
                write(piece)


@contextmanager
def _on_postgresql(address: sa.URL, _name: str, _report: Report) -> Iterator[Snapshot]:
    options = {"connect_timeout": 5, "options": _PATIENT}
    engine = sa.create_engine(address, poolclass=NullPool, connect_args=options)
    alone = sa.select(sa.func.pg_advisory_xact_lock_shared(schema.LOCK_KEY))
    with engine.begin() as guard:
        try:  # before the snapshot, which would else see a schema half changed
            guard.execute(alone)
        except OperationalError:
            raise BackupError(
                "The schema is being migrated: try again when that is over."
            ) from None
        with engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            yield _PostgresqlRead(connection)


class _PostgresqlRead:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def dump(self, content: ContentWriter, report: Report) -> None:
        """Write each table as COPY gives it; sequences stand where they are by then, or later."""
        cursor: Any = self.connection.connection.cursor()
        names = tables(self.connection)
        for number, name in enumerate(names, 1):
            about = {"part": "database", "table": name, "packed": True}
            columns = [column["name"] for column in sa.inspect(self.connection).get_columns(name)]
            with (
                content.part({**about, "columns": columns}) as write,
                cursor.copy(f"COPY {listed(name, columns)} TO STDOUT") as copy,
            ):
                for piece in copy:
                    write(bytes(piece))
            report(f"database: {number} of {len(names)} tables")
        with content.part({"part": "database", "sequences": self._sequences()}):
            pass

    def _sequences(self) -> dict[str, int]:
        found = self.connection.exec_driver_sql(
            "SELECT sequencename, last_value FROM pg_sequences "
            "WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        )
        return {name: last for name, last in found}


def listed(table: str, columns: list[str]) -> str:
    """Return table and columns as COPY takes them."""
    quoted = ", ".join(f'"{column}"' for column in columns)
    return f'"{table}" ({quoted})'


def _pages(report: Report) -> Callable[[int, int, int], None]:
    def tell(_status: int, left: int, total: int) -> None:
        report(f"database: {100 * (total - left) // max(total, 1)} % copied")

    return tell


def _is_ours(name: str) -> bool:
    return schema.is_compared(name, "table", None)
