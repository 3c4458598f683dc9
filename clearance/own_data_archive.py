"""The archive of somebody's own data: JSON and the documents they uploaded, written part by part.

It holds no password, code, key or hash, and of other people only what stands in requests that the
owner reads in the portal anyway. Whoever calls has begun `database.reading`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import sqlalchemy as sa
import structlog

from clearance import devices, notices, policies, second_factor, storage
from clearance.actor import Actor
from clearance.calendar import KUWAIT
from clearance.extensions import db
from clearance.models import (
    AccessEvent,
    Document,
    Grant,
    LegalEntity,
    Membership,
    Message,
    Notice,
    Organisation,
    Remark,
    Request,
    ServiceVersion,
    User,
    UserSession,
)
from clearance.procedures.standard_fields import COLUMNS, is_empty
from clearance.values import file_label

ROWS_AT_ONCE = 100
PART = 256 * 1024
ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
READ_ME = """\
نسخة من بياناتكم في بوابة التخليص الجمركي
Copy of your data in the Customs Clearance Portal

profile.json      بيانات الحساب / your account
memberships.json  الشركات والخدمات الممنوحة / your organisations and the services granted
requests.json     الطلبات التي يمكنكم الاطلاع عليها / the requests you may see
notices.json      الإشعارات / what the portal told you
sessions.json     جلسات الدخول / your sessions
access.json       سجل الدخول والاستخدام / sign-ins and other access by your account
documents.json    الوثائق التي حمّلتموها / the documents you uploaded; the files are in documents/

جميع الأوقات بالتوقيت العالمي. / All times are UTC.
"""

log = structlog.get_logger("clearance.own_data")


def write(target: BinaryIO, user: User, actor: Actor, now: datetime) -> None:
    """Write the ZIP into `target`. actor: the user as the rules of access see them.

    Its size in memory does not grow with the archive. A document whose file is gone or damaged is
    told of in documents.json and does not keep the rest.
    """
    # Ids and plain values only: loaded objects are let go while the archive is written.
    profile, user_id, language = _profile(user), user.id, user.language
    seen = sa.false() if actor.is_staff else policies.requests_visible_to(actor)
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr(_entry("read-me.txt", now), READ_ME.encode())
        archive.writestr(_entry("profile.json", now), _dumped(profile).encode())
        for name, rows in (
            ("memberships.json", _memberships(user_id)),
            ("requests.json", _requests(seen, user_id)),
            ("notices.json", _notices(user_id, language)),
            ("sessions.json", _sessions(user_id)),
            ("access.json", _access(user_id)),
        ):
            _write_list(archive, _entry(name, now), rows)
        own = sa.and_(seen, Document.uploaded_by_id == user_id)
        damaged = _write_documents(archive, own, now)
        _write_list(archive, _entry("documents.json", now), _documents(own, damaged))


def _profile(user: User) -> dict[str, Any]:
    entity = db.session.get(LegalEntity, user.legal_entity) if user.legal_entity else None
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "gender": user.gender,
        "civil_id": user.civil_id,
        "email": user.email,
        "email_proved_at": user.email_proved_at,
        "mobile": user.mobile,
        "mobile_proved_at": user.mobile_proved_at,
        "role": user.role,
        "legal_entity": _names(entity) if entity is not None else None,
        "language": user.language,
        "second_factor": str(second_factor.means_of(user)),
        "created_at": user.created_at,
    }


def _memberships(user_id: int) -> Iterator[dict[str, Any]]:
    rows = db.session.execute(
        sa.select(Membership, Organisation)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    ).all()
    for membership, organisation in rows:
        granted = sa.select(Grant.service_code).where(Grant.membership_id == membership.id)
        yield {
            "organisation": _names(organisation),
            "is_general_user": membership.is_general,
            "is_active": membership.is_active,
            "since": membership.created_at,
            "granted_services": sorted(db.session.scalars(granted)),
        }


def _requests(seen: sa.ColumnElement[bool], user_id: int) -> Iterator[dict[str, Any]]:
    query = sa.select(Request, ServiceVersion.definition["title"], Organisation)
    query = (
        query.join(ServiceVersion, ServiceVersion.id == Request.service_version_id)
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
                "organisation": _names(organisation),
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
    query = sa.select(User.id).where(User.id.in_(authors), User.role.in_(policies.READING_ROLES))
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


def _notices(user_id: int, language: str) -> Iterator[dict[str, Any]]:
    query = sa.select(Notice).where(Notice.user_id == user_id).order_by(Notice.id)
    for part in db.session.scalars(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        for notice, (title, text) in zip(part, notices.texts_of(part, language), strict=True):
            yield {
                "at": notice.created_at,
                "read_at": notice.read_at,
                "event": notice.event,
                "title": title,
                "text": text,
            }


def _sessions(user_id: int) -> Iterator[dict[str, Any]]:
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
        yield {**row._mapping, "device": devices.describe(row.user_agent)}


def _access(user_id: int) -> Iterator[dict[str, Any]]:
    query = (
        sa.select(AccessEvent.at, AccessEvent.kind, AccessEvent.ip, AccessEvent.result)
        .where(AccessEvent.user_id == user_id)
        .order_by(AccessEvent.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield dict(row._mapping)


def _own_documents(own: sa.ColumnElement[bool]) -> Iterator[tuple[Document, str | None]]:
    query = (
        sa.select(Document, Request.number)
        .join(Request, Request.id == Document.request_id)
        .where(own)
        .order_by(Document.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield row[0], row[1]


def _write_documents(
    archive: ZipFile, own: sa.ColumnElement[bool], now: datetime
) -> frozenset[int]:
    """Copy each file into the archive; returns the ids of those that are gone or damaged."""
    damaged = set()
    for document, number in _own_documents(own):
        try:
            stream = storage.open(document.storage_key)
        except storage.DamagedFile:
            damaged.add(document.id)
            continue
        # Scans and photographs are compressed by themselves.
        entry = _entry(_path(document, number), now, ZIP_STORED)
        entry.file_size = document.size
        digest = hashlib.sha256()
        with stream, archive.open(entry, "w") as copy:
            while part := stream.read(PART):
                digest.update(part)
                copy.write(part)
        if digest.hexdigest() != document.sha256:
            log.error("file_changed", key=document.storage_key)
            damaged.add(document.id)
    return frozenset(damaged)


def _documents(own: sa.ColumnElement[bool], damaged: frozenset[int]) -> Iterator[dict[str, Any]]:
    for document, number in _own_documents(own):
        yield {
            "request": number,
            "kind": document.kind,
            "name": document.label,
            "uploaded_at": document.uploaded_at,
            "size": document.size,
            "file": _path(document, number),
            "is_damaged": document.id in damaged,
        }


def _path(document: Document, number: str | None) -> str:
    """Where the file stands in the archive: a folder of its request, its id before its name."""
    folder = number.replace("/", "-") if number else f"draft-{document.request_id}"
    label = file_label(document.label)
    ending = ENDINGS.get(document.media_type, "")
    if not label.lower().endswith((ending, ".jpeg" if ending == ".jpg" else ending)):
        label += ending
    return f"documents/{folder}/{document.id}-{label}"


def _write_list(archive: ZipFile, entry: ZipInfo, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as one JSON list, one at a time."""
    with archive.open(entry, "w", force_zip64=True) as target:
        before = "[\n"
        for row in rows:
            target.write(f"{before}{_dumped(row)}".encode())
            before = ",\n"
        target.write(b"\n]\n" if before != "[\n" else b"[]\n")


def _entry(name: str, now: datetime, compression: int = ZIP_DEFLATED) -> ZipInfo:
    local = now.astimezone(KUWAIT)
    entry = ZipInfo(name, local.timetuple()[:6])
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _names(row: LegalEntity | Organisation) -> dict[str, str]:
    return {"ar": row.name_ar, "en": row.name_en}
