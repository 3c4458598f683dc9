"""Work that is held for a while: sending after a restore, removing files during a backup."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from clearance.core.conditional_writes import insert_into
from clearance.core.database import own_transaction
from clearance.models import Hold

OUTBOX: Final = "outbox"
"""No message leaves until `flask outbox release`."""
FILE_REMOVAL: Final = "file_removal"
"""Files whose rows went are left to the sweep, since a backup that is being made knows the rows."""


def begin(
    connection: sa.Connection, name: str, now: datetime, *, why: str, until: datetime | None = None
) -> None:
    """Hold work, or hold it for longer, in a transaction of the caller's."""
    insert = insert_into(Hold, connection.dialect.name)
    new = insert.excluded
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["name"], set_={"until": new.until, "why": new.why}
        ),
        {"name": name, "since": now, "until": until, "why": why},
    )


def end(connection: sa.Connection, name: str) -> None:
    """Let the work go on, in a transaction of the caller's."""
    connection.execute(sa.delete(Hold).where(Hold.name == name))


def active(name: str, now: datetime) -> str | None:
    """Return why the work is held; None if it is not. Reads in a transaction of its own."""
    is_over = sa.and_(Hold.until.is_not(None), Hold.until <= now)
    with own_transaction(write=False) as connection:
        query = sa.select(Hold.why).where(Hold.name == name, ~is_over)
        return connection.execute(query).scalar_one_or_none()


def is_active(name: str, now: datetime) -> bool:
    """Return whether the work is held."""
    return active(name, now) is not None
