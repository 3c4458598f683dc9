"""The office's internal notes on requests, never shown to applicants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from clearance.auth import permissions
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.values import BadValue, clean_lines
from clearance.models import InternalNote, Request

NOTE_MAX_LENGTH = 2000


def write(req: Request, body: str, actor: Actor, now: datetime) -> InternalNote:
    """Add a reviewer's note about `req`. Flushes.

    body: 1 to NOTE_MAX_LENGTH characters. Raises: NotFound unless a reviewer writes it,
    values.BadValue if it is empty or too long. Source: specification section 8.
    """
    if not actor.is_reviewer or not permissions.can_see_request(actor, req):
        raise NotFound
    text = clean_lines(body, NOTE_MAX_LENGTH)
    if not text:
        raise BadValue(_l("Enter a note first."))
    note = InternalNote(request_id=req.id, author_id=actor.id, body=text, created_at=now)
    db.session.add(note)
    db.session.flush()
    audit.record(
        "request:note:written",
        obj=note,
        actor_id=actor.id,
        at=now,
        organisation_id=req.organisation_id,
        request_id=req.id,
    )
    return note


def of_request(req: Request, reader: Actor) -> Sequence[InternalNote]:
    """Return the notes about `req` with their authors, oldest first; none for agents."""
    if not reader.is_staff:
        return ()
    return db.session.scalars(
        sa.select(InternalNote)
        .where(InternalNote.request_id == req.id)
        .options(joinedload(InternalNote.author))
        .order_by(InternalNote.id)
    ).all()
