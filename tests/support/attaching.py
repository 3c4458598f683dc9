"""Documents attached by the use cases, as uploads do, for tests."""

from __future__ import annotations

import io
from typing import Any

import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Document, Organisation, Request, User
from clearance.requests import attachments
from clearance.requests.attachments import Checked
from tests.support import files


def checked(name: str = "scan.pdf", data: bytes | None = None) -> Checked:
    return attachments.check_upload(name, io.BytesIO(files.pdf() if data is None else data))


def attach(
    req: Request, agent: User, kind: str = "civil_id_copy", label: str = "", **upload: Any
) -> Document:
    """Upload a file and commit it as a document."""
    found = checked(**upload)
    document = attachments.attach(req, found, kind, label, actor_of(agent), utc_now())
    db.session.commit()
    return document


def stored_bytes(req: Request) -> int:
    statement = sa.select(Organisation.stored_bytes).where(Organisation.id == req.organisation_id)
    return int(db.session.scalar(statement) or 0)
