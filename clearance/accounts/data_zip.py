"""ZIP writer for data exports: JSON row by row, files part by part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import IO, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from clearance.core.clock import KUWAIT


class Archive:
    """A ZIP streamed into `target`; written content is not kept in memory."""

    def __init__(self, target: BinaryIO, now: datetime) -> None:
        self._zip = ZipFile(target, "w", ZIP_DEFLATED)
        self._made_at = now.astimezone(KUWAIT).timetuple()[:6]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *fault: object) -> None:
        self._zip.close()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        self._zip.writestr(self._entry(name, ZIP_DEFLATED), text.encode())

    def write_object(self, name: str, row: Mapping[str, Any]) -> None:
        """Write one JSON object."""
        self.write_text(name, _dumped(row))

    def write_list(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows as one JSON list, one at a time."""
        with self._zip.open(self._entry(name, ZIP_DEFLATED), "w", force_zip64=True) as target:
            before = "[\n"
            for row in rows:
                target.write(f"{before}{_dumped(row)}".encode())
                before = ",\n"
            target.write(b"\n]\n" if before != "[\n" else b"[]\n")

    def open_file(self, name: str, size: int) -> IO[bytes]:
        """Open an uncompressed file of about `size` bytes; scans are compressed already."""
        entry = self._entry(name, ZIP_STORED)
        entry.file_size = size
        return self._zip.open(entry, "w")

    def _entry(self, name: str, compression: int) -> ZipInfo:
        entry = ZipInfo(name, self._made_at)
        entry.compress_type = compression
        entry.external_attr = 0o600 << 16
        return entry


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
