"""Documents of a request: check, attach, rename, remove, preview and download.

Call `check_upload` before the transaction, since it stores the file; the rest flushes and the
caller commits. A stored file that no committed transaction attaches is removed automatically.
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
from clearance.core import audit, legal_holds
from clearance.core.actor import Actor
from clearance.core.errors import ClosedNow, NotFound, PermissionDenied
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.core.values import file_label
from clearance.files import file_inspection, previews, quota, storage
from clearance.files.previews import PAGE_WIDTH, THUMBNAIL_WIDTH, WIDTHS, Picture
from clearance.files.quota import DocumentRefused
from clearance.files.validation import ENDINGS, MADE_SMALLER, PDF, BadFile, clean_file, kind_by_name
from clearance.models import Document, Request
from clearance.models.enums import Status
from clearance.requests import completeness, remarks
from clearance.requests.field_values import visible
from clearance.requests.locking import lock, lock_many
from clearance.services import versions
from clearance.services.document_kinds import kind_names
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
    "full_kinds",
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
    """An uploaded file that passed the checks and is stored. label: its original name."""

    label: str
    media_type: str
    size: int
    sha256: str
    pages: int
    storage_key: str


def check_upload(filename: str, stream: BinaryIO, account: str = "") -> Checked:
    """Check an uploaded file and store it. May take seconds: call it before the first query.

    filename: as the browser sent it. account: see `file_inspection.check_pdf`. Raises: BadFile,
    file_inspection.Busy, storage.StorageUnavailable. Source: security requirements 28-30.
    """
    label, settings = file_label(filename), _settings()
    is_made_smaller = kind_by_name(label) in MADE_SMALLER
    limit = settings.picture_max_bytes if is_made_smaller else settings.upload_max_bytes
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise BadFile(
            _l(
                "This file is larger than %(limit)s MB. Scan it again at a lower quality.",
                limit=limit // (1024 * 1024),
            )
        )
    clean = clean_file(label, data, settings.upload_max_bytes, account)
    stored = storage.put(clean.data, clean.media_type)
    return Checked(label, clean.media_type, stored.size, stored.sha256, clean.pages, stored.key)


def attach(
    req: Request, checked: Checked, kind: str, label: str, actor: Actor, now: datetime
) -> Document:
    """Add a checked file to `req` as a document of `kind`. Flushes.

    label: the agent's name for it, "" for the file's own. Raises: BadFile (a picture is required),
    DocumentRefused (request full, organisation's quota exceeded), ClosedNow (sent, or `kind` is
    not open), PermissionDenied, NotFound. Source: specification section 4, Documents.
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
    """Add one checked file to all `requests` of one organisation, or to none. Flushes.

    It is stored once and counts once against the organisation's quota. Raises as `attach`.
    """
    ordered = sorted(requests, key=lambda req: req.id)  # always lock in the same order
    for req in ordered:
        _open_for_change(req, kind, actor)
    if kind in PICTURE_KINDS and checked.media_type == PDF:
        raise BadFile(_l("This must be an image. Choose a JPEG or PNG file."))
    # This locks the organisation's row, so that `room_left` sees concurrent uploads.
    quota.add_usage(ordered[0].organisation_id, checked.size)
    if any(room_left(req) < 1 for req in ordered):
        raise DocumentRefused(
            _l(
                "This request already has %(limit)d documents. Remove one to add another.",
                limit=_settings().upload_max_files,
            )
        )
    for req in ordered:
        if kind in full_kinds(req):
            raise DocumentRefused(
                _l("This request has enough documents of this type. Remove one to add another.")
            )
    return [_add(req, checked, kind, label, actor, now) for req in ordered]


def rename(document: Document, label: str, actor: Actor, now: datetime) -> None:
    """Rename the document; an empty label changes nothing. Flushes. Raises as `attach`."""
    (document,) = _open_again([document], actor)
    req = document.request
    before, after = document.label, file_label(label) if label.strip() else document.label
    if before != after:
        document.label = after
        _saved(req, now)
        _record("renamed", document, req, actor, now, {"label": [before, after]})


def remove(document: Document, actor: Actor, now: datetime) -> None:
    """Remove the document; its file is deleted on commit. Flushes. Raises as `attach`."""
    remove_all([document], actor, now)


def remove_all(found: Sequence[Document], actor: Actor, now: datetime) -> None:
    """Remove documents of one organisation, all or none. Flushes. Raises as `attach`.

    A file shared by several documents is kept until the last one is removed. Those of a request
    under a legal hold stay (ClosedNow).
    """
    ordered = _open_again(found, actor)
    requests = list(dict.fromkeys(document.request for document in ordered))
    if any(legal_holds.protects(req) for req in requests):
        raise ClosedNow(_l("This document cannot be removed now. Ask the office why."))
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
    """Return the kinds that may be added and removed now; "other" only if all kinds are open."""
    kinds = completeness.open_document_kinds(req)
    is_wholly_open = req.status == Status.DRAFT or (
        req.status == Status.RETURNED and not remarks.unsettled(req)
    )
    return kinds | {OTHER} if is_wholly_open else kinds


def kinds_for(req: Request) -> list[tuple[str, str, bool]]:
    """Return (code, name in the page's language, required) of the request's document kinds.

    They are in the definition's order, "other" last.
    """
    shown = visible(req)
    specs = versions.for_request(req).documents_for(shown)
    required = {spec.kind: spec.required for spec in specs if spec.kind != OTHER}
    required[OTHER] = False
    names = kind_names()
    return [(code, names[code], due) for code, due in required.items() if code in names]


def full_kinds(req: Request) -> frozenset[str]:
    """Return the kinds of which the request has as many documents as its service takes."""
    limits = {spec.kind: spec.most for spec in versions.for_request(req).documents if spec.most}
    if not limits:
        return frozenset()
    held = db.session.execute(
        sa.select(Document.kind, sa.func.count())
        .where(Document.request_id == req.id, Document.kind.in_(limits))
        .group_by(Document.kind)
    )
    return frozenset(kind for kind, count in held if count >= limits[kind])


def room_left(req: Request) -> int:
    """Return how many more documents the request may have."""
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
    """Return the file as a download under its label; readers but its uploader are recorded.

    Source: security rule 43.
    Raises: storage.DamagedFile if the stored bytes have changed.
    """
    data = storage.read(document.storage_key, document.sha256)
    _note_reading(document.id, document.uploaded_by_id, actor, "file")
    return as_attachment(Response(data, mimetype=document.media_type), _file_name(document))


def preview_response(
    document: Document, page: int, actor: Actor, width: int = PAGE_WIDTH
) -> Response:
    """Return page `page` (from 1) as a picture, `width` pixels wide: one of previews.WIDTHS.

    Releases the database connection while drawing. Raises: NotFound for another page or width,
    storage.DamagedFile, previews.PageNotDrawn, TooManyTries, file_inspection.Busy.
    """
    if not 1 <= page <= document.pages or width not in WIDTHS:
        raise NotFound
    document_id, uploaded_by_id = document.id, document.uploaded_by_id
    key = (document.sha256, page, width)
    try:
        picture = previews.cache.get(key)
    except KeyError:
        picture = _draw(document, page, width, actor)
    if width > THUMBNAIL_WIDTH:
        _note_reading(document_id, uploaded_by_id, actor, f"page {page}")
    return as_picture(Response(picture.data, mimetype=picture.media_type))


def _draw(document: Document, page: int, width: int, actor: Actor) -> Picture:
    """Draw a page and cache the picture, or the fact that it cannot be drawn."""
    storage_key, sha256, media_type = document.storage_key, document.sha256, document.media_type
    account = f"user:{actor.id}"
    db.session.rollback()  # nothing was written: this only releases the connection
    receipt = rate_limits.consume("preview_account", account)
    data = storage.read(storage_key, sha256)
    try:
        picture = previews.draw(data, media_type, page, width, account)
    except file_inspection.TooSlow:
        raise
    except file_inspection.Busy:  # drawing never started
        rate_limits.refund(receipt)
        raise
    previews.cache.put((sha256, page, width), picture)
    if picture is None:
        raise previews.PageNotDrawn
    return picture


def _open_for_change(req: Request, kind: str, actor: Actor) -> None:
    """Lock the request and check that the actor may change its documents of `kind` now."""
    lock(req)
    if not permissions.can_see_request(actor, req):
        raise NotFound
    refusal = permissions.acts_for(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if req.status not in {Status.DRAFT, Status.RETURNED}:
        raise ClosedNow(
            _l(
                "This request was sent. You can change its documents if the office asks for "
                "corrections."
            )
        )
    if kind not in open_kinds(req):
        raise ClosedNow(
            _l("You cannot add documents of this type now. Choose one of the types listed.")
        )


def _open_again(found: Sequence[Document], actor: Actor) -> list[Document]:
    """Lock and reload the documents' requests, then the documents; check that both are open.

    Skips documents removed while waiting for the lock. Raises: ClosedNow if none is left.
    """
    ids = [key for document in found for key in sa.inspect(document).identity or ()]
    these = sa.select(Document).where(Document.id.in_(ids))
    lock_many(set(db.session.scalars(these.with_only_columns(Document.request_id))))
    documents = db.session.scalars(
        these.order_by(Document.request_id, Document.id).execution_options(populate_existing=True)
    ).all()
    if not documents:
        raise ClosedNow(_l("This document has just been removed."))
    for document in documents:
        _open_for_change(document.request, document.kind, actor)
        if document.is_locked:
            raise ClosedNow(_l("This document was sent with the request and cannot be changed."))
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
        # Events are permanent: a draft that they referenced could not be discarded.
        request_id=None if req.status == Status.DRAFT else req.id,
        changes=changes,
    )


def _note_reading(document_id: int, uploaded_by_id: int, actor: Actor, what: str) -> None:
    if actor.id != uploaded_by_id:
        audit.access(
            "document:read",
            user_id=actor.user_id,
            object_type="document",
            object_id=str(document_id),
            result="read",
            detail=what,
        )


def _file_name(document: Document) -> str:
    """Return the label with the extension of the file's actual type."""
    if ENDINGS.get(document.label.rpartition(".")[2].lower()) == document.media_type:
        return document.label
    ending = next(key for key, kind in ENDINGS.items() if kind == document.media_type)
    return f"{document.label}.{ending}"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
