"""The outbox: count waiting and failed messages, and requeue them; nothing is sent here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit, crypto, holds
from clearance.core.errors import TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Delivery, Hold
from clearance.models.enums import DeliveryStatus

QUEUED_MARK = "clearance_deliveries_queued"  # in session.info: wake the sender after the commit
LATE_AFTER = timedelta(minutes=15)


def body_of(delivery: Delivery) -> str:
    """Return the message's body; "" if a secret was erased or its key is lost."""
    if not delivery.is_secret or not delivery.body:
        return delivery.body
    try:
        return crypto.decrypt(delivery.body)
    except ValueError:
        return ""


def send_again(delivery: Delivery, now: datetime) -> None:
    """Requeue a message that was given up. Flushes.

    Lock the row first. Raises TransitionNotAllowed if not given up, or if expired or erased.
    """
    has_run_out = delivery.expires_at is not None and delivery.expires_at <= now
    if delivery.status != DeliveryStatus.GIVEN_UP or not delivery.body or has_run_out:
        raise TransitionNotAllowed(_l("This message cannot be sent again."))
    delivery.status = DeliveryStatus.QUEUED
    delivery.attempts = 0
    delivery.created_at = delivery.next_at = now
    delivery.lease = delivery.leased_until = None
    flush_queued()


def held_since_restore(now: datetime) -> str | None:
    """Return the backup since whose restoring no message leaves; None if messages leave."""
    return holds.active(holds.OUTBOX, now)


def release(now: datetime) -> bool:
    """Let messages leave after a restore; returns whether they were held. Commits."""
    hold = db.session.get(Hold, holds.OUTBOX)
    if hold is None:
        return False
    audit.record("portal:outbox:released", obj=hold, actor_id=None, at=now)
    db.session.delete(hold)
    flush_queued()
    db.session.commit()
    return True


@dataclass(frozen=True)
class Waiting:
    """State of the outbox. oldest_minutes: age of the oldest unsent message, else 0."""

    queued: int
    given_up: int
    oldest_minutes: int

    @property
    def is_late(self) -> bool:
        """Whether messages have waited so long that someone should look."""
        return timedelta(minutes=self.oldest_minutes) >= LATE_AFTER


def waiting(now: datetime) -> Waiting:
    """Count waiting and given-up messages, for the office's warning and the log."""
    query = (
        sa.select(Delivery.status, sa.func.count(), sa.func.min(Delivery.created_at))
        .where(Delivery.status.in_([DeliveryStatus.QUEUED, DeliveryStatus.GIVEN_UP]))
        .group_by(Delivery.status)
    )
    rows = {status: (count, oldest) for status, count, oldest in db.session.execute(query)}
    queued, oldest = rows.get(DeliveryStatus.QUEUED, (0, None))
    age = max(timedelta(0), now - oldest) if oldest else timedelta(0)
    given_up = rows.get(DeliveryStatus.GIVEN_UP, (0, None))[0]
    return Waiting(queued, given_up, int(age.total_seconds() // 60))


def flush_queued() -> None:
    """Flush queued deliveries, and wake the sender after the commit."""
    db.session.info[QUEUED_MARK] = True
    db.session.flush()
