"""Files in a folder: `<key>/file`, private to this user and synced to disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import structlog

from clearance.core.settings import BadSettings
from clearance.files.stores import PART_BYTES

log = structlog.get_logger("clearance.files")


class Folder:
    """A folder as a store; `stores.Store` says what its methods do.

    url: file:///an/absolute/path; the folder is made. Raises: BadSettings.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
            raise BadSettings(
                "STORAGE_URL must name a folder, such as file:///srv/clearance/files, or a bucket, "
                "such as s3://clearance/files."
            )
        self.path = Path(unquote(parts.path))
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise BadSettings(
                f"STORAGE_URL: the folder cannot be made ({fault.strerror})."
            ) from fault

    def put(self, key: str, content: BinaryIO, media_type: str, *, is_settled: bool = True) -> None:
        """Write the file into a folder of its own."""
        folder = self.path / key
        folder.mkdir(exist_ok=True)
        content.seek(0)
        with (folder / "file").open("wb") as stream:
            shutil.copyfileobj(content, stream, PART_BYTES)
        # Releases before 1.1 read files by a library that needs this.
        about = json.dumps({"content_type": media_type})
        (folder / "metadata.json").write_text(about, encoding="utf-8")
        if is_settled:
            for path in (folder / "file", folder / "metadata.json", folder, self.path):
                sync_to_disk(path)

    def settle(self) -> None:
        """Write to disk whatever the system still holds."""
        os.sync()

    def open(self, key: str) -> BinaryIO:
        """Return the file."""
        return (self.path / key / "file").open("rb")

    def delete(self, key: str) -> None:
        """Remove the folder of a file, or a file of lines."""
        if (self.path / key).is_dir():
            shutil.rmtree(self.path / key, ignore_errors=True)
        else:
            (self.path / key).unlink(missing_ok=True)

    def files(self) -> Iterator[tuple[str, datetime]]:
        """An interrupted file has its folder, so it is found too."""
        for entry in os.scandir(self.path):
            try:
                since = entry.stat().st_mtime
            except FileNotFoundError:  # removed by another process
                continue
            yield entry.name, datetime.fromtimestamp(since, UTC)

    def append(self, name: str, line: str) -> None:
        """Add the line and sync it."""
        with (self.path / name).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
            stream.flush()
            os.fsync(stream.fileno())

    def lines(self, name: str) -> list[str]:
        """Return the lines of the file."""
        try:
            return (self.path / name).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def is_ready(self) -> bool:
        """Write a file that has no name."""
        return takes_files(self.path)

    def keeps_conditions(self) -> bool:
        """Return True: nothing is overwritten here."""
        return True

    def is_public(self) -> bool:
        """Return False: the rights of the folders above decide, which only the operator knows."""
        return False


def takes_files(folder: Path) -> bool:
    """Return whether a file can be written there; tries it, to detect a full disk."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\1" * PART_BYTES)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as fault:
        log.error("folder_takes_no_files", folder=str(folder), fault=fault.strerror)
        return False
    return True


def sync_to_disk(path: Path) -> None:
    """Write a file, or the names of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
