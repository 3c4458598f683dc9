"""Writes that depend on the rows there: of concurrent transactions, one succeeds.

Another transaction that wants the same row waits for this one to end, on both databases.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from clearance.core.extensions import db

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def changed_rows(statement: sa.Update | sa.Delete) -> int:
    """Execute a conditional statement in the session; return how many rows met its condition.

    Objects loaded before keep their values; refresh those that are read afterwards.
    """
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(getattr(result, "rowcount", 0))


def insert_ignoring(model: type[Any], **values: Any) -> bool:
    """Insert a row in the session, unless it breaks a unique constraint; return whether it did."""
    statement = insert_into(model, db.session.get_bind().dialect.name).on_conflict_do_nothing()
    return db.session.scalar(statement.returning(sa.literal(1)), values) is not None


def insert_into(model: type[Any], dialect: str) -> Any:
    """Return the INSERT of `dialect` ("sqlite" or "postgresql"), which knows ON CONFLICT."""
    return _INSERTS[dialect](model)
