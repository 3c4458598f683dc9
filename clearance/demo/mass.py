"""Realistic requests in bulk, for measuring lists and searches at scale."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from clearance.core import audit
from clearance.core.database import reserve_ids
from clearance.core.extensions import db
from clearance.demo.mass_rows import Columns, Source
from clearance.models import Base, Request
from clearance.models.enums import Status
from clearance.requests.timeline import kind_of
from clearance.services.flows import Action

_REQUESTS = Base.metadata.tables[Request.__tablename__]
CHUNK = 5_000
CACHE_KB = 200_000  # of SQLite's pages: index entries arrive in random order


def add_requests(count: int, now: datetime) -> float:
    """Add `count` requests over recent years, each with its sending in the audit trail.

    Adds their licences too. The same `count` gives the same rows. Numbers come from the usual
    counters; nobody is notified. Commits in batches, so that others can write in between.
    Returns the seconds.
    """
    began = time.perf_counter()
    session = db.session()
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KB}")
    source = Source(count, now)
    db.session.commit()
    waiting = source.rows()
    while rows := list(islice(waiting, CHUNK)):
        ids = reserve_ids(session, _REQUESTS, len(rows))
        for key, row in zip(ids, rows, strict=True):
            row["id"] = key
        session.execute(sa.insert(_REQUESTS), rows)
        source.settle_counters()
        audit.record_many([_sent(row) for row in rows])
        db.session.commit()
    audit.record(
        "demo:requests:added", obj=source.sender, actor_id=None, changes={"count": [0, count]}
    )
    db.session.commit()
    return time.perf_counter() - began


def _sent(row: Columns) -> Columns:
    """Return the audit entry for sending a request."""
    return {
        "at": row["sent_at"],
        "kind": kind_of(Action.SEND),
        "actor_id": row["sender_id"],
        "organisation_id": row["organisation_id"],
        "request_id": row["id"],
        "object_type": "request",
        "object_id": str(row["id"]),
        "from_status": Status.DRAFT,
        "to_status": Status.SUBMITTED,
    }
