"""Retention: remove expired rows, rows past their retention period, and orphan files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from clearance.auth import captcha, rate_limits
from clearance.core import audit, office_settings
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import (
    Base,
    DataCopy,
    Delivery,
    Invitation,
    ListExport,
    OneTimeKey,
    PasswordReset,
    Registration,
    UserSession,
    VerificationCode,
)
from clearance.models.enums import DeliveryStatus

ONE_TIME_KEY_KEPT = timedelta(days=2)
CODE_KEPT = timedelta(days=30)
UNMADE_COPY_KEPT = timedelta(days=7)


def purge(now: datetime) -> dict[str, int]:
    """Remove what has expired; return the counts by table, and of files. Commits by itself.

    now: aware UTC. Every table has its own short transaction, so that nobody waits long. Periods
    are office settings; the removal is logged as an access event (rule 46).
    """
    periods = {
        key: timedelta(days=office_settings.get(f"retention_{key}_days"))
        for key in ("registration", "message", "session")
    }
    db.session.rollback()  # only settings were read; the removals have their own transactions
    removed = {"captcha": captcha.purge(now), "throttle_count": rate_limits.purge(now)}
    for model, condition in _over(now, periods):
        with own_transaction() as connection:
            count = connection.execute(sa.delete(model).where(condition)).rowcount
        removed[model.__tablename__] = count
    removed["orphan_file"] = storage.sweep_orphans(now)
    removed = {table: count for table, count in removed.items() if count}
    if removed:
        detail = ", ".join(f"{table}: {count}" for table, count in removed.items())
        audit.access("retention:rows:purged", result="done", detail=detail)
    return removed


def _over(
    now: datetime, periods: dict[str, timedelta]
) -> Iterator[tuple[type[Base], sa.ColumnElement[Any]]]:
    yield OneTimeKey, OneTimeKey.created_at <= now - ONE_TIME_KEY_KEPT
    yield VerificationCode, VerificationCode.expires_at <= now - CODE_KEPT
    yield PasswordReset, PasswordReset.expires_at <= now - CODE_KEPT
    yield (
        # Its file becomes an orphan, removed later in this run.
        DataCopy,
        sa.or_(
            DataCopy.expires_at <= now,
            sa.and_(DataCopy.made_at.is_(None), DataCopy.asked_at <= now - UNMADE_COPY_KEPT),
        ),
    )
    # Their files are removed likewise.
    yield (
        ListExport,
        sa.or_(ListExport.expires_at <= now, ListExport.asked_at <= now - UNMADE_COPY_KEPT),
    )
    yield Registration, Registration.created_at <= now - periods["registration"]
    yield (
        Invitation,
        sa.and_(
            Invitation.expires_at <= now - periods["registration"],
            Invitation.accepted_at.is_(None),
            ~sa.exists().where(Registration.invitation_id == Invitation.id),
        ),
    )
    yield (
        UserSession,
        sa.func.coalesce(UserSession.ended_at, UserSession.expires_at) <= now - periods["session"],
    )
    yield (
        Delivery,
        sa.and_(
            Delivery.status != DeliveryStatus.QUEUED,
            Delivery.created_at <= now - periods["message"],
        ),
    )
