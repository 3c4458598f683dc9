"""Exports of lists as tests need them: ordered, and ready."""

from __future__ import annotations

from typing import Any

from clearance.auth.permissions import scope_of
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exports.operations import KEPT
from clearance.files import storage
from clearance.models import ListExport, User
from clearance.models.enums import ExportStatus
from clearance.web import xlsx_export

CONTENT = b"PK a workbook"


def ordered(user: User, **values: Any) -> ListExport:
    """Add an order of a list; flushes. values: columns other than the usual ones."""
    usual = {
        "list": "office_requests" if user.role == "manager" else "my_requests",
        "title": {"ar": "الطلبات", "en": "Requests"},
        "query": "",
        "filters": "",
        "language": "en",
        "scope": scope_of(actor_of(user)),
        "asked_at": utc_now(),
        "total": 1,
    }
    export = ListExport(user_id=user.id, **(usual | values))
    db.session.add(export)
    db.session.flush()
    return export


def ready(user: User) -> ListExport:
    """Add an export whose file is ready, and commit."""
    stored = storage.put(CONTENT, xlsx_export.MEDIA_TYPE)
    export = ordered(
        user,
        status=ExportStatus.READY,
        expires_at=utc_now() + KEPT,
        storage_key=stored.key,
        size=stored.size,
        sha256=stored.sha256,
    )
    storage.follow(export)
    db.session.commit()
    return export
