"""Database schema: run migrations on a separate engine and check the result."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.pool import NullPool

from clearance.core import name_search
from clearance.core.settings import ROOT
from clearance.models import Base

# Each look at the revision, such as /readyz, would log two lines; the steps of a migration remain.
logging.getLogger("alembic.runtime.migration").addFilter(
    lambda record: str(record.msg).startswith("Running")
)
LOCK_KEY = 778_101  # of the advisory lock that allows one migration at a time on PostgreSQL


class BrokenReferences(Exception):
    """A migration left dangling foreign keys; it was rolled back."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; all or nothing. Raises BrokenReferences."""
    with migrating(url) as connection:
        upgrade_within(connection, revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` down to `revision`; all or nothing."""
    with migrating(url) as connection:
        downgrade_within(connection, revision)


def upgrade_within(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the database up to `revision` in the transaction of `migrating`."""
    command.upgrade(_config(connection), revision)


def downgrade_within(connection: sa.Connection, revision: str) -> None:
    """Take the database down to `revision` in the transaction of `migrating`."""
    command.downgrade(_config(connection), revision)


def write_revision(url: str, message: str) -> None:
    """Write a migration for the differences between the models and the database at `url`."""
    with migrating(url) as connection:
        command.revision(_config(connection), message, autogenerate=True)


def current(connection: sa.Connection) -> tuple[str, ...]:
    """Return the revisions that the database is at; () for an empty one."""
    return tuple(MigrationContext.configure(connection).get_current_heads())


@lru_cache
def newest() -> tuple[str, ...]:
    """Return the newest revisions that this release brings."""
    return tuple(ScriptDirectory.from_config(_config(None)).get_heads())


@lru_cache
def known() -> tuple[str, ...]:
    """Return all revisions that this release brings, the newest first."""
    scripts = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return tuple(script.revision for script in scripts)


def is_new_enough(connection: sa.Connection) -> bool:
    """Return whether the database has every migration of this release.

    A revision that this release does not know is a later one's: while an upgrade goes on, the
    processes of the release before serve on (migrations expand first, and contract later).
    """
    found = set(current(connection))
    return found == set(newest()) or not found.issubset(known())


def differences(connection: sa.Connection) -> list[Any]:
    """Return the differences between the models and the database ([] when equal)."""
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_name": is_compared}
    )
    with warnings.catch_warnings():  # the indexes of expressions, which are not compared anyway
        warnings.filterwarnings("ignore", "Skipped unsupported reflection", sa.exc.SAWarning)
        return list(compare_metadata(context, Base.metadata))


def is_compared(name: str | None, kind: str, parents: Any) -> bool:
    """Return whether a table or index of the database is one of the models'.

    Those of searches (`name_search`) differ by database: made by a migration, not in the models.
    """
    searched = [f"{table}_names" for table in name_search.INDEXED] + ["_search"]
    return kind not in {"table", "index"} or not any(part in (name or "") for part in searched)


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def migrating(url: str | sa.URL) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction, one at a time on PostgreSQL, committed at the end.

    On SQLite without cascades set off by batch mode. Raises: BrokenReferences at the end.
    """
    engine = sa.create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _no_foreign_keys)
        event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
        )
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
        yield connection
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise BrokenReferences(f"{len(broken)} rows point at nothing: {broken[:5]}")


def _no_foreign_keys(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA busy_timeout=30000")
