"""Row locks for subscriptions: shared for sending requests, exclusive for changes.

An automatic service starts without a row; the first sending or change creates it.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clearance.core.conditional_writes import insert_ignoring
from clearance.core.extensions import db
from clearance.models import Subscription
from clearance.models.enums import SubscriptionStatus
from clearance.services.facts import ServiceTerms

AUTOMATIC_VERSION = 1
"""What an automatic service without a row counts as, so that writing the row changes nothing."""


def lock_shared(organisation_id: int, service: ServiceTerms, now: datetime) -> None:
    """Keep the organisation from leaving the service until this transaction ends.

    Any number of sendings share the lock; leaving waits for them and sees what they sent.
    On SQLite the write transaction itself is the lock.
    """
    locked = _rows(organisation_id, service.code).with_only_columns(Subscription.id)
    locked = locked.with_for_update(read=True)
    if db.session.scalar(locked) is None and service.is_automatic:
        _write_automatic(organisation_id, service.code, now)
        db.session.scalar(locked)


def lock_exclusive(
    organisation_id: int, service: ServiceTerms, now: datetime
) -> Subscription | None:
    """Wait for concurrent sendings and decisions and re-read the row; None without a row."""
    if service.is_automatic:
        _write_automatic(organisation_id, service.code, now)
    return _held(_rows(organisation_id, service.code))


def hold_by_id(subscription_id: int) -> Subscription | None:
    """Like `lock_exclusive`, by row id."""
    return _held(sa.select(Subscription).where(Subscription.id == subscription_id))


def _rows(organisation_id: int, code: str) -> sa.Select[Subscription]:
    return sa.select(Subscription).where(
        Subscription.organisation_id == organisation_id, Subscription.service_code == code
    )


def _held(rows: sa.Select[Subscription]) -> Subscription | None:
    held = rows.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(held)


def _write_automatic(organisation_id: int, code: str, now: datetime) -> None:
    insert_ignoring(
        Subscription,
        organisation_id=organisation_id,
        service_code=code,
        status=SubscriptionStatus.ACTIVE,
        reason="",
        asked_at=now,
        decided_at=now,
        version=AUTOMATIC_VERSION,
    )
