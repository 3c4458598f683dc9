"""The archive of a user's own data: JSON and the documents they uploaded.

Contains no passwords, codes, keys or hashes, and of other people only what the owner can read in
the portal's requests anyway. The caller must have begun `database.reading`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import sqlalchemy as sa
import structlog

from clearance.accounts.data_zip import Archive
from clearance.auth import known_devices, permissions, second_factor
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.core.values import file_label
from clearance.files import storage
from clearance.models import (
    AccessEvent,
    Document,
    Grant,
    IssuedDocument,
    LegalEntity,
    Membership,
    Message,
    Notice,
    Organisation,
    Remark,
    Request,
    User,
    UserSession,
)
from clearance.models.audit import READS
from clearance.models.enums import STAFF_ROLES
from clearance.notifications import inbox
from clearance.services import versions
from clearance.services.standard_fields import COLUMNS, is_empty

READ_ME = """\
نسخة من بياناتك في بوابة التخليص الجمركي
Copy of your data in the Customs Clearance Portal

profile.json      بيانات الحساب / your account data
memberships.json  الجهات والخدمات الممنوحة / your organisations and the services you can use
requests.json     الطلبات التي يمكنك الاطلاع عليها / the requests you can see
notices.json      الإشعارات / your notifications
sessions.json     جلسات الدخول / your sessions
access.json       سجل الدخول والاستخدام / sign-ins and other access by your account
reads.json        من اطّلع على وثائقك وطلباتك / who opened your documents and requests
documents.json    الوثائق التي حمّلتها / the documents you uploaded; the files are in documents/

جميع الأوقات بالتوقيت العالمي. / All times are UTC.
"""


def write(target: BinaryIO, user: User, actor: Actor, now: datetime) -> None:
    """Write the ZIP into `target`. actor: the user, for the access rules.

    Memory use does not grow with the archive. Missing or damaged files are reported in
    documents.json and do not stop the rest.
    """
    # Keep ids and plain values only: loaded objects are released while writing.
    profile, user_id, language = profile_of(user), user.id, user.language
    seen = sa.false() if actor.is_staff else permissions.requests_visible_to(actor)
    own = sa.and_(seen, Document.uploaded_by_id == user_id)
    with Archive(target, now) as archive:
        archive.write_text("read-me.txt", READ_ME)
        archive.write_object("profile.json", profile)
        archive.write_list("memberships.json", memberships(user_id))
        archive.write_list("requests.json", requests(seen, user_id))
        archive.write_list("notices.json", told(user_id, language))
        archive.write_list("sessions.json", sessions(user_id))
        archive.write_list("access.json", access(user_id))
        archive.write_list("reads.json", reads(user_id))
        damaged = write_files(archive, own)
        archive.write_list("documents.json", listed(own, damaged))


ROWS_AT_ONCE = 100


def profile_of(user: User) -> dict[str, Any]:
    """Return the account's personal data, without hashes or keys."""
    entity = db.session.get(LegalEntity, user.legal_entity) if user.legal_entity else None
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "latin_name": user.latin_name,
        "gender": user.gender,
        "civil_id": user.civil_id,
        "email": user.email,
        "email_proved_at": user.email_proved_at,
        "mobile": user.mobile,
        "mobile_proved_at": user.mobile_proved_at,
        "role": user.role,
        "legal_entity": names(entity) if entity is not None else None,
        "language": user.language,
        "second_factor": str(second_factor.means_of(user)),
        "created_at": user.created_at,
    }


def memberships(user_id: int) -> Iterator[dict[str, Any]]:
    """Yield the user's memberships, past ones included, with the services granted."""
    rows = db.session.execute(
        sa.select(Membership, Organisation)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    ).all()
    for membership, organisation in rows:
        granted = sa.select(Grant.service_code).where(Grant.membership_id == membership.id)
        yield {
            "organisation": names(organisation),
            "is_general_user": membership.is_general,
            "is_active": membership.is_active,
            "since": membership.created_at,
            "granted_services": sorted(db.session.scalars(granted)),
        }


def told(user_id: int, language: str) -> Iterator[dict[str, Any]]:
    """Yield the user's notices in the language of their account."""
    query = sa.select(Notice).where(Notice.user_id == user_id).order_by(Notice.id)
    for part in db.session.scalars(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        for notice, (title, text) in zip(part, inbox.texts_of(part, language), strict=True):
            yield {
                "at": notice.created_at,
                "read_at": notice.read_at,
                "event": notice.event,
                "title": title,
                "text": text,
            }


def sessions(user_id: int) -> Iterator[dict[str, Any]]:
    """Yield the user's sessions: times and browsers."""
    query = (
        sa.select(
            UserSession.created_at,
            UserSession.last_seen_at,
            UserSession.expires_at,
            UserSession.ended_at,
            UserSession.ip,
            UserSession.user_agent,
        )
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield {**row._mapping, "device": known_devices.describe_user_agent(row.user_agent)}


def access(user_id: int) -> Iterator[dict[str, Any]]:
    """Yield sign-ins and other account events, but no read accesses."""
    query = (
        sa.select(AccessEvent.at, AccessEvent.kind, AccessEvent.ip, AccessEvent.result)
        .where(AccessEvent.user_id == user_id)
        .order_by(AccessEvent.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield dict(row._mapping)


def reads(user_id: int) -> Iterator[dict[str, Any]]:
    """Yield when others opened the user's documents, requests and account.

    Staff are "the office": their names are for the office's own register.
    """
    about = sa.union_all(
        _keys(Document, Document.uploaded_by_id == user_id),
        _keys(Request, sa.or_(Request.created_by_id == user_id, Request.sender_id == user_id)),
        _keys(User, User.id == user_id),
    ).subquery()
    query = (
        sa.select(AccessEvent.at, AccessEvent.kind, User.role, AccessEvent.detail)
        .add_columns(sa.func.coalesce(Document.label, Request.number).label("what"))
        .join(
            about,
            sa.and_(
                about.c.key == AccessEvent.object_id, about.c.object_type == AccessEvent.object_type
            ),
        )
        .outerjoin(User, User.id == AccessEvent.user_id)
        .outerjoin(Document, sa.and_(about.c.object_type == "document", Document.id == about.c.id))
        .outerjoin(Request, sa.and_(about.c.object_type == "request", Request.id == about.c.id))
        .where(AccessEvent.kind.in_(READS), AccessEvent.user_id != user_id)
        .order_by(AccessEvent.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        by = "office" if row.role in STAFF_ROLES else "colleague"
        yield {"at": row.at, "by": by, "kind": row.kind, "what": row.what, "part": row.detail}


def _keys(model: Any, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    table = sa.literal(model.__tablename__).label("object_type")
    return sa.select(table, model.id, sa.cast(model.id, sa.String).label("key")).where(condition)


def names(row: LegalEntity | Organisation) -> dict[str, str]:
    """Return the names in both languages."""
    return {"ar": row.name_ar, "en": row.name_en}


def requests(seen: sa.ColumnElement[bool], user_id: int) -> Iterator[dict[str, Any]]:
    """Yield the requests matching the condition `seen`, oldest first."""
    query = (
        sa.select(Request, Organisation)
        .join(Organisation, Organisation.id == Request.organisation_id)
        .where(seen)
        .order_by(Request.id)
    )
    result = db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    for part in result.partitions():
        ids = [req.id for req, _organisation in part]
        messages, remarks = _of_requests(Message, ids), _of_requests(Remark, ids)
        issued = _of_requests(IssuedDocument, ids)
        staff = _staff_among(messages)
        for req, organisation in part:
            service = versions.for_request(req)
            stage = service.stage(req.stage)
            yield {
                **_request(req, user_id),
                "service": {"code": req.service_code, **service.title.model_dump()},
                "stage": stage.title.model_dump() if stage is not None else None,
                "organisation": names(organisation),
                "remarks": [_remark(remark) for remark in remarks if remark.request_id == req.id],
                "messages": [
                    _message(message, user_id, staff)
                    for message in messages
                    if message.request_id == req.id
                ],
                "issued": [_issued(each) for each in issued if each.request_id == req.id],
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


def _of_requests(
    model: type[Message] | type[Remark] | type[IssuedDocument], ids: Sequence[int]
) -> Sequence[Any]:
    query = sa.select(model).where(model.request_id.in_(ids)).order_by(model.id)
    return db.session.scalars(query).all()


def _staff_among(messages: Sequence[Message]) -> set[int]:
    authors = {message.author_id for message in messages}
    query = sa.select(User.id).where(User.id.in_(authors), User.role.in_(permissions.READING_ROLES))
    return set(db.session.scalars(query))


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "at": remark.created_at,
        "field": remark.field,
        "document_kind": remark.document_kind,
        "text": remark.text,
        "answer": remark.answer,
        "settled_at": remark.settled_at,
    }


def _issued(document: IssuedDocument) -> dict[str, Any]:
    """Return what was issued for a request; a licence's document has its number."""
    return {
        "kind": document.kind,
        "title": document.title,
        "number": document.content["number"],
        "issued_at": document.issued_at,
        "valid_until": document.valid_until,
        "voided_at": document.voided_at,
    }


def _message(message: Message, user_id: int, staff: set[int]) -> dict[str, Any]:
    """Return a message without names: the author's side is enough."""
    side = "office" if message.author_id in staff else "organisation"
    return {
        "at": message.created_at,
        "from": "me" if message.author_id == user_id else side,
        "text": message.body,
    }


PART = 256 * 1024
ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
NAME_MAX_BYTES = 180  # unpacking tools limit the whole name to 255
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')  # invalid in file names on some systems

log = structlog.get_logger("clearance.accounts")


def write_files(archive: Archive, own: sa.ColumnElement[bool]) -> frozenset[int]:
    """Copy the files of the documents `own`; returns the ids of missing or damaged ones."""
    damaged = set()
    for document, number in _documents(own):
        try:
            _copy(archive, document, path_of(document, number))
        except storage.DamagedFile:
            damaged.add(document.id)
    return frozenset(damaged)


def listed(own: sa.ColumnElement[bool], damaged: frozenset[int]) -> Iterator[dict[str, Any]]:
    """Yield the description and archive path of every document."""
    for document, number in _documents(own):
        yield {
            "request": number,
            "kind": document.kind,
            "name": document.label,
            "uploaded_at": document.uploaded_at,
            "size": document.size,
            "file": path_of(document, number),
            "is_damaged": document.id in damaged,
        }


def path_of(document: Document, number: str | None) -> str:
    """Return the path in the archive: a folder per request, the id before the file name."""
    folder = number.replace("/", "-") if number else f"draft-{document.request_id}"
    stem = _NOT_IN_NAMES.sub("_", file_label(document.label))
    ending = ENDINGS.get(document.media_type, "")
    for known in (ending, ".jpeg" if ending == ".jpg" else ending):
        stem = stem[: len(stem) - len(known)] if stem.lower().endswith(known) else stem
    stem = stem.encode()[:NAME_MAX_BYTES].decode(errors="ignore")
    return f"documents/{folder}/{document.id}-{stem}{ending}"


def _documents(own: sa.ColumnElement[bool]) -> Iterator[tuple[Document, str | None]]:
    query = (
        sa.select(Document, Request.number)
        .join(Request, Request.id == Document.request_id)
        .where(own)
        .order_by(Document.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield row[0], row[1]


def _copy(archive: Archive, document: Document, path: str) -> None:
    digest = hashlib.sha256()
    with storage.open(document.storage_key) as stream, archive.open_file(path, document.size) as to:
        while part := _part(stream):
            digest.update(part)
            to.write(part)
    if digest.hexdigest() != document.sha256:
        log.error("file_changed", key=document.storage_key)
        raise storage.DamagedFile


def _part(stream: BinaryIO) -> bytes:
    """Read the next part. Only read errors are handled here: the target may be full."""
    try:
        return stream.read(PART)
    except OSError as fault:
        log.error("file_unreadable", exc_info=fault)
        raise storage.DamagedFile from fault
