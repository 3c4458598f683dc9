"""On PostgreSQL the portal's own role adds to the audit trail and can change nothing in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clearance.core import chain
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.jobs import maintenance, queue
from clearance.jobs.queue import Patience
from clearance.models import AccessEvent, Event
from tests.clearance.core.test_audit import change

ROLE = "clearance_portal"


@pytest.fixture
def served(make_app: Callable[..., Flask], _databases: Callable[[str], Any]) -> Flask:
    """The portal on PostgreSQL as its own role, with the rights of deploy/postgresql-roles.sql."""
    made = _databases("postgresql")
    made.restore()
    engine = sa.create_engine(made.url, isolation_level="AUTOCOMMIT")
    text = (ROOT / "deploy" / "postgresql-roles.sql").read_text(encoding="utf-8")
    script = (
        re.sub(r"--[^\n]*", "", text).replace(':"portal"', ROLE).replace(':"owner"', "postgres")
    )
    with engine.connect() as connection:
        found = connection.scalar(sa.text(f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'"))
        if not found:
            connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN")
        connection.exec_driver_sql(script)
    engine.dispose()
    url = sa.make_url(made.url).set(username=ROLE).render_as_string(hide_password=False)
    return make_app(database_url=url)


def test_the_portals_role_seals_what_it_does(served: Flask) -> None:
    with served.app_context():
        assert db.session.scalar(sa.text("SELECT current_user")) == ROLE
        change(2)
        db.session.commit()
        change()
        db.session.commit()
        verdict = chain.verify(db.session())
        assert (verdict.faults, verdict.sealed) == ([], 3)
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET reason = 'x'",
        "DELETE FROM event_seal",
        "TRUNCATE event CASCADE",
        "TRUNCATE access_event",
        "UPDATE access_event SET kind = 'x'",
        "UPDATE chain_head SET position = 0",
        "DELETE FROM chain_head",
        "UPDATE alembic_version SET version_num = 'x'",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE event CASCADE",
        "CREATE TABLE public.own (id integer)",
    ],
)
def test_the_portals_role_cannot_change_the_trail(served: Flask, statement: str) -> None:
    with served.app_context():
        change(2)
        db.session.commit()
        with pytest.raises(DBAPIError, match="permission denied|must be owner|insert-only"):
            db.session.execute(sa.text(statement))
        db.session.rollback()
        assert chain.verify(db.session()).is_intact
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("positions", [(2,), (1, 3)])
def test_seals_that_do_not_follow_the_head_are_refused(
    served: Flask, positions: tuple[int, ...]
) -> None:
    with served.app_context():
        change()
        db.session.commit()
        change(len(positions))
        ids = db.session.scalars(sa.select(Event.id).order_by(Event.id)).all()[1:]
        sealed = zip(positions, ids, strict=True)
        rows = ", ".join(f"({position + 1}, {event_id}, 'x')" for position, event_id in sealed)
        with pytest.raises(DBAPIError, match="seals follow the head"):
            db.session.execute(sa.text(f"INSERT INTO event_seal VALUES {rows}"))
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()


def test_the_queue_of_the_portals_role_works(served: Flask) -> None:
    with served.app_context():
        made = queue.make(
            db.engine.url.render_as_string(hide_password=False), Patience(served, bool)
        )
        made.storage.put_data("key", b"1")
        assert made.storage.peek_data("key") == b"1"
        db.engine.dispose()


def test_even_the_owner_does_not_empty_the_trail_by_accident(served: Flask) -> None:
    with served.app_context():
        owner = db.engine.url.set(username="postgres")
    engine = sa.create_engine(owner)
    with pytest.raises(DBAPIError, match="insert-only"), engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE event CASCADE"))
    engine.dispose()


def test_the_portals_role_deletes_access_events_that_are_over_a_year_old(served: Flask) -> None:
    with served.app_context():
        for days in (364, 366):
            db.session.add(AccessEvent(at=utc_now() - timedelta(days=days), kind="code:send"))
        db.session.commit()
        with pytest.raises(DBAPIError, match="insert-only"):
            db.session.execute(sa.delete(AccessEvent))
        db.session.rollback()
        year_ago = utc_now() - timedelta(days=365)
        assert db.session.execute(sa.delete(AccessEvent).where(AccessEvent.at < year_ago)).rowcount
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_statistics_are_refreshed_although_the_portals_role_owns_no_table(served: Flask) -> None:
    analysed = "SELECT count(*) FROM pg_class WHERE relname IN ('event', 'user') AND reltuples >= 0"
    with served.app_context():
        assert maintenance.refresh_statistics(utc_now()) == "done"
        assert db.session.scalar(sa.text(analysed)) == 2
        db.session.remove()
        db.engine.dispose()


def test_the_portals_role_is_told_in_a_line_whose_work_the_schema_is(served: Flask) -> None:
    ended = served.test_cli_runner().invoke(args=["db", "downgrade", "0037"])
    assert ended.exit_code == 1
    assert "give the DATABASE_URL of the role that owns the tables" in ended.output
    assert "Traceback" not in ended.output
