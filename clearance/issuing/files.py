"""PDF files of issued documents: rendered from their rows, stored once, read with a hash check.

Rendering, signing and storing are slow, so none of it runs in the decision's transaction. A file
that could not be made is made later, by the job or for the first reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.files import receipts, storage
from clearance.issuing.rendering import Sheet, issued_pdf, portrait
from clearance.models import IssuedDocument

PDF = "application/pdf"
_ROW = (
    IssuedDocument.kind,
    IssuedDocument.language,
    IssuedDocument.check_code,
    IssuedDocument.content,
    IssuedDocument.issued_at,
)

log = structlog.get_logger("clearance.issuing")


def render_missing(now: datetime) -> int:
    """Make all missing files; return how many this call made. Commits in its own transactions.

    Idempotent and safe to run concurrently: a document gets one file. Failures are logged and do
    not stop the others. Call it outside a transaction. Raises: storage.StorageUnavailable.
    """
    made, last = 0, 0
    while (issued_id := _next_missing(last)) is not None:
        last = issued_id
        try:
            made += _make(issued_id)
        except storage.StorageUnavailable:
            raise
        except Exception:  # one bad document must not stop the others
            log.exception("issued_file_not_made", issued_id=issued_id)
    return made


def file_of(issued_id: int) -> bytes:
    """Return the PDF, making it now if needed. Do not call it in a writing transaction.

    Raises: NotFound, storage.DamagedFile (the stored bytes have changed),
    storage.StorageUnavailable, ServiceUnavailable. Source: security requirement 30.
    """
    stored = _stored(issued_id)
    if stored is None:
        _make(issued_id)
        stored = _stored(issued_id)
    if stored is None:
        raise NotFound
    return storage.read(*stored)


def _next_missing(after: int) -> int | None:
    with own_transaction(write=False) as connection:
        return connection.scalar(
            sa.select(sa.func.min(IssuedDocument.id)).where(
                IssuedDocument.storage_key.is_(None), IssuedDocument.id > after
            )
        )


def _stored(issued_id: int) -> tuple[str, str] | None:
    """Return (key, SHA-256) of the file, None if it is not made yet. Raises: NotFound."""
    with own_transaction(write=False) as connection:
        row = connection.execute(
            sa.select(IssuedDocument.storage_key, IssuedDocument.sha256).where(
                IssuedDocument.id == issued_id
            )
        ).one_or_none()
    if row is None:
        raise NotFound
    return (row.storage_key, row.sha256 or "") if row.storage_key is not None else None


def _make(issued_id: int) -> bool:
    """Make and store the file; return False if a concurrent call stored its file first."""
    with own_transaction(write=False) as connection:
        row = connection.execute(sa.select(*_ROW).where(IssuedDocument.id == issued_id)).one()
    pdf = issued_pdf(Sheet(*row), _photo(row.content))
    stored = storage.put(receipts.with_receipt(pdf), PDF)
    with own_transaction() as connection:
        claimed = connection.execute(
            sa.update(IssuedDocument)
            .where(IssuedDocument.id == issued_id, IssuedDocument.storage_key.is_(None))
            .values(storage_key=stored.key, sha256=stored.sha256)
        ).rowcount
        receipts.publish_key(connection, utc_now())
    if claimed:
        storage.keep(stored.key)
    else:
        storage.delete(stored.key)
    return bool(claimed)


def _photo(content: Mapping[str, Any]) -> bytes | None:
    """Return the portrait for a card; None if missing or unreadable, so that the card is made."""
    photo = content.get("photo")
    if photo is None:
        return None
    try:
        return portrait(storage.read(photo["storage_key"], photo["sha256"]))
    except (storage.DamagedFile, OSError):
        log.exception("photo_not_readable", key=photo["storage_key"])
        return None
