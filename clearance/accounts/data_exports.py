"""My data: a user requests a copy of their data, a job builds it, the user downloads it.

A user has one copy at a time. Its file stays in the storage until the copy expires.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from tempfile import TemporaryFile
from typing import BinaryIO

import sqlalchemy as sa
import structlog

from clearance import notifications
from clearance.accounts import data_archive
from clearance.auth import rate_limits, reauthentication, sessions
from clearance.auth.permissions import scope_of
from clearance.core import audit, leases
from clearance.core.actor import Actor
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction, reading
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.urls import own_data_url
from clearance.files import storage
from clearance.models import DataCopy, User

KEPT = timedelta(hours=72)
LEASE = timedelta(minutes=15)
ATTEMPTS = 5
ZIP = "application/zip"
WAITING_MARK = "clearance_copies_to_make"  # in session.info: build copies after the commit

log = structlog.get_logger("clearance.accounts")


class Stage(StrEnum):
    """State of a copy."""

    WAITING = "waiting"
    READY = "ready"
    OUTDATED = "outdated"
    FAILED = "failed"


@dataclass(frozen=True)
class Copy:
    """A copy as shown to its owner. size: bytes of the file."""

    stage: Stage
    asked_at: datetime
    made_at: datetime | None
    expires_at: datetime | None
    size: int


def copy_of(actor: Actor, now: datetime) -> Copy | None:
    """Return the actor's copy, or None if missing or expired. Read outside the transaction.

    A copy is outdated if the actor's permissions have changed since it was made.
    """
    with own_transaction(write=False) as connection:
        row = connection.execute(
            sa.select(
                DataCopy.asked_at,
                DataCopy.made_at,
                DataCopy.expires_at,
                DataCopy.size,
                DataCopy.attempts,
                DataCopy.leased_until,
                DataCopy.scope,
            ).where(DataCopy.user_id == actor.id)
        ).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    is_left = row.attempts >= ATTEMPTS and (row.leased_until is None or row.leased_until <= now)
    stage = Stage.FAILED if is_left else Stage.WAITING
    if row.made_at is not None:
        stage = Stage.READY if row.scope == scope_of(actor) else Stage.OUTDATED
    return Copy(stage, row.asked_at, row.made_at, row.expires_at, row.size)


def ask(actor: Actor, password: str, now: datetime) -> bool:
    """Request a copy, replacing the last one; False while one is being built. Flushes.

    Slow: call it before the request's first query. Raises: WrongPassword; TooManyTries.
    """
    reauthentication.require_current_password(actor, password, kind="account:data:ask")
    present = copy_of(actor, now)
    if present is not None and present.stage == Stage.WAITING:
        return False
    receipt = rate_limits.consume("own_data_account", f"user:{actor.id}")
    # Concurrent requests by the same user wait here.
    user = db.session.get_one(User, actor.id, with_for_update=True, populate_existing=True)
    earlier = db.session.scalar(sa.select(DataCopy).where(DataCopy.user_id == user.id))
    if earlier is not None:
        if _is_waiting(earlier):
            db.session.rollback()
            rate_limits.refund(receipt)
            return False
        storage.follow(earlier)
        db.session.delete(earlier)
        db.session.flush()
    copy = DataCopy(user_id=user.id, asked_at=now)
    db.session.add(copy)
    audit.record("account:data:asked", obj=user, actor_id=user.id, at=now)
    db.session.info[WAITING_MARK] = True
    return True


def open_file(actor: Actor, now: datetime) -> tuple[BinaryIO, int]:
    """Return the actor's own file, its bytes verified, and its size; the caller closes it.

    Records the access. Raises: NotFound if there is none (any more), or none for the actor's
    current permissions (rule 22); TooManyTries (every access reads all bytes); storage.DamagedFile.
    """
    with rate_limits.counted(("export_account", f"user:{actor.id}")):
        with own_transaction(write=False) as connection:
            row = connection.execute(
                sa.select(DataCopy.storage_key, DataCopy.sha256, DataCopy.size).where(
                    DataCopy.user_id == actor.id,
                    DataCopy.storage_key.is_not(None),
                    DataCopy.scope == scope_of(actor),
                    DataCopy.expires_at > now,
                )
            ).one_or_none()
        if row is None:
            raise NotFound
        stream = storage.open_checked(row.storage_key, row.sha256)
    audit.access(
        "account:data:read",
        user_id=actor.id,
        object_type="user",
        object_id=str(actor.id),
        result="read",
    )
    return stream, row.size


def make_waiting(now: datetime) -> int:
    """Build the requested copies; returns how many this call built. Commits by itself.

    Safe to run in many processes: each copy is leased to one, and to another if that one dies.
    Failures are retried when the lease ends, five times in all. Call it outside a transaction.
    """
    made = 0
    lease = secrets.token_hex(16)
    while (copy_id := _take(lease, now)) is not None:
        try:
            made += _make(copy_id, lease, now)
        except Exception:  # one failing copy must not stop the others
            log.exception("own_data_not_made", copy_id=copy_id)
        finally:
            db.session.rollback()
    return made


def _is_waiting(copy: DataCopy) -> bool:
    return copy.made_at is None and copy.attempts < ATTEMPTS


def _take(lease: str, now: datetime) -> int | None:
    """Lease the oldest waiting copy; None if there is none."""
    waiting = (DataCopy.made_at.is_(None), DataCopy.attempts < ATTEMPTS)
    return leases.take(DataCopy, *waiting, lease=lease, now=now, until=now + LEASE)


def _make(copy_id: int, lease: str, now: datetime) -> bool:
    """Write and store the archive, notify its owner; return whether it was kept."""
    with TemporaryFile() as target:
        with reading():
            user = db.session.scalar(
                sa.select(User)
                .join(DataCopy, DataCopy.user_id == User.id)
                .where(DataCopy.id == copy_id, User.is_active)
            )
            if user is None:
                return False
            actor = sessions.actor_of(user)
            data_archive.write(target, user, actor, now)
        stored = storage.put(target, ZIP)
    return _keep(copy_id, lease, stored, actor, now)


def _keep(copy_id: int, lease: str, stored: storage.Stored, actor: Actor, now: datetime) -> bool:
    """Attach the stored archive to its row while the lease is ours; delete it if too late."""
    expires_at = now + KEPT
    kept = changed_rows(
        sa.update(DataCopy)
        .where(DataCopy.id == copy_id, DataCopy.lease == lease, DataCopy.made_at.is_(None))
        .values(
            made_at=now,
            expires_at=expires_at,
            scope=scope_of(actor),
            storage_key=stored.key,
            size=stored.size,
            sha256=stored.sha256,
        )
    )
    if not kept:
        db.session.rollback()
        storage.delete(stored.key)
        return False
    notifications.notify_user(
        "account:data:ready",
        user_id=actor.id,
        params={"until": expires_at},
        now=now,
        url=own_data_url(is_staff=actor.is_staff),
    )
    db.session.commit()
    storage.keep(stored.key)
    return True
