"""File storage: store, read with verification, delete, and sweep orphans.

A file is stored before its row is committed. Files that no committed row claims are removed when
the application context ends; leftovers of killed processes are swept later.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, Protocol, cast

import sqlalchemy as sa
import structlog
from flask import Flask, current_app, g, has_app_context
from flask_babel import lazy_gettext as _l
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance.core import holds, metrics
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, ServiceUnavailable
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files.folder import Folder
from clearance.files.stores import PROBE, Store, measure
from clearance.models import DataCopy, Document, IssuedDocument, ListExport

log = structlog.get_logger("clearance.files")

ORPHAN_AGE = timedelta(hours=24)
_FOLLOWED = "clearance_followed_files"
_KEYS_AT_ONCE = 500
_IN_MEMORY_BYTES = 1024 * 1024
KEEPERS: Final = (Document, IssuedDocument, DataCopy, ListExport)


class StorageUnavailable(ServiceUnavailable):
    """The storage cannot be reached, is full, or does not keep what it acknowledges."""

    message = _l("Files cannot be saved or opened right now. Nothing was lost. Try again shortly.")


class DamagedFile(DomainError):
    """A stored file is missing or its bytes have changed."""

    status_code = 500
    message = _l("This file is missing or damaged in the archive. Please tell support.")


@dataclass(frozen=True)
class Stored:
    """A stored file. size: bytes. sha256: of the bytes, hexadecimal."""

    key: str
    size: int
    sha256: str


class KeepsFile(Protocol):
    """A row that refers to a stored file."""

    @property
    def storage_key(self) -> str | None:
        """Key of the file, or None if there is none yet."""


def init_app(app: Flask) -> None:
    """Open the storage at `STORAGE_URL`. Raises BadSettings unless it is a folder or a bucket."""
    settings: Settings = app.extensions["settings"]
    app.extensions["storage"] = store_at(settings.storage_url, settings)
    app.teardown_appcontext(_discard_unclaimed)
    if not event.contains(Session, "after_commit", _settle_followed):
        event.listen(Session, "after_commit", _settle_followed)
        event.listen(Session, "after_rollback", _forget_followed)


def store_at(url: str, settings: Settings) -> Store:
    """Return the folder or bucket at a URL like STORAGE_URL. Raises: BadSettings."""
    if url.startswith("s3://"):
        # Loading boto3 takes time and memory that a folder need not pay.
        from clearance.files.s3 import Bucket

        return Bucket(url, settings)
    return Folder(url)


def put(content: bytes | BinaryIO, media_type: str) -> Stored:
    """Store `content` under a new key; it is removed again unless a committed row claims it.

    content: bytes, or a stream of any size, read in parts from its beginning. media_type: stored
    with the file. Call it outside a transaction. Raises StorageUnavailable; then nothing is stored
    that anybody could find.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    sha256, key = hashlib.sha256(), str(uuid.uuid4())
    size = measure(stream, sha256)
    with _reported("file_not_stored", key):
        _store().put(key, stream, media_type)
    g.setdefault("unclaimed_files", set()).add(key)
    return Stored(key, size, sha256.hexdigest())


def open_checked(key: str, sha256: str) -> BinaryIO:
    """Open a file of any size after verifying its hash; the caller closes it.

    Raises DamagedFile if the bytes differ or the file is missing; StorageUnavailable. Source:
    security requirement 30.
    """
    stream = open(key)
    try:
        found = hashlib.sha256()
        with _unreadable(key):
            measure(stream, found)
        if found.hexdigest() != sha256:
            raise _damaged("file_changed", key)
    except BaseException:
        stream.close()
        raise
    return stream


def open(key: str) -> BinaryIO:
    """Open the file for reading. Raises DamagedFile if it is missing; StorageUnavailable."""
    if not _is_key(key):
        raise _damaged("file_missing", key)
    with _reported("file_unreadable", key):
        try:
            return _store().open(key)
        except FileNotFoundError as fault:
            raise _damaged("file_missing", key) from fault


def read(key: str, sha256: str) -> bytes:
    """Return the file's bytes after verifying the hash from its row.

    Raises DamagedFile if they differ or the file is missing; StorageUnavailable. Source: security
    requirement 30.
    """
    with open_checked(key, sha256) as stream, _unreadable(key):
        return stream.read()


def delete(key: str) -> bool:
    """Remove the file at once, if it exists. For files of rows use `follow` instead.

    Returns whether that worked; if not, the sweep tries again.
    """
    try:
        _store().delete(key)
    except OSError as fault:
        log.warning("file_not_deleted", key=key, fault=str(fault))
        metrics.add(metrics.STORAGE_ERRORS, "unavailable")
        return False
    return True


def follow(row: KeepsFile) -> None:
    """Keep or remove the row's file when the transaction commits.

    It is kept if the row exists then, and removed if the row was deleted and no other row refers to
    the same file. A rollback, also of a savepoint, changes nothing.
    """
    db.session.info.setdefault(_FOLLOWED, []).append(row)


def put_back(key: str, content: Iterable[bytes], media_type: str) -> None:
    """Store a file of a backup under the key that rows know it by. Raises: StorageUnavailable.

    It is not removed when the application context ends. Call `settle` after the last one. Raises
    ValueError for what is no key: it would be a path.
    """
    if not _is_key(key):
        raise ValueError("not a key of a stored file")
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as stream, _reported("file_not_stored", key):
        stream.writelines(content)
        _store().put(key, cast(BinaryIO, stream), media_type, is_settled=False)


def settle() -> None:
    """Make sure that files put back outlast a power failure."""
    _store().settle()


def is_empty() -> bool:
    """Return whether nothing is stored, neither files nor lines. Raises: StorageUnavailable."""
    with _reported("files_not_listed"):
        return not any(name != PROBE for name, _since in _store().files())


def clear(*, last: str) -> None:
    """Remove everything that is stored, the file of that name at the end.

    For a restore that did not succeed. Raises: StorageUnavailable.
    """
    with _reported("files_not_listed"):
        names = {name for name, _since in _store().files()}
    for name in (*(names - {last}), last):
        delete(name)


def referred(names: Collection[str]) -> sa.Select[Any]:
    """Return the query of key and SHA-256 of every file that a row refers to, by key.

    names: the tables that exist; a backup may be of an older schema.
    """
    columns = [
        sa.select(model.storage_key, model.sha256).where(model.storage_key.is_not(None))
        for model in KEEPERS
        if model.__tablename__ in names
    ]
    every = sa.union(*columns).subquery()
    return sa.select(every.c.storage_key, every.c.sha256).order_by(every.c.storage_key)


def keys() -> Iterator[str]:
    """Yield the keys of all stored files, in no order."""
    return (name for name, _since in _store().files() if _is_key(name))


def append(name: str, line: str) -> None:
    """Add a line to a file that the portal keeps beside those of rows; it is on disk afterwards.

    Raises: StorageUnavailable.
    """
    with _reported("line_not_stored", name):
        _store().append(name, line)


def lines(name: str) -> list[str]:
    """Return the lines of such a file, none before the first. Raises: StorageUnavailable."""
    with _reported("lines_unreadable", name):
        return _store().lines(name)


def keep(key: str) -> None:
    """Claim a stored file for a row that was committed separately."""
    g.get("unclaimed_files", set()).discard(key)


def disks() -> dict[str, Path]:
    """Return the folders on this machine that can fill: of the files, and of SQLite's database."""
    store, found = _store(), {}
    if isinstance(store, Folder):
        found["files"] = store.path
    if db.engine.dialect.name == "sqlite":
        found["database"] = Path(str(db.engine.url.database)).parent
    return {name: folder for name, folder in found.items() if folder.is_dir()}


def is_ready() -> bool:
    """Return whether files can be stored now (for /readyz)."""
    try:
        is_ready = _store().is_ready()
    except OSError as fault:
        log.error("storage_takes_no_files", fault=str(fault))
        is_ready = False
    if not is_ready:  # counted, so that an idle portal raises the alarm too
        metrics.add(metrics.STORAGE_ERRORS, "unavailable")
    return is_ready


def keeps_conditions() -> bool:
    """Return whether processes that add lines at once lose none (for doctor). Raises: OSError."""
    return _store().keeps_conditions()


def is_public() -> bool:
    """Return whether strangers can read the files (for doctor)."""
    return _store().is_public()


def sweep_orphans(now: datetime, older_than: timedelta = ORPHAN_AGE) -> int:
    """Remove files that no row refers to; return how many.

    older_than: rows of younger files may not be committed yet. Uses transactions of its own.
    """
    swept = 0
    files = _store().files()
    old = (name for name, since in files if _is_key(name) and now - since > older_than)
    with _reported("files_not_listed"):
        while chosen := list(islice(old, _KEYS_AT_ONCE)):
            orphans = set(chosen) - _told_of(chosen)
            if holds.is_active(holds.FILE_REMOVAL, now):
                break  # a backup that began meanwhile may know rows that are gone
            swept += sum(map(delete, orphans))
    if swept:
        log.info("orphan_files_swept", count=swept)
    return swept


@contextmanager
def _reported(what: str, key: str = "") -> Iterator[None]:
    """Log and count a fault of the storage, and raise StorageUnavailable."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as fault:
        log.error(what, key=key, exc_info=fault)
        metrics.add(metrics.STORAGE_ERRORS, "unavailable")
        raise StorageUnavailable from fault


@contextmanager
def _unreadable(key: str) -> Iterator[None]:
    """Take a fault while reading what was opened for damage."""
    try:
        yield
    except OSError as fault:
        raise _damaged("file_unreadable", key) from fault


def _damaged(what: str, key: str) -> DamagedFile:
    log.error(what, key=key)
    metrics.add(metrics.STORAGE_ERRORS, "damaged")
    return DamagedFile()


def _told_of(chosen: list[str]) -> set[str | None]:
    with own_transaction(write=False) as connection:
        return {
            key
            for column in (model.storage_key for model in KEEPERS)
            for key in connection.scalars(sa.select(column).where(column.in_(chosen)))
        }


def _is_key(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _store() -> Store:
    store: Store = current_app.extensions["storage"]
    return store


def _settle_followed(session: Session) -> None:
    if session.in_nested_transaction():  # releasing a savepoint commits nothing
        return
    kept, deleted = set(), set()
    for row in session.info.pop(_FOLLOWED, []):
        state = sa.inspect(row)
        if state.was_deleted and row.storage_key is not None:
            deleted.add(row.storage_key)
        elif state.persistent:
            kept.add(row.storage_key)
    if kept and has_app_context():
        g.get("unclaimed_files", set()).difference_update(kept)
    for key in _told_by_none(deleted - kept):
        delete(key)


def _told_by_none(chosen: set[str]) -> set[str]:
    """Return those files that no committed row refers to any more; none if that is unknown."""
    try:
        if not chosen or holds.is_active(holds.FILE_REMOVAL, utc_now()):
            return set()  # the sweep removes them after the backup
        return chosen - _told_of(list(chosen))
    except sa.exc.SQLAlchemyError as fault:
        # The commit is done; the sweep removes the files once the database answers again.
        log.warning("files_left_to_the_sweep", count=len(chosen), exc_info=fault)
        return set()


def _forget_followed(session: Session) -> None:
    if session.in_nested_transaction():  # rows from before the savepoint are still pending
        return
    session.info.pop(_FOLLOWED, None)


def _discard_unclaimed(error: BaseException | None) -> None:
    for key in g.pop("unclaimed_files", ()):
        delete(key)
