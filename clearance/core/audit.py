"""Audit trail: hash-chained business events, and separate access events."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import has_request_context, request
from flask_login import current_user
from sqlalchemy import event as sa_event
from sqlalchemy.orm import Session, SessionTransaction

from clearance.core import chain, metrics
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction, reserve_ids
from clearance.core.extensions import db
from clearance.models import AccessEvent, Base, Event

# Bulk inserts go to the tables: the mapped classes would cost three times as much.
_EVENTS = Base.metadata.tables[Event.__tablename__]
# Built once, as it is too frequent (every refusal) to compile each time.
_INSERT_ACCESS = sa.insert(Base.metadata.tables[AccessEvent.__tablename__])
_NO_ORIGIN = {"ip": "", "session_hash": ""}
_PENDING = "clearance_unsealed_events"


def record(
    kind: str,
    *,
    obj: Any,
    actor_id: int | None,
    at: datetime | None = None,
    organisation_id: int | None = None,
    request_id: int | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Event:
    """Write a business event in the running transaction; flushes.

    kind: tag `scope:thing:verb`. obj: the changed row (its table and key are kept). changes:
    field → [from, to], JSON values. The event is sealed when the transaction commits.
    """
    db.session.flush()
    event = Event(
        kind=kind,
        at=at or utc_now(),
        actor_id=actor_id,
        organisation_id=organisation_id,
        request_id=request_id,
        object_type=obj.__tablename__,
        object_id=str(sa.inspect(obj).mapper.primary_key_from_instance(obj)[0]),
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        changes=dict(changes or {}),
        **_origin(),
    )
    db.session.add(event)
    db.session.flush()
    db.session.info.setdefault(_PENDING, []).append(event)
    return event


def as_json(value: Any) -> Any:
    """Return a column's value as changes keep it: days in ISO format."""
    return value.isoformat() if isinstance(value, date) else value


def record_many(rows: Sequence[Mapping[str, Any]], within: Session | None = None) -> None:
    """Write and seal many business events at once.

    rows: the same columns of Event in all, including `at`, `kind`, `object_type` and `object_id`,
    in chain order. within: the session to write in instead of the application's. Keep the
    transaction short: it holds the lock on the chain's head.
    """
    empty = dict.fromkeys(chain.SEALED_FIELDS) | {"reason": "", "changes": {}}
    session = within or db.session()
    ids = reserve_ids(session, _EVENTS, len(rows))
    events = [{**empty, **_NO_ORIGIN, **row, "id": key} for key, row in zip(ids, rows, strict=True)]
    session.execute(sa.insert(_EVENTS), events)
    chain.seal(session, events)


def access(
    kind: str,
    *,
    user_id: int | None = None,
    object_type: str = "",
    object_id: str = "",
    result: str = "",
    detail: str = "",
    within: sa.Connection | None = None,
) -> None:
    """Write an access event (sign-in, read by staff, refusal) in a short transaction of its own.

    Call it before the first query of the request's own writing transaction, or after its end.
    detail: at most 250 characters, never a code, password or full address. within: the connection
    of an `own_transaction` to write in.
    """
    if user_id is None and has_request_context():
        user_id = getattr(current_user, "user_id", None)
    with nullcontext(within) if within is not None else own_transaction() as connection:
        row = {
            "at": utc_now(),
            "kind": kind,
            "user_id": user_id,
            "object_type": object_type,
            "object_id": object_id[:80],
            "result": result,
            "detail": detail[:250],
            **_origin(),
        }
        connection.execute(_INSERT_ACCESS, row)
    metrics.add(metrics.ACCESS_EVENTS, kind, result)


def init_app() -> None:
    """Seal pending events whenever a session commits."""
    if not sa_event.contains(Session, "before_commit", _seal_pending):
        sa_event.listen(Session, "before_commit", _seal_pending)
        sa_event.listen(Session, "after_soft_rollback", _forget_pending)


def _seal_pending(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint's end: sealing now would lock the head for longer
    pending = session.info.pop(_PENDING, [])
    session.flush()
    events = [event for event in pending if sa.inspect(event).persistent]
    if not events:
        return
    chain.seal(session, [_content(event) for event in sorted(events, key=lambda event: event.id)])


def _forget_pending(session: Session, ended: SessionTransaction) -> None:
    if not ended.nested:  # after a savepoint's rollback, earlier rows are still pending
        session.info.pop(_PENDING, None)


def _content(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in chain.SEALED_FIELDS}


def _origin() -> dict[str, str]:
    if not has_request_context():
        return _NO_ORIGIN
    key = getattr(current_user, "key", "")
    return {
        "ip": (request.remote_addr or "")[:40],
        "session_hash": hashlib.sha256(key.encode()).hexdigest()[:16] if key else "",
    }
