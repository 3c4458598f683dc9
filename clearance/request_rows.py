"""The row of a request under a lock, for those who are about to change it."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from clearance.errors import NotFound
from clearance.extensions import db
from clearance.models import Request


def lock_many(request_ids: Collection[int]) -> None:
    """Lock all these requests, in one order for everybody; those that are gone are left out."""
    wanted = sa.select(Request.id).where(Request.id.in_(request_ids))
    db.session.execute(wanted.order_by(Request.id).with_for_update())


def lock(req: Request) -> None:
    """Wait for whoever changes `req` and read it afresh; held until the transaction ends.

    On SQLite the writing transaction itself is the lock. Raises: NotFound when it is gone.
    """
    found = db.session.execute(
        sa.select(Request)
        .where(Request.id == req.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
