"""The space that an organisation's files take: a file shared by several rows counts once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _l

from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files import storage
from clearance.models import Document, Organisation


class DocumentRefused(DomainError):
    """A good file that this request, or this organisation, cannot take now."""


def add_usage(organisation_id: int, size: int) -> None:
    """Count `size` bytes (negative: give back) in one conditional UPDATE (security rule 28).

    It locks the organisation's row: what is counted after it is everybody's. Raises:
    DocumentRefused when the organisation's space is used up.
    """
    settings: Settings = current_app.extensions["settings"]
    stored = Organisation.stored_bytes + size
    taken = db.session.execute(
        sa.update(Organisation)
        .where(
            Organisation.id == organisation_id,
            sa.or_(stored <= settings.organisation_max_bytes, sa.literal(size <= 0)),
        )
        .values(stored_bytes=sa.case((stored < 0, 0), else_=stored))
        .returning(Organisation.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        raise DocumentRefused(
            _l(
                "Your organisation has used all of its space for documents. "
                "Remove documents from drafts, or ask the office for more."
            )
        )


def delete_documents(organisation_id: int, documents: Sequence[Document]) -> None:
    """Delete the rows of one organisation; flushes. Each file, and its space, goes with its last.

    The file itself goes when the transaction commits.
    """
    add_usage(organisation_id, 0)  # only the lock: of two who delete the last two rows, one is last
    sizes = {each.storage_key: each.size for each in documents}
    for each in documents:
        storage.follow(each)
        db.session.delete(each)
    db.session.flush()
    kept = set(
        db.session.scalars(sa.select(Document.storage_key).where(Document.storage_key.in_(sizes)))
    )
    add_usage(organisation_id, -sum(size for key, size in sizes.items() if key not in kept))
