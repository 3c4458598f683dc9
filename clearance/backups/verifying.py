"""Reading an entry from beginning to end: is it whole, and would the portal's keys open it."""

from __future__ import annotations

from contextlib import closing
from typing import BinaryIO

from clearance.backups import manifest
from clearance.backups.contents import About, ContentReader
from clearance.backups.errors import BackupError
from clearance.backups.frames import FrameReader, Keys
from clearance.backups.manifest import Manifest
from clearance.backups.places import Place
from clearance.backups.snapshot import Report
from clearance.core import crypto


def verify(place: Place, name: str, report: Report) -> Manifest:
    """Read the entry and return its manifest.

    Raises: BackupError if a byte of it is not as it was written, or a key is missing.
    """
    with closing(place.open(name)) as stream:
        return verify_stream(stream, report)


def verify_stream(stream: BinaryIO, report: Report) -> Manifest:
    """Read an entry and return its manifest. Raises: as `verify`."""
    content = reader(stream)
    last: About = {}
    for about, _pieces in content.parts():
        last = about
        report(f"read: {content.tally.files:,} files, {content.tally.bytes:,} bytes")
    found = manifest.read(last)
    for name, value in content.tally.values().items():
        if getattr(found, name) != value:
            raise BackupError(f"The backup's content differs from its manifest ({name}).")
    missing = set(found.keys) - {crypto.fingerprint(secret) for secret in Keys.configured().secrets}
    if missing:
        raise BackupError(
            f"SECRET_KEY_FALLBACKS lacks the key {min(missing)}, which opens second factors or "
            "waiting messages of this backup."
        )
    return found


def reader(stream: BinaryIO) -> ContentReader:
    """Return a reader of the entry with the operator's keys. Raises: BackupError."""
    return ContentReader(FrameReader(stream, Keys.configured()))
