"""Row locks for requests (SELECT … FOR NO KEY UPDATE).

This lock level does not conflict with inserting rows that reference the request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from clearance.core import numbering
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import Request
from clearance.services import registry, versions


def lock_many(request_ids: Collection[int]) -> Sequence[Request]:
    """Lock and reload the requests, always in the same order, until the transaction ends.

    Deleted requests are skipped.
    """
    return db.session.scalars(
        sa.select(Request)
        .where(Request.id.in_(request_ids))
        .order_by(Request.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def lock(req: Request) -> None:
    """Lock and reload `req` until the transaction ends.

    On SQLite the writing transaction itself is the lock. Raises: NotFound if it was deleted.
    """
    if not lock_many(sa.inspect(req).identity or ()):
        raise NotFound


def lock_with_records(request_ids: Collection[int]) -> Sequence[Request]:
    """Lock many requests, as `lock_many`, and the records they are about.

    Also locks the counters of the statements that they may get. Call it again after a commit.
    Requests are locked first, as when locking a single one.
    """
    requests = lock_many(request_ids)
    lock_records(request_ids)
    services = [versions.for_request(req) for req in requests]
    prefixes = [statement.prefix for service in services for statement in service.issued]
    numbering.hold(prefixes, utc_now())
    return requests


def lock_records(request_ids: Collection[int]) -> None:
    """Lock the records that these requests, locked already, are about."""
    for snapshot in registry.current().snapshots:
        snapshot.lock(request_ids)
