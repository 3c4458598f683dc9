"""Identify the violated constraint of an IntegrityError on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clearance.models import Base

_SQLITE_UNIQUE = "UNIQUE constraint failed: "


def is_violation_of(error: IntegrityError, name: str) -> bool:
    """Return whether `error` violates the unique constraint or index `name` of our models.

    PostgreSQL reports the constraint's name, SQLite only its columns.
    """
    reported = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if reported is not None:
        return bool(reported == name)
    message = str(error.orig)
    if not message.startswith(_SQLITE_UNIQUE):
        return False
    return set(message.removeprefix(_SQLITE_UNIQUE).split(", ")) == _columns_of(name)


def _columns_of(name: str) -> set[str]:
    for table in Base.metadata.tables.values():
        for constraint in (*table.constraints, *table.indexes):
            if isinstance(constraint, sa.UniqueConstraint | sa.Index) and constraint.name == name:
                return {f"{table.name}.{column.name}" for column in constraint.columns}
    raise LookupError(f"no unique constraint is called {name}")
