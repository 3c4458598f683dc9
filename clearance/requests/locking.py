"""Row locks for requests.

NO KEY UPDATE: rows that point at the request may go on being written, and nobody waits for whoever
inserts them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import Request


def lock_many(request_ids: Collection[int]) -> Sequence[Request]:
    """Lock all these requests, in one order for everybody, and read them afresh.

    Held until the transaction ends. Those that are gone are left out.
    """
    return db.session.scalars(
        sa.select(Request)
        .where(Request.id.in_(request_ids))
        .order_by(Request.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def lock(req: Request) -> None:
    """Wait for whoever changes `req` and read it afresh; held until the transaction ends.

    On SQLite the writing transaction itself is the lock. Raises: NotFound when it is gone.
    """
    if not lock_many(sa.inspect(req).identity or ()):
        raise NotFound
