"""What a place for files must do: a folder (`folder`) or an S3 bucket (`s3`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, Protocol

PART_BYTES = 256 * 1024
PROBE = "ready"
"""Name of what a bucket writes to try whether it can."""


class StoreDown(OSError):
    """The place cannot be reached, or does not do what it says."""


class Store(Protocol):
    """Files by key, and files of lines by name. Methods raise OSError, StoreDown among them."""

    def put(self, key: str, content: BinaryIO, media_type: str, *, is_settled: bool = True) -> None:
        """Store the stream, from its beginning, under the key; replaces what is there.

        It is complete and outlasts a power failure on return; unless `is_settled` is False, then
        after `settle`, which is much faster for many files in a folder.
        """

    def settle(self) -> None:
        """Make all that was stored outlast a power failure."""

    def open(self, key: str) -> BinaryIO:
        """Return the file at its beginning; it can be sought in. Raises: FileNotFoundError."""

    def delete(self, key: str) -> None:
        """Remove the file, if there is one."""

    def files(self) -> Iterator[tuple[str, datetime]]:
        """Yield the name of everything that is stored, and since when, in no order."""

    def append(self, name: str, line: str) -> None:
        """Add a line; it outlasts a power failure on return."""

    def lines(self, name: str) -> list[str]:
        """Return the lines of that file, none before the first."""

    def is_ready(self) -> bool:
        """Return whether files can be stored, by storing one."""

    def keeps_conditions(self) -> bool:
        """Return whether two processes can add lines to one file without losing any."""

    def is_public(self) -> bool:
        """Return whether strangers can read the files."""


def measure(content: BinaryIO, *digests: Any) -> int:
    """Feed the whole stream to the digests and go back to its beginning. Returns its size."""
    content.seek(0)
    size = 0
    while part := content.read(PART_BYTES):
        size += len(part)
        for digest in digests:
            digest.update(part)
    content.seek(0)
    return size
