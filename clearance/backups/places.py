"""Where entries are kept: a folder, or a bucket. An entry has its name only once it is whole.

Until then it is an unfinished file, on which its writer holds a lock: without one, its writer was
killed, and the next run removes it. In a bucket it is an upload that was not completed.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flask import current_app

from clearance.backups.errors import BackupError
from clearance.core.settings import BadSettings
from clearance.files import s3_large
from clearance.files.folder import sync_to_disk
from clearance.files.s3 import Bucket

_FORM = "clearance-%Y%m%dT%H%M%SZ"
_S3 = "s3://"
_LONGEST = timedelta(days=1)  # of an upload
UNFINISHED = ".unfinished-"


class Place(Protocol):
    """A place for entries."""

    def entries(self) -> dict[datetime, str]:
        """Return the whole entries: when each was begun → its name."""

    def address(self, name: str) -> str:
        """Return what `locate` finds the entry by."""

    def create(self) -> Draft:
        """Begin an entry. Raises: OSError."""

    def open(self, name: str) -> BinaryIO:
        """Open an entry for reading from its beginning. Raises: OSError."""

    def remove(self, name: str) -> None:
        """Remove an entry."""

    def remove_unfinished(self) -> int:
        """Remove what killed runs left; returns how many."""


class Draft(Protocol):
    """An entry that is being written. `discard` follows unless `publish` did."""

    name: str
    stream: BinaryIO

    def reopen(self) -> BinaryIO:
        """Finish writing, and open it for reading."""

    def publish(self) -> None:
        """Give the entry its name; it is on disk then."""

    def discard(self) -> None:
        """Remove what was written."""


class Folder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> dict[datetime, str]:
        """Return the whole entries: when each was begun → its name."""
        found = {path.name: begun(path.name) for path in self.path.iterdir() if path.is_file()}
        return {instant: name for name, instant in found.items() if instant is not None}

    def address(self, name: str) -> str:
        """Return the entry's path."""
        return str(self.path / name)

    def create(self) -> Draft:
        """Begin an entry; two that begin within one second get different names."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            name = datetime.now(UTC).strftime(_FORM)
            try:
                return _FolderDraft(self.path, name)
            except FileExistsError:
                time.sleep(0.2)

    def open(self, name: str) -> BinaryIO:
        """Open an entry for reading."""
        return (self.path / name).open("rb")

    def remove(self, name: str) -> None:
        """Remove an entry."""
        (self.path / name).unlink(missing_ok=True)

    def remove_unfinished(self) -> int:
        """Remove what killed runs left; returns how many."""
        return sum(map(remove_if_left, self.path.glob(f"{UNFINISHED}*")))


class _FolderDraft:
    """An unfinished file under a lock."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self._final = name, folder / name
        self._path = folder / f"{UNFINISHED}{name}"
        self.stream = _locked(self._path)
        if self._final.exists():  # asked under the lock: its writer may have finished just now
            self.discard()
            raise FileExistsError(name)

    def reopen(self) -> BinaryIO:
        """Write everything to disk, and open the file for reading."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        return self._path.open("rb")

    def publish(self) -> None:
        """Rename the file; the name is on disk then."""
        os.rename(self._path, self._final)
        sync_to_disk(self._final.parent)
        self.stream.close()

    def discard(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
        self.stream.close()


class InBucket:
    """The part of an S3 bucket below a prefix. url: s3://bucket/prefix."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._bucket = Bucket(self._url, current_app.extensions["settings"])

    def entries(self) -> dict[datetime, str]:
        """Return the whole entries: when each was begun → its name."""
        found = {name: begun(name) for name, _since in self._bucket.files()}
        return {instant: name for name, instant in found.items() if instant is not None}

    def address(self, name: str) -> str:
        """Return the entry's URL."""
        return f"{self._url}/{name}"

    def create(self) -> Draft:
        """Begin an entry; two that begin within one second get different names.

        Each looks after it has begun, so that at least one of two sees the other and gives way.
        """
        while True:
            name = datetime.now(UTC).strftime(_FORM)
            draft = _BucketDraft(self._bucket, name)
            is_alone = s3_large.uploads(self._bucket, name) <= 1  # some servers list none
            if is_alone and name not in self.entries().values():
                return draft
            draft.give_way()
            time.sleep(random.uniform(0.2, 1.2))

    def open(self, name: str) -> BinaryIO:
        """Open an entry for reading."""
        return s3_large.read(self._bucket, name)

    def remove(self, name: str) -> None:
        """Remove an entry."""
        self._bucket.delete(name)

    def remove_unfinished(self) -> int:
        """Remove the parts of uploads that began so long ago that nobody goes on with them."""
        return s3_large.forget_uploads(self._bucket, datetime.now(UTC) - _LONGEST)


class _BucketDraft:
    """An upload in parts. It has to be complete before it can be read."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self.name, self._bucket = name, bucket
        self._upload = s3_large.Upload(bucket, name)
        self.stream = cast(BinaryIO, self._upload)

    def reopen(self) -> BinaryIO:
        """Complete the object, and open it for reading."""
        self._upload.complete()
        return s3_large.read(self._bucket, self.name)

    def publish(self) -> None:
        """Leave the object, which is there already."""

    def discard(self) -> None:
        """Remove the object, or its parts."""
        self._upload.abort()
        self._bucket.delete(self.name)

    def give_way(self) -> None:
        """Remove the parts; an object of that name is another's."""
        self._upload.abort()


def place(address: str) -> Place:
    """Return the place at `address`, a folder or s3://bucket/prefix. Raises: BackupError."""
    if not address.startswith(_S3):
        return Folder(Path(address))
    try:
        return InBucket(address)
    except BadSettings as fault:
        raise BackupError(str(fault).replace("STORAGE_URL", "The destination")) from None


def locate(address: str) -> tuple[Place, str]:
    """Return place and name of an entry. Raises: BackupError if there is none."""
    if address.startswith(_S3):
        url, _slash, name = address.rpartition("/")
        found = place(url)
        if name not in found.entries().values():
            raise BackupError(f"There is no backup at {address}.")
        return found, name
    path = Path(address)
    if path.name.startswith(UNFINISHED):
        raise BackupError("This backup was not finished: its writer was stopped. Take another.")
    if not path.is_file():
        raise BackupError(f"There is no backup at {address}.")
    return Folder(path.parent), path.name


def begun(name: str) -> datetime | None:
    """Return when the entry of that name was begun; None if it is no entry's name."""
    try:
        return datetime.strptime(name, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


@contextmanager
def unfinished_beside(path: Path, name: str) -> Iterator[Path]:
    """Yield the path of a temporary file beside `path`, which is removed afterwards.

    What a killed process left there is removed first.
    """
    for left in path.parent.glob(f"{UNFINISHED}{path.name}*"):
        remove_if_left(left)
    temporary = path.with_name(f"{UNFINISHED}{path.name}-{name}")
    with _locked(temporary):
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def remove_if_left(path: Path) -> bool:
    """Remove an unfinished file unless its writer lives; returns whether."""
    try:
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _locked(path: Path) -> BinaryIO:
    """Make a new file that only this user reads, under a lock until it is closed."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return os.fdopen(descriptor, "w+b")
        os.close(descriptor)  # another run removed it before it was locked
