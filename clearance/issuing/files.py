"""The files of issued documents: made of their rows, stored once, read with a check of the hash.

Nothing here runs in the decision's transaction: setting, signing and storing take their time, and a
file that could not be made now is made later, by the job or by the first reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.files import signing, storage
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
    """Make every file that is not there yet; returns how many this call made. Commits by itself.

    May run any number of times and in any number of processes at once: a document gets one file.
    One that cannot be made is logged and does not keep the others waiting.
    Call it outside a transaction. Raises: storage.StorageUnavailable.
    """
    made, last = 0, 0
    while (issued_id := _next_missing(last)) is not None:
        last = issued_id
        try:
            made += _make(issued_id)
        except storage.StorageUnavailable:
            raise
        except Exception:  # whatever is wrong with one of them
            log.exception("issued_file_not_made", issued_id=issued_id)
    return made


def file_of(issued_id: int) -> bytes:
    """Return the PDF, made now if the job has not been there yet. Not in a writing transaction.

    Raises: NotFound, storage.DamagedFile where the bytes are not those that were stored,
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
    """(key, SHA-256) of the file, None while there is none. Raises: NotFound."""
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
    """Make the file and store it, unless somebody is quicker; whether this one counts."""
    with own_transaction(write=False) as connection:
        row = connection.execute(sa.select(*_ROW).where(IssuedDocument.id == issued_id)).one()
    data = signing.signed(issued_pdf(Sheet(*row), _photo(row.content)))
    stored = storage.put(data, PDF)
    with own_transaction() as connection:
        claimed = connection.execute(
            sa.update(IssuedDocument)
            .where(IssuedDocument.id == issued_id, IssuedDocument.storage_key.is_(None))
            .values(storage_key=stored.key, sha256=stored.sha256)
        ).rowcount
    if claimed:
        storage.keep(stored.key)
    else:
        storage.delete(stored.key)
    return bool(claimed)


def _photo(content: Mapping[str, Any]) -> bytes | None:
    """The portrait for a card. A picture that is gone must not keep a decision from its card."""
    photo = content.get("photo")
    if photo is None:
        return None
    try:
        return portrait(storage.read(photo["storage_key"], photo["sha256"]))
    except (storage.DamagedFile, OSError):
        log.exception("photo_not_readable", key=photo["storage_key"])
        return None
