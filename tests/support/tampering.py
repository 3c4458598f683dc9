"""Changing the trail as somebody with full power over the database can."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import sqlalchemy as sa

from clearance.core.database import own_transaction
from clearance.core.extensions import db


def tamper(*statements: str) -> None:
    """Run the statements without the triggers and foreign keys that would refuse them."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        triggers = [f"{table}_no_{verb}" for table in _TABLES for verb in ("update", "delete")]
        with closing(sqlite3.connect(str(db.engine.url.database))) as connection:
            for statement in (
                *(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
                *statements,
            ):
                connection.execute(statement)
            connection.commit()
        return
    with own_transaction() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


_TABLES = ("event", "event_seal")
