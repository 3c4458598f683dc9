"""Documents of a request: judged and stored, attached, renamed, removed, shown, given out.

`check_upload` stores, so it comes before the transaction; the rest flushes and the caller commits.
What was stored and is not attached in a committed transaction is removed by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import sqlalchemy as sa
from flask import Response, current_app
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions, rate_limits
from clearance.core import audit, i18n
from clearance.core.actor import Actor
from clearance.core.errors import ClosedNow, NotFound, PermissionDenied
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.core.values import file_label
from clearance.files import file_inspection, previews, quota, storage
from clearance.files.previews import PAGE_WIDTH, THUMBNAIL_WIDTH, WIDTHS, Picture
from clearance.files.quota import DocumentRefused
from clearance.files.validation import ENDINGS, MADE_SMALLER, PDF, BadFile, clean_file, kind_by_name
from clearance.models import Document, DocumentKind, Request
from clearance.models.enums import Status
from clearance.requests import completeness
from clearance.requests.locking import lock, lock_many
from clearance.services import versions
from clearance.web.downloads import as_attachment, as_picture

__all__ = [
    "ACCEPT",
    "PAGE_WIDTH",
    "THUMBNAIL_WIDTH",
    "BadFile",
    "Checked",
    "DocumentRefused",
    "attach",
    "check_upload",
    "download_response",
    "find",
    "kinds_for",
    "open_kinds",
    "preview_response",
    "remove",
    "remove_all",
    "rename",
    "room_left",
    "share",
]

ACCEPT = ",".join(f".{ending}" for ending in ENDINGS)
OTHER = "other"
PICTURE_KINDS = frozenset({"photo"})


@dataclass(frozen=True)
class Checked:
    """An uploaded file that was found good and is stored. label: its own name, for people."""

    label: str
    media_type: str
    size: int
    sha256: str
    pages: int
    storage_key: str


def check_upload(filename: str, stream: BinaryIO, account: str = "") -> Checked:
    """Judge an uploaded file and store it; takes up to seconds, so before the first query.

    filename: as the browser sent it. account: see `file_process`. Raises BadFile,
    file_process.Busy, storage.StorageUnavailable. Source: security requirements 28-30.
    """
    label, settings = file_label(filename), _settings()
    is_made_smaller = kind_by_name(label) in MADE_SMALLER
    limit = settings.picture_max_bytes if is_made_smaller else settings.upload_max_bytes
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise BadFile(
            _l(
                "This file is larger than %(limit)d MB. Scan it again at a lower quality.",
                limit=limit // (1024 * 1024),
            )
        )
    clean = clean_file(label, data, settings.upload_max_bytes, account)
    stored = storage.put(clean.data, clean.media_type)
    return Checked(label, clean.media_type, stored.size, stored.sha256, clean.pages, stored.key)


def attach(
    req: Request, checked: Checked, kind: str, label: str, actor: Actor, now: datetime
) -> Document:
    """Add a checked file to `req` as a document of `kind`; flushes.

    label: what the agent calls it, "" for the file's own name. Raises: BadFile (not a picture where
    one is due), DocumentRefused (request full, organisation's space used up), ClosedNow
    (sent, or a kind that is not open), PermissionDenied, NotFound. Source: specification
    section 4, Documents.
    """
    return share([req], checked, kind, label, actor, now)[0]


def share(
    requests: Sequence[Request],
    checked: Checked,
    kind: str,
    label: str,
    actor: Actor,
    now: datetime,
) -> list[Document]:
    """Add one checked file to each of `requests`, all of one organisation; flushes.

    It is stored once and counts once against the organisation's space. All or none takes it.
    Raises as `attach`.
    """
    ordered = sorted(requests, key=lambda req: req.id)  # one order of locks for everybody
    for req in ordered:
        _open_for_change(req, kind, actor)
    if kind in PICTURE_KINDS and checked.media_type == PDF:
        raise BadFile(_l("This must be a picture: choose a JPEG or PNG file."))
    # Taking the space locks the organisation's row: the count after it is everybody's.
    quota.add_usage(ordered[0].organisation_id, checked.size)
    if any(room_left(req) < 1 for req in ordered):
        raise DocumentRefused(
            _l(
                "This request already has %(limit)d documents. Remove one to add another.",
                limit=_settings().upload_max_files,
            )
        )
    return [_add(req, checked, kind, label, actor, now) for req in ordered]


def rename(document: Document, label: str, actor: Actor, now: datetime) -> None:
    """Call the document otherwise; flushes. An empty label changes nothing. Raises as `attach`."""
    (document,) = _open_again([document], actor)
    req = document.request
    before, after = document.label, file_label(label) if label.strip() else document.label
    if before != after:
        document.label = after
        _saved(req, now)
        _record("renamed", document, req, actor, now, {"label": [before, after]})


def remove(document: Document, actor: Actor, now: datetime) -> None:
    """Take the document away; its file goes when the transaction commits. Raises as `attach`."""
    remove_all([document], actor, now)


def remove_all(found: Sequence[Document], actor: Actor, now: datetime) -> None:
    """Take documents of one organisation away, all or none; flushes. Raises as `attach`.

    A file that other documents share stays until the last of them goes.
    """
    ordered = _open_again(found, actor)
    requests = list(dict.fromkeys(document.request for document in ordered))
    for document in ordered:
        gone = {
            "request_id": [document.request_id, None],
            "kind": [document.kind, None],
            "label": [document.label, None],
        }
        _record("removed", document, document.request, actor, now, gone)
    quota.delete_documents(requests[0].organisation_id, ordered)
    for req in requests:
        _saved(req, now)


def open_kinds(req: Request) -> frozenset[str]:
    """Kinds that may be added and removed now; "other" is one wherever all kinds are open."""
    kinds = completeness.open_document_kinds(req)
    is_wholly_open = req.status == Status.DRAFT or (
        req.status == Status.RETURNED and not completeness.remarks(req)
    )
    return kinds | {OTHER} if is_wholly_open else kinds


def kinds_for(req: Request) -> list[tuple[str, str, bool]]:
    """(code, name in the page's language, required) of the kinds that belong to the request.

    In the definition's order, "other" last.
    """
    specs = versions.for_request(req).documents_for(req.broker_type)
    required = {spec.kind: spec.requires(req.broker_type) for spec in specs if spec.kind != OTHER}
    required[OTHER] = False
    rows = db.session.scalars(sa.select(DocumentKind).where(DocumentKind.code.in_(required)))
    names = {row.code: i18n.in_language(row, "name") for row in rows}
    return [(code, names[code], due) for code, due in required.items() if code in names]


def room_left(req: Request) -> int:
    """How many more documents the request takes."""
    held = db.session.scalar(
        sa.select(sa.func.count()).select_from(Document).where(Document.request_id == req.id)
    )
    return max(0, _settings().upload_max_files - int(held or 0))


def find(document_id: int, actor: Actor) -> Document:
    """Return the document if `actor` may see its request. Raises NotFound for all other ids."""
    found = db.session.scalar(
        sa.select(Document)
        .join(Request, Request.id == Document.request_id)
        .where(Document.id == document_id, permissions.requests_visible_to(actor))
    )
    if found is None:
        raise NotFound
    return found


def download_response(document: Document, actor: Actor) -> Response:
    """Return the file as a download under its label. What staff read is noted (rule 43).

    Raises storage.DamagedFile where the bytes are not those that were checked.
    """
    data = storage.read(document.storage_key, document.sha256)
    _note_reading(document.id, actor, "file")
    return as_attachment(Response(data, mimetype=document.media_type), _file_name(document))


def preview_response(
    document: Document, page: int, actor: Actor, width: int = PAGE_WIDTH
) -> Response:
    """Return page `page` (from 1) as a picture, `width` pixels wide: one of previews.WIDTHS.

    Raises NotFound for another page or width, storage.DamagedFile; previews.PageNotDrawn,
    TooManyTries, file_process.Busy. Making a picture takes time: the connection to the database
    is given back meanwhile.
    """
    if not 1 <= page <= document.pages or width not in WIDTHS:
        raise NotFound
    document_id, key = document.id, (document.sha256, page, width)
    try:
        picture = previews.cache.get(key)
    except KeyError:
        picture = _draw(document, page, width, actor)
    if width > THUMBNAIL_WIDTH:
        _note_reading(document_id, actor, f"page {page}")
    return as_picture(Response(picture.data, mimetype=picture.media_type))


def _draw(document: Document, page: int, width: int, actor: Actor) -> Picture:
    """Make a picture and remember it, or that it cannot be made."""
    storage_key, sha256, media_type = document.storage_key, document.sha256, document.media_type
    account = f"user:{actor.id}"
    db.session.rollback()  # a read: it only gives the connection back
    receipt = rate_limits.consume("preview_account", account)
    data = storage.read(storage_key, sha256)
    try:
        picture = previews.draw(data, media_type, page, width, account)
    except file_inspection.TooSlow:
        raise
    except file_inspection.Busy:  # what was not even begun does not count
        rate_limits.refund(receipt)
        raise
    previews.cache.put((sha256, page, width), picture)
    if picture is None:
        raise previews.PageNotDrawn
    return picture


def _open_for_change(req: Request, kind: str, actor: Actor) -> None:
    """Lock the request and see that this agent may change documents of `kind` in it now."""
    lock(req)
    if not permissions.can_see_request(actor, req):
        raise NotFound
    refusal = permissions.acts_for(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if req.status not in {Status.DRAFT, Status.RETURNED}:
        raise ClosedNow(
            _l("This request was sent; its documents can be changed when it is returned.")
        )
    if kind not in open_kinds(req):
        raise ClosedNow(
            _l("Documents of this kind are not open now. Choose one of the kinds listed.")
        )


def _open_again(found: Sequence[Document], actor: Actor) -> list[Document]:
    """Lock the requests of these documents and read both afresh, as this agent may change them.

    What was removed while this waited for the lock is left out. Raises: ClosedNow when that is all.
    """
    ids = [key for document in found for key in sa.inspect(document).identity or ()]
    these = sa.select(Document).where(Document.id.in_(ids))
    lock_many(set(db.session.scalars(these.with_only_columns(Document.request_id))))
    documents = db.session.scalars(
        these.order_by(Document.request_id, Document.id).execution_options(populate_existing=True)
    ).all()
    if not documents:
        raise ClosedNow(_l("This document has just been removed by somebody else."))
    for document in documents:
        _open_for_change(document.request, document.kind, actor)
        if document.is_locked:
            raise ClosedNow(_l("This document belongs to what was sent and stays as it is."))
    return list(documents)


def _add(
    req: Request, checked: Checked, kind: str, label: str, actor: Actor, now: datetime
) -> Document:
    document = Document(
        request_id=req.id,
        kind=kind,
        label=file_label(label or checked.label),
        media_type=checked.media_type,
        size=checked.size,
        sha256=checked.sha256,
        storage_key=checked.storage_key,
        pages=checked.pages,
        uploaded_by_id=actor.id,
        uploaded_at=now,
    )
    db.session.add(document)
    storage.follow(document)
    _saved(req, now)
    kept = {
        "request_id": [None, req.id],
        "kind": [None, kind],
        "label": [None, document.label],
        "sha256": [None, checked.sha256],
    }
    _record("added", document, req, actor, now, kept)
    return document


def _saved(req: Request, now: datetime) -> None:
    req.saved_at = now
    db.session.flush()
    db.session.expire(req, ["documents"])


def _record(
    verb: str,
    document: Document,
    req: Request,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any],
) -> None:
    audit.record(
        f"request:document:{verb}",
        obj=document,
        actor_id=actor.id,
        at=now,
        organisation_id=req.organisation_id,
        # Events stay for ever and a draft need not: what they point at could not be discarded.
        request_id=None if req.status == Status.DRAFT else req.id,
        changes=changes,
    )


def _note_reading(document_id: int, actor: Actor, what: str) -> None:
    if actor.is_staff:
        audit.access(
            "document:read",
            user_id=actor.user_id,
            object_type="document",
            object_id=str(document_id),
            result="read",
            detail=what,
        )


def _file_name(document: Document) -> str:
    """The label with the ending of the file's true type."""
    if ENDINGS.get(document.label.rpartition(".")[2].lower()) == document.media_type:
        return document.label
    ending = next(key for key, kind in ENDINGS.items() if kind == document.media_type)
    return f"{document.label}.{ending}"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
