"""What the frames of an entry carry: parts with a description, and their bytes in blocks.

A part is its description (length, JSON), then blocks (length, bytes) and an empty block as its end.
Blocks of a part described as packed are compressed one by one. The order of parts is: database,
lines, files, manifest.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clearance.backups.errors import BackupError
from clearance.backups.frames import FrameReader, FrameWriter

BLOCK_BYTES = 256 * 1024
_LEVEL = 1  # of compression: the disk is not much slower
_MOST = 64 * 1024 * 1024
_PACKED_MOST = 2 * BLOCK_BYTES  # of a block before it was packed, which no writer exceeds
_FORM = "The backup is damaged: it does not have the form of a backup."

PARTS = frozenset({"database", "lines", "file", "manifest"})

About = dict[str, Any]


class Tally:
    """What the manifest says of the parts, counted as they are written or read."""

    def __init__(self) -> None:
        self.files = self.bytes = 0
        self._database, self._descriptions = hashlib.sha256(), hashlib.sha256()
        self._digest, self._size = hashlib.sha256(), 0

    def begin(self, about: About) -> None:
        """Begin a part."""
        is_database = about["part"] == "database"
        self._digest = self._database if is_database else hashlib.sha256()
        self._size = 0

    def update(self, piece: bytes) -> None:
        """Count bytes of the part."""
        self._digest.update(piece)
        self._size += len(piece)

    def end(self, about: About) -> None:
        """End a part. Raises: BackupError if a file is not what its hash says."""
        if about["part"] != "file":
            return
        self.files += 1
        self.bytes += self._size
        self._descriptions.update(json.dumps(about, sort_keys=True).encode())
        if self._digest.hexdigest() != about.get("sha256"):
            raise BackupError(f"The stored file {about.get('key')} is not what its row says.")

    def values(self) -> dict[str, Any]:
        """Return the fields of the manifest."""
        return {
            "database_sha256": self._database.hexdigest(),
            "files": self.files,
            "bytes": self.bytes,
            "files_sha256": self._descriptions.hexdigest(),
        }


class ContentWriter:
    """Writes parts, one after the other."""

    def __init__(self, frames: FrameWriter) -> None:
        self._frames = frames
        self.tally = Tally()

    @contextmanager
    def part(self, about: About) -> Iterator[Callable[[bytes], None]]:
        """Begin a part; yields the function that takes its bytes, in pieces of any size.

        Raises: BackupError at its end if a file is not what its hash says.
        """
        pack = _packed if about.get("packed") else bytes
        pending = bytearray()

        def write(data: bytes) -> None:
            self.tally.update(data)
            pending.extend(data)
            if len(pending) >= BLOCK_BYTES:
                self._block(pack(bytes(pending)))
                pending.clear()

        self.tally.begin(about)
        self._block(json.dumps(about).encode())
        yield write
        if pending:
            self._block(pack(bytes(pending)))
        self._block(b"")
        self.tally.end(about)

    def close(self) -> None:
        """End the entry."""
        self._frames.close()

    def _block(self, data: bytes) -> None:
        self._frames.write(len(data).to_bytes(4, "big") + data)


class ContentReader:
    """Reads the parts of an entry. Raises: BackupError as `FrameReader`."""

    def __init__(self, frames: FrameReader) -> None:
        self._frames = frames
        self.tally = Tally()

    def parts(self) -> Iterator[tuple[About, Iterator[bytes]]]:
        """Yield (description, pieces of its bytes) up to the manifest, which is the last part.

        Pieces that were not read are skipped.
        """
        is_last = False
        while not is_last:
            about = self._description()
            self.tally.begin(about)
            pieces = self._pieces(is_packed=bool(about.get("packed")))
            yield about, pieces
            for _rest in pieces:
                pass
            self.tally.end(about)
            is_last = about["part"] == "manifest"
        self._frames.finish()

    def _pieces(self, *, is_packed: bool) -> Iterator[bytes]:
        while block := self._block():
            piece = _unpacked(block) if is_packed else block
            self.tally.update(piece)
            yield piece

    def _description(self) -> About:
        try:
            about = json.loads(self._block())
        except (ValueError, RecursionError):
            raise BackupError(_FORM) from None
        if not isinstance(about, dict) or about.get("part") not in PARTS:
            raise BackupError(_FORM)
        return about

    def _block(self) -> bytes:
        length = int.from_bytes(self._frames.read(4), "big")
        if length > _MOST:
            raise BackupError(_FORM)
        return self._frames.read(length)


def _unpacked(block: bytes) -> bytes:
    """Return what was packed. Raises: BackupError, also if it would be far more than a block."""
    unpacking = zlib.decompressobj()
    try:
        piece = unpacking.decompress(block, _PACKED_MOST)
    except zlib.error:
        raise BackupError(_FORM) from None
    if not unpacking.eof:
        raise BackupError(_FORM)
    return piece


def _packed(data: bytes) -> bytes:
    return zlib.compress(data, _LEVEL)
