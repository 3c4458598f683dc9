"""Drafts left unused for long: their owners get a notice, and later the drafts are deleted.

Source: the office's settings of retention. A draft is never deleted without a notice that was sent
the set number of days before, after its last saving.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from clearance import notifications
from clearance.core import legal_holds, office_settings
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.models import Request, User
from clearance.models.enums import Status
from clearance.requests import drafts, notice_values
from clearance.requests.locking import lock_many

BATCH = 200  # per transaction, which keeps locks short
EVENT = "draft:unused"


def warn(now: datetime) -> int:
    """Tell owners of drafts that will soon be deleted, once each; a job. Flushes.

    Handles the `BATCH` oldest; the next call continues. Returns how many were told of.
    """
    untold = sa.or_(Request.deletion_told_at.is_(None), Request.deletion_told_at < Request.saved_at)
    old = Request.saved_at <= now - _period() + _notice()
    told = 0
    for req in _locked(sa.and_(old, untold)):
        _tell(req, now)
        req.deletion_told_at = now
        told += 1
    db.session.flush()
    return told


def delete_due(now: datetime) -> int:
    """Delete the drafts whose time and notice have passed, unless held. Commits by itself.

    Returns how many went.
    """
    deleted, batch = 0, BATCH
    while batch == BATCH:
        batch = 0
        for req in _locked(_is_due(now)):
            drafts.delete(req, None, now, "request:draft:expired")
            batch += 1
        db.session.commit()
        deleted += batch
    return deleted


def count_held(now: datetime) -> int:
    """Return how many drafts a legal hold keeps from being deleted."""
    due = sa.and_(Request.status == Status.DRAFT, _is_over(now), legal_holds.keeps_request())
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(Request).where(due)) or 0)


def _locked(condition: sa.ColumnElement[bool]) -> Collection[Request]:
    """Lock the oldest drafts that meet the condition; it is checked again under the lock."""
    chosen = sa.and_(Request.status == Status.DRAFT, ~legal_holds.keeps_request(), condition)
    oldest = sa.select(Request.id).where(chosen).order_by(Request.saved_at, Request.id).limit(BATCH)
    ids = db.session.scalars(oldest).all()
    locked = {req.id: req for req in lock_many(ids)}
    still = db.session.scalars(sa.select(Request.id).where(Request.id.in_(ids), chosen)).all()
    return [locked[key] for key in still if key in locked]


def _is_over(now: datetime) -> sa.ColumnElement[bool]:
    return Request.saved_at <= now - _period()


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    told = sa.and_(
        Request.deletion_told_at >= Request.saved_at, Request.deletion_told_at <= now - _notice()
    )
    return sa.and_(_is_over(now), told)


def _tell(req: Request, now: datetime) -> None:
    """Notify the draft's owner if active, else the organisation's general users."""
    params = notice_values.about(req) | {"day": kuwait_date(_deleted_at(req, now))}
    del params["number"]
    about: dict[str, Any] = {"params": params, "now": now, "url": f"/my/requests/{req.id}/form"}
    owner = db.session.get_one(User, req.handed_to_id or req.created_by_id)
    if owner.is_active:
        organisation_id = req.organisation_id
        notifications.notify_user(EVENT, user_id=owner.id, organisation_id=organisation_id, **about)
    else:
        notifications.notify_members(EVENT, organisation_id=req.organisation_id, **about)


def _deleted_at(req: Request, now: datetime) -> datetime:
    return max(req.saved_at + _period(), now + _notice())


def _period() -> timedelta:
    return timedelta(days=int(office_settings.get("retention_draft_days")))


def _notice() -> timedelta:
    return timedelta(days=int(office_settings.get("retention_notice_days")))
