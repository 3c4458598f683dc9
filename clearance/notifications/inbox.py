"""A user's notices: list, count, mark as read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Notice
from clearance.notifications import composing, events
from clearance.notifications.schema import PORTAL


def text_of(notice: Notice, lang: str) -> tuple[str, str]:
    """Return (title, body) of a notice in `lang` ("ar" or "en"), in the office's wording if any."""
    return texts_of([notice], lang)[0]


def texts_of(notices: Sequence[Notice], lang: str) -> list[tuple[str, str]]:
    """Return (title, body) of each notice in `lang`, with one query for all.

    Words of a service's own come before the office's wording.

    The title of one whose event is gone with its extension is the event's code.
    """
    own = composing.own_texts({notice.event for notice in notices})
    known = events.registered()
    return [
        composing.filled(known[row.event], PORTAL, lang, row.params, own | _own_words(row))
        if row.event in known
        else (row.event, "")
        for row in notices
    ]


def _own_words(notice: Notice) -> composing.Texts:
    return {
        (notice.event, PORTAL, lang): (title, body)
        for lang, (title, body) in (notice.wording or {}).items()
    }


def of_user(user_id: int, *, limit: int = 50, before_id: int | None = None) -> list[Notice]:
    """Return the user's notices, newest first; before_id: the last one already shown."""
    query = sa.select(Notice).where(Notice.user_id == user_id)
    if before_id is not None:
        query = query.where(Notice.id < before_id)
    return list(db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)))


def unread_count(user_id: int) -> int:
    """Return the number of the user's unread notices."""
    return db.session.scalar(count_unread(user_id)) or 0


def count_unread(user_id: Any, most: int | None = None) -> sa.Select[int]:
    """Select the number of a user's unread notices, counted up to `most`, if given."""
    own = sa.select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    return sa.select(sa.func.count()).select_from(own.limit(most).subquery())


def mark_read(user_id: int, ids: Iterable[int], now: datetime) -> int:
    """Mark the user's own notices among `ids` as read; return how many were unread. Flushes."""
    return _mark(user_id, now, Notice.id.in_(list(ids)))


def mark_all_read(user_id: int, now: datetime) -> int:
    """Mark all of the user's notices as read; return how many were unread. Flushes."""
    return _mark(user_id, now, sa.true())


def _mark(user_id: int, now: datetime, which: sa.ColumnElement[bool]) -> int:
    statement = (
        sa.update(Notice)
        .where(Notice.user_id == user_id, Notice.read_at.is_(None), which)
        .values(read_at=now)
    )
    result: Any = db.session.execute(statement)
    return int(result.rowcount)
