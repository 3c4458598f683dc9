"""Announcements by the office to the users of organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Announcement


def current(now: datetime) -> Sequence[Announcement]:
    """Return the announcements published and not ended at `now`, newest first."""
    return db.session.scalars(select_current(now)).all()


def select_current(now: Any, limit: int = 5) -> sa.Select[Announcement]:
    """Select what `current` returns. now: the instant, or a parameter for it."""
    return (
        sa.select(Announcement)
        .where(
            Announcement.published_at <= now,
            sa.or_(Announcement.ends_at.is_(None), Announcement.ends_at > now),
        )
        .order_by(Announcement.published_at.desc(), Announcement.id.desc())
        .limit(limit)
    )
