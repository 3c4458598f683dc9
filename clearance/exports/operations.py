"""Ordering, listing, fetching and removing workbooks of long lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import sqlalchemy as sa

from clearance.auth import permissions, rate_limits
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import ListExport
from clearance.models.enums import ExportStatus

KEPT = timedelta(days=3)
MOST_SHOWN = 50
TABLE = ListExport.__tablename__
WAITING_MARK = "clearance_lists_to_export"  # in session.info: write workbooks after the commit


@dataclass(frozen=True)
class Order:
    """What is ordered; see the columns of `ListExport`."""

    list: str
    title: Mapping[str, str]
    query: str
    filters: str
    total: int


def order(actor: Actor, wanted: Order, language: str, now: datetime) -> ListExport:
    """Order a workbook. Flushes; counts as an export and is recorded as one.

    Call it before the request's first query. Raises: TooManyTries.
    """
    rate_limits.consume("export_account", f"user:{actor.id}")
    audit.access("export:xlsx", object_type=TABLE, result="asked")
    standing = actor.standing
    export = ListExport(
        user_id=actor.id,
        organisation_id=standing.organisation_id if standing is not None else None,
        list=wanted.list,
        title=dict(wanted.title),
        query=wanted.query,
        filters=wanted.filters,
        total=wanted.total,
        language=language,
        scope=permissions.scope_of(actor),
        asked_at=now,
    )
    db.session.add(export)
    db.session.flush()
    db.session.info[WAITING_MARK] = True
    return export


def of_user(actor: Actor) -> Sequence[ListExport]:
    """Return what the actor has ordered, newest first."""
    return db.session.scalars(
        sa.select(ListExport)
        .where(ListExport.user_id == actor.id)
        .order_by(ListExport.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def remove(actor: Actor, export_id: int) -> None:
    """Delete an order of the actor's with its file; a job that is writing it stops. Flushes.

    Raises: NotFound.
    """
    export = db.session.scalar(
        sa.select(ListExport)
        .where(ListExport.id == export_id, ListExport.user_id == actor.id)
        .with_for_update()
    )
    if export is None:
        raise NotFound
    storage.follow(export)
    db.session.delete(export)
    db.session.flush()


def open_file(actor: Actor, export_id: int, now: datetime) -> tuple[BinaryIO, Any]:
    """Return the actor's own file, its bytes verified, and its list and size; the caller closes it.

    Records the access. Raises: NotFound if there is none (any more), or none for the actor's
    current permissions (rule 22); storage.DamagedFile.
    """
    wanted = (ListExport.list, ListExport.size, ListExport.storage_key, ListExport.sha256)
    with own_transaction(write=False) as connection:
        export = connection.execute(
            sa.select(*wanted).where(
                ListExport.id == export_id,
                ListExport.user_id == actor.id,
                ListExport.status == ExportStatus.READY,
                ListExport.scope == permissions.scope_of(actor),
                ListExport.expires_at > now,
            )
        ).one_or_none()
    if export is None:
        raise NotFound
    stream = storage.open_checked(export.storage_key, export.sha256)
    audit.access("export:xlsx", object_type=TABLE, object_id=str(export_id), result="read")
    return stream, export
