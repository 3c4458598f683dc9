"""File storage: store, read with verification, delete, and sweep orphans.

A file is stored before its row is committed. Files that no committed row claims are removed when
the application context ends; leftovers of killed processes are swept later.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
import structlog
from depot.io.local import LocalFileStorage
from flask import Flask, current_app, g, has_app_context
from flask_babel import lazy_gettext as _l
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance.core import holds
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, ServiceUnavailable
from clearance.core.extensions import db
from clearance.core.settings import BadSettings, Settings
from clearance.models import DataCopy, Document, IssuedDocument, ListExport

log = structlog.get_logger("clearance.files")

ORPHAN_AGE = timedelta(hours=24)
_FOLLOWED = "clearance_followed_files"
_KEYS_AT_ONCE = 500
_PART = 256 * 1024
_KEEPERS = (Document, IssuedDocument, DataCopy, ListExport)


class StorageUnavailable(ServiceUnavailable):
    """The storage folder cannot be reached or is full."""

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


class Folder(LocalFileStorage):  # type: ignore[misc]  # filedepot has no type hints
    """filedepot's local storage, private to this user and synced to disk."""

    def __init__(self, storage_path: str) -> None:
        Path(storage_path).mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(storage_path)

    def put_back(self, key: str, content: Iterable[bytes], name: str, media_type: str) -> None:
        """Store a file under the key that it has; it is on disk after `settle`."""
        folder = Path(self.storage_path, key)
        folder.mkdir()
        with (folder / "file").open("wb") as stream:
            stream.writelines(content)
            size = stream.tell()
        about = {
            "filename": name,
            "content_type": media_type,
            "content_length": size,
            "last_modified": f"{utc_now():%Y-%m-%d %H:%M:%S}",
        }
        (folder / "metadata.json").write_text(json.dumps(about), encoding="utf-8")

    def settle(self) -> None:
        """Write to disk whatever was put back: at once, where each alone would take hours."""
        os.sync()

    def create(self, content: Any, filename: Any = None, content_type: Any = None) -> str:
        """Store the file and sync it to disk, as the database does with its rows."""
        key = str(super().create(content, filename, content_type))
        folder = Path(self.storage_path, key)
        for path in (folder / "file", folder / "metadata.json", folder, folder.parent):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return key

    def stored_at(self, key: str) -> datetime:
        """Return when the file was stored, even if storing was interrupted."""
        return datetime.fromtimestamp(Path(self.storage_path, key).stat().st_mtime, UTC)


def init_app(app: Flask) -> None:
    """Open the storage at `STORAGE_URL`. Raises BadSettings unless it is a usable folder."""
    settings: Settings = app.extensions["settings"]
    try:
        app.extensions["storage"] = Folder(_folder_of(settings.storage_url))
    except OSError as fault:
        raise BadSettings(f"STORAGE_URL: the folder cannot be made ({fault.strerror}).") from fault
    app.teardown_appcontext(_discard_unclaimed)
    if not event.contains(Session, "after_commit", _settle_followed):
        event.listen(Session, "after_commit", _settle_followed)
        event.listen(Session, "after_rollback", _forget_followed)


def put(content: bytes | BinaryIO, media_type: str) -> Stored:
    """Store `content` under a new key; it is removed again unless a committed row claims it.

    content: bytes, or a stream, read to its end. media_type: stored with the file. Call it
    outside a transaction. Raises StorageUnavailable.
    """
    data = content if isinstance(content, bytes) else content.read()
    key = _create(data, "document", media_type)
    return Stored(key, len(data), hashlib.sha256(data).hexdigest())


def put_large(content: BinaryIO, media_type: str) -> Stored:
    """Store a file of any size like `put`, reading it in parts from its beginning."""
    content.seek(0)
    sha256, size = _measured(content)
    content.seek(0)
    return Stored(_create(content, "archive", media_type), size, sha256)


def open_checked(key: str, sha256: str) -> BinaryIO:
    """Open a file of any size after verifying its hash; the caller closes it.

    Raises DamagedFile if the bytes differ or the file is missing. Source: security requirement 30.
    """
    with open(key) as stream:
        try:
            found, _size = _measured(stream)
        except OSError as fault:
            log.error("file_unreadable", key=key)
            raise DamagedFile from fault
    if found != sha256:
        log.error("file_changed", key=key)
        raise DamagedFile
    return open(key)


def open(key: str) -> BinaryIO:
    """Open the file for reading. Raises DamagedFile if it is missing."""
    try:
        stream: BinaryIO = _depot().get(key)
    except (OSError, ValueError) as fault:
        log.error("file_missing", key=key)
        raise DamagedFile from fault
    return stream


def read(key: str, sha256: str) -> bytes:
    """Return the file's bytes after verifying the hash from its row.

    Raises DamagedFile if they differ or the file is missing. Source: security requirement 30.
    """
    with open(key) as stream:
        try:
            data = stream.read()
        except OSError as fault:
            log.error("file_unreadable", key=key)
            raise DamagedFile from fault
    if hashlib.sha256(data).hexdigest() != sha256:
        log.error("file_changed", key=key)
        raise DamagedFile
    return data


def delete(key: str) -> None:
    """Remove the file at once, if it exists. For files of rows use `follow` instead."""
    _depot().delete(key)


def follow(row: KeepsFile) -> None:
    """Keep or remove the row's file when the transaction commits.

    It is kept if the row exists then, and removed if the row was deleted and no other row refers to
    the same file. A rollback, also of a savepoint, changes nothing.
    """
    db.session.info.setdefault(_FOLLOWED, []).append(row)


def put_back(key: str, content: Iterable[bytes], name: str, media_type: str) -> None:
    """Store a file of a backup under the key that rows know it by. Raises: StorageUnavailable.

    It is not removed when the application context ends. Call `settle` after the last one.
    """
    try:
        _depot().put_back(key, content, name, media_type)
    except OSError as fault:
        log.error("file_not_stored", exc_info=fault)
        raise StorageUnavailable from fault


def settle() -> None:
    """Make sure that files put back outlast a power failure."""
    _depot().settle()


def is_empty() -> bool:
    """Return whether nothing is stored, neither files nor lines."""
    return not any(_depot().list())


def clear() -> None:
    """Remove everything that is stored: for a restore that did not succeed."""
    for key in keys():
        delete(key)
    for path in Path(_depot().storage_path).iterdir():
        if path.is_file():
            path.unlink()


def referred(names: Collection[str]) -> sa.Select[Any]:
    """Return the query of key and SHA-256 of every file that a row refers to, by key.

    names: the tables that exist; a backup may be of an older schema.
    """
    columns = [
        sa.select(model.storage_key, model.sha256).where(model.storage_key.is_not(None))
        for model in _KEEPERS
        if model.__tablename__ in names
    ]
    every = sa.union(*columns).subquery()
    return sa.select(every.c.storage_key, every.c.sha256).order_by(every.c.storage_key)


def keys() -> Iterator[str]:
    """Yield the keys of all stored files, in no order."""
    for key in _depot().list():
        if _is_key(key):
            yield key


def append(name: str, line: str) -> None:
    """Add a line to a file that the portal keeps beside those of rows; it is on disk afterwards.

    Raises: StorageUnavailable.
    """
    try:
        with Path(_depot().storage_path, name).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as fault:
        log.error("line_not_stored", file=name, exc_info=fault)
        raise StorageUnavailable from fault


def lines(name: str) -> list[str]:
    """Return the lines of such a file, none before the first. Raises: StorageUnavailable."""
    try:
        return Path(_depot().storage_path, name).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as fault:
        log.error("lines_unreadable", file=name, exc_info=fault)
        raise StorageUnavailable from fault


def keep(key: str) -> None:
    """Claim a stored file for a row that was committed separately."""
    g.get("unclaimed_files", set()).discard(key)


def is_ready() -> bool:
    """Return whether files can be stored now (for /readyz)."""
    return takes_files(Path(_depot().storage_path))


def takes_files(folder: Path) -> bool:
    """Return whether a file can be written there; tries it, to detect a full disk."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\1" * _PART)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as fault:
        log.error("folder_takes_no_files", folder=str(folder), fault=fault.strerror)
        return False
    return True


def sweep_orphans(now: datetime, older_than: timedelta = ORPHAN_AGE) -> int:
    """Remove files that no row refers to; return how many.

    older_than: rows of younger files may not be committed yet. Uses transactions of its own.
    """
    swept = 0
    old = [key for key in keys() if _age(key, now) > older_than]
    for start in range(0, len(old), _KEYS_AT_ONCE):
        chosen = old[start : start + _KEYS_AT_ONCE]
        orphans = set(chosen) - _told_of(chosen)
        if holds.is_active(holds.FILE_REMOVAL, now):
            break  # a backup that began meanwhile may know rows that are gone
        for key in orphans:
            delete(key)
            swept += 1
    if swept:
        log.info("orphan_files_swept", count=swept)
    return swept


def _measured(stream: BinaryIO) -> tuple[str, int]:
    """Return (SHA-256, size) of the rest of the stream."""
    digest, size = hashlib.sha256(), 0
    while part := stream.read(_PART):
        digest.update(part)
        size += len(part)
    return digest.hexdigest(), size


def _create(content: bytes | BinaryIO, name: str, media_type: str) -> str:
    """Store the content and return its key. Raises: StorageUnavailable."""
    try:
        key = _depot().create(content, name, media_type)
    except OSError as fault:
        log.error("file_not_stored", exc_info=fault)
        raise StorageUnavailable from fault
    g.setdefault("unclaimed_files", set()).add(key)
    return key


def _told_of(chosen: list[str]) -> set[str | None]:
    with own_transaction(write=False) as connection:
        return {
            key
            for column in (model.storage_key for model in _KEEPERS)
            for key in connection.scalars(sa.select(column).where(column.in_(chosen)))
        }


def _age(key: str, now: datetime) -> timedelta:
    try:
        return now - _depot().stored_at(key)
    except FileNotFoundError:  # removed by another process
        return timedelta(0)


def _is_key(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def _depot() -> Folder:
    depot: Folder = current_app.extensions["storage"]
    return depot


def _folder_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise BadSettings("STORAGE_URL must name a folder, such as file:///srv/clearance/files.")
    return unquote(parts.path)


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
