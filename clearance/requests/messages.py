"""Messages between an applicant and the office about a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, urls
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.core.values import BadValue, clean_lines
from clearance.models import Message, Request
from clearance.models.enums import Status
from clearance.requests import notice_values

BODY_MAX_LENGTH = 2000


class NoConversationYet(DomainError):
    """The office cannot see drafts, so nobody would read the message."""

    def __init__(self) -> None:
        super().__init__(_l("You can write to the office after you send the request."))


def post(req: Request, body: str, actor: Actor, now: datetime) -> Message:
    """Post a message of `actor` about `req` and notify the other side. Flushes.

    body: 1 to BODY_MAX_LENGTH characters. Of the staff, only reviewers may post.
    Raises: NotFound, NoConversationYet, values.BadValue if it is empty or too long.
    """
    if not permissions.can_see_request(actor, req) or (actor.is_staff and not actor.is_reviewer):
        raise NotFound
    if req.status == Status.DRAFT:
        raise NoConversationYet
    text = clean_lines(body, BODY_MAX_LENGTH)
    if not text:
        raise BadValue(_l("Enter a message first."))
    message = Message(
        request_id=req.id,
        author_id=actor.id,
        body=text,
        created_at=now,
    )
    db.session.add(message)
    db.session.flush()
    audit.record(
        "request:message:posted",
        obj=message,
        actor_id=actor.id,
        at=now,
        organisation_id=req.organisation_id,
        request_id=req.id,
    )
    _tell(req, actor, now)
    return message


def of_request(req: Request) -> Sequence[Message]:
    """Return the messages about `req` with their authors, oldest first."""
    statement = (
        sa.select(Message)
        .where(Message.request_id == req.id)
        .options(joinedload(Message.author))
        .order_by(Message.id)
    )
    return db.session.scalars(statement).all()


def _tell(req: Request, actor: Actor, now: datetime) -> None:
    params = notice_values.about(req)
    if actor.is_staff:
        notifications.notify_members(
            "request:message",
            organisation_id=req.organisation_id,
            service_code=req.service_code,
            params=params,
            now=now,
            request_id=req.id,
            url=urls.request_url(req.id),
        )
        return
    notifications.notify_reviewer_of("office:message", req, params=params, now=now)
