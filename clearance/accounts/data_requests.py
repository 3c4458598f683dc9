"""Of a copy of somebody's data: the requests they may see, with remarks and messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from clearance.accounts.data_account import ROWS_AT_ONCE, names
from clearance.auth import permissions
from clearance.core.extensions import db
from clearance.models import Message, Organisation, Remark, Request, ServiceVersion, User
from clearance.services.standard_fields import COLUMNS, is_empty


def requests(seen: sa.ColumnElement[bool], user_id: int) -> Iterator[dict[str, Any]]:
    """The requests that the condition `seen` leaves, in the order they were begun."""
    query = (
        sa.select(Request, ServiceVersion.definition["title"], Organisation)
        .join(ServiceVersion, ServiceVersion.id == Request.service_version_id)
        .join(Organisation, Organisation.id == Request.organisation_id)
        .where(seen)
        .order_by(Request.id)
    )
    result = db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    for part in result.partitions():
        ids = [req.id for req, _title, _organisation in part]
        messages, remarks = _of_requests(Message, ids), _of_requests(Remark, ids)
        staff = _staff_among(messages)
        for req, title, organisation in part:
            yield {
                **_request(req, user_id),
                "service": {"code": req.service_code, **title},
                "organisation": names(organisation),
                "remarks": [_remark(each) for each in remarks if each.request_id == req.id],
                "messages": [
                    _message(each, user_id, staff) for each in messages if each.request_id == req.id
                ],
            }


def _request(req: Request, user_id: int) -> dict[str, Any]:
    fields = {name: getattr(req, name) for name in sorted(COLUMNS)}
    return {
        "number": req.number,
        "status": req.status,
        "created_at": req.created_at,
        "created_by_me": req.created_by_id == user_id,
        "sent_at": req.sent_at,
        "sent_by_me": req.sender_id == user_id,
        "returned_at": req.returned_at,
        "decided_at": req.decided_at,
        "granted_expiry": req.granted_expiry,
        "fields": {name: value for name, value in fields.items() if not is_empty(value)},
        "answers": req.answers,
    }


def _of_requests(model: type[Message] | type[Remark], ids: Sequence[int]) -> Sequence[Any]:
    query = sa.select(model).where(model.request_id.in_(ids)).order_by(model.id)
    return db.session.scalars(query).all()


def _staff_among(messages: Sequence[Message]) -> set[int]:
    authors = {each.author_id for each in messages}
    query = sa.select(User.id).where(User.id.in_(authors), User.role.in_(permissions.READING_ROLES))
    return set(db.session.scalars(query))


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "at": remark.created_at,
        "field": remark.field,
        "document_kind": remark.document_kind,
        "text": remark.text,
        "settled_at": remark.settled_at,
    }


def _message(message: Message, user_id: int, staff: set[int]) -> dict[str, Any]:
    """People are not named: whose side wrote it is enough."""
    side = "office" if message.author_id in staff else "organisation"
    return {
        "at": message.created_at,
        "from": "me" if message.author_id == user_id else side,
        "text": message.body,
    }
