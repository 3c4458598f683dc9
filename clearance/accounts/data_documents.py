"""Of a copy of somebody's data: the documents they uploaded, and where each stands in the ZIP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import sqlalchemy as sa
import structlog

from clearance.accounts.data_account import ROWS_AT_ONCE
from clearance.accounts.data_zip import Archive
from clearance.core.extensions import db
from clearance.core.values import file_label
from clearance.files import storage
from clearance.models import Document, Request

PART = 256 * 1024
ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
NAME_MAX_BYTES = 180  # what unpacks it allows 255 for the whole name
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')  # some systems unpack no file that has one of them

log = structlog.get_logger("clearance.accounts")


def write_files(archive: Archive, own: sa.ColumnElement[bool]) -> frozenset[int]:
    """Copy the files of the documents `own`; returns the ids of those gone or damaged."""
    damaged = set()
    for document, number in _documents(own):
        try:
            _copy(archive, document, path_of(document, number))
        except storage.DamagedFile:
            damaged.add(document.id)
    return frozenset(damaged)


def listed(own: sa.ColumnElement[bool], damaged: frozenset[int]) -> Iterator[dict[str, Any]]:
    """What is told of each document, and where its file is."""
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
    """Where the file stands in the archive: a folder of its request, its id before its name."""
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
    """The next part. Only reading is answered for here: where to write to may be full."""
    try:
        return stream.read(PART)
    except OSError as fault:
        log.error("file_unreadable", exc_info=fault)
        raise storage.DamagedFile from fault
