"""Writing the ordered workbooks: each leased to one worker, in constant memory, with progress."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import sqlalchemy as sa
import structlog
from flask import Flask, current_app
from werkzeug.exceptions import HTTPException

from clearance import notifications
from clearance.auth import permissions, sessions
from clearance.core import leases
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction, reading
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.urls import exports_url
from clearance.exports.operations import KEPT
from clearance.files import storage
from clearance.models import ListExport, User
from clearance.models.enums import STAFF_ROLES, ExportStatus
from clearance.web import xlsx_export
from clearance.web.sheets import Part, Table

LEASE = timedelta(minutes=5)  # from the last progress
ATTEMPTS = 3
PROGRESS_SECONDS = 1.0

OpenTables = Callable[[str, str, Actor, str], AbstractContextManager[Sequence[Table]]]
"""Opens a list for an actor: its endpoint, its query, who reads it, in which language.

Raises: NotFound or an HTTPException if that person may not export it, or the query no longer fits.
"""

_OPEN = "list_tables"
_log = structlog.get_logger("clearance.exports")


class _Removed(Exception):
    """The order was removed, or another worker took it over."""


def init_app(app: Flask, open_tables: OpenTables) -> None:
    """Give the application the function that opens lists."""
    app.extensions[_OPEN] = open_tables


def make_waiting(now: datetime) -> int:
    """Write the ordered workbooks; returns how many this call ended. Commits by itself.

    Safe to run in many processes: each order is leased to one, and begun again by another if that
    one dies. Failures are retried when the lease ends. Call it outside a transaction.
    """
    ended = _give_up(now)
    lease = secrets.token_hex(16)
    while (export_id := _take(lease, now)) is not None:
        try:
            ended += _make(export_id, lease)
        except Exception:  # one failing list must not stop the others
            _log.exception("list_not_exported", export_id=export_id)
        finally:
            db.session.rollback()
        now = utc_now()
    return ended


def _take(lease: str, now: datetime) -> int | None:
    waiting = ListExport.status == ExportStatus.WAITING
    return leases.take(
        ListExport, waiting, ListExport.attempts < ATTEMPTS, lease=lease, now=now, until=now + LEASE
    )


def _give_up(now: datetime) -> int:
    """End the orders that were tried too often."""
    lost = db.session.scalars(
        sa.select(ListExport).where(
            ListExport.status == ExportStatus.WAITING,
            ListExport.attempts >= ATTEMPTS,
            ListExport.leased_until <= now,
        )
    ).all()
    ended = sum(_end(export, str(export.lease), ExportStatus.FAILED, now) for export in lost)
    db.session.rollback()
    return ended


def _make(export_id: int, lease: str) -> bool:
    """Write and store one workbook; return whether the order was ended by it."""
    with TemporaryFile() as target:
        with reading():
            export = db.session.get_one(ListExport, export_id)
            db.session.expunge(export)
            actor = _actor_of(export)
        try:
            _write(target, export, actor, lease)
        except _Removed:
            return False
        except (NotFound, HTTPException):
            return _end(export, lease, ExportStatus.REFUSED, utc_now())
        except xlsx_export.TooManyRows:
            return _end(export, lease, ExportStatus.TOO_LONG, utc_now())
        stored = storage.put(target, xlsx_export.MEDIA_TYPE)
    return _end(export, lease, ExportStatus.READY, utc_now(), stored)


def _actor_of(export: ListExport) -> Actor | None:
    """Return the person as they may read now; None unless they may read what they could then."""
    user = db.session.scalar(sa.select(User).where(User.id == export.user_id, User.is_active))
    if user is None:
        return None
    actor = replace(
        sessions.actor_of(user), organisation_id=export.organisation_id, language=export.language
    )
    return actor if permissions.scope_of(actor) == export.scope else None


def _write(target: BinaryIO, export: ListExport, actor: Actor | None, lease: str) -> None:
    """Write the workbook as its person reads the list. Raises: NotFound, _Removed, TooManyRows."""
    if actor is None:
        raise NotFound
    open_tables: OpenTables = current_app.extensions[_OPEN]
    progress = _Progress(export.id, lease)
    with open_tables(export.list, export.query, actor, export.language) as (first, *further):
        counted = replace(first, parts=progress.told(first.parts))
        xlsx_export.write(target, [counted, *further])


class _Progress:
    """Tells how many rows are written, which also renews the lease.

    It writes in the context in which it was made: the list's own is that of a reading request.
    """

    def __init__(self, export_id: int, lease: str) -> None:
        self._which = (ListExport.id == export_id, ListExport.lease == lease)
        self._outside = copy_context()
        self._told_at = time.monotonic()

    def told(self, parts: Any) -> Iterator[Part]:
        """Yield the parts; from time to time tell the rows so far. Raises: _Removed."""
        written = 0
        for part in parts:
            yield part
            written += len(part[0])
            if time.monotonic() - self._told_at >= PROGRESS_SECONDS:
                self._outside.run(self._tell, written)
                self._told_at = time.monotonic()

    def _tell(self, written: int) -> None:
        values = {"written": written, "leased_until": utc_now() + LEASE}
        with own_transaction() as connection:
            told = connection.execute(sa.update(ListExport).where(*self._which).values(**values))
        if not told.rowcount:
            raise _Removed


def _end(
    export: ListExport,
    lease: str,
    status: ExportStatus,
    now: datetime,
    stored: storage.Stored | None = None,
) -> bool:
    """End an order while the lease is ours, and notify its person; delete the file if too late."""
    values: dict[str, Any] = {"status": str(status), "expires_at": now + KEPT}
    if stored is not None:
        values |= {"storage_key": stored.key, "size": stored.size, "sha256": stored.sha256}
    which = (ListExport.id == export.id, ListExport.lease == lease)
    waiting = ListExport.status == ExportStatus.WAITING
    if not changed_rows(sa.update(ListExport).where(*which, waiting).values(**values)):
        db.session.rollback()
        if stored is not None:
            storage.delete(stored.key)
        return False
    is_staff = (
        db.session.scalar(sa.select(User.role).where(User.id == export.user_id)) in STAFF_ROLES
    )
    is_ready = status == ExportStatus.READY
    notifications.notify_user(
        "account:export:ready" if is_ready else "account:export:not_made",
        user_id=export.user_id,
        params={"list": export.title, **({"until": now + KEPT} if is_ready else {})},
        now=now,
        url=exports_url(is_staff=is_staff),
    )
    db.session.commit()
    if stored is not None:
        storage.keep(stored.key)
    return True
