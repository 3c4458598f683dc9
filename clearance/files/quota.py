"""Storage quota of organisations; a file shared by several rows counts only once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _l

from clearance.core.conditional_writes import changed_rows
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files import storage
from clearance.models import Document, Organisation


class DocumentRefused(DomainError):
    """A valid file that this request or organisation cannot accept now."""


def add_usage(organisation_id: int, size: int) -> None:
    """Count `size` bytes (negative: give back) in one conditional UPDATE (security rule 28).

    Locks the organisation's row, so queries after it see all concurrent changes.
    Raises: DocumentRefused when the organisation's quota is used up.
    """
    settings: Settings = current_app.extensions["settings"]
    stored = Organisation.stored_bytes + size
    taken = changed_rows(
        sa.update(Organisation)
        .where(
            Organisation.id == organisation_id,
            sa.or_(stored <= settings.organisation_max_bytes, sa.literal(size <= 0)),
        )
        .values(stored_bytes=sa.case((stored < 0, 0), else_=stored))
    )
    if not taken:
        raise DocumentRefused(
            _l(
                "Your organisation has used all its space for documents. Remove documents "
                "from drafts, or ask the office for more."
            )
        )


def delete_documents(organisation_id: int, documents: Sequence[Document]) -> None:
    """Delete document rows of one organisation. Flushes.

    A file, and the quota it uses, is given up with its last row; it is removed at the commit.
    """
    add_usage(organisation_id, 0)  # only to lock: concurrent deletions must not overlap
    sizes = {document.storage_key: document.size for document in documents}
    for document in documents:
        storage.follow(document)
        db.session.delete(document)
    db.session.flush()
    kept = set(
        db.session.scalars(sa.select(Document.storage_key).where(Document.storage_key.in_(sizes)))
    )
    add_usage(organisation_id, -sum(size for key, size in sizes.items() if key not in kept))
