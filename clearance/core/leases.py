"""Leases: rows of work that one worker holds until it ends them or dies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clearance.core.database import own_transaction


def take(
    model: Any, *waiting: sa.ColumnElement[bool], lease: str, now: datetime, until: datetime
) -> int | None:
    """Lease the oldest waiting row that nobody holds, and count the attempt; None if there is none.

    model: with `lease`, `leased_until` and `attempts`. waiting: what makes a row one to work on.
    Has transactions of its own.
    """
    free = sa.or_(model.leased_until.is_(None), model.leased_until <= now)
    with own_transaction(write=False) as connection:
        found = connection.scalars(sa.select(model.id).where(*waiting, free).order_by(model.id))
        chosen = found.all()
    for row_id in chosen:
        with own_transaction() as connection:
            taken = connection.execute(
                sa.update(model)
                .where(model.id == row_id, *waiting, free)
                .values(lease=lease, leased_until=until, attempts=model.attempts + 1)
            ).rowcount
        if taken:
            return int(row_id)
    return None
