"""Making an entry while the portal works: the database at an instant, then its rows' files."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

import sqlalchemy as sa
import structlog
from flask import current_app

from clearance.backups import snapshot
from clearance.backups.contents import BLOCK_BYTES, ContentWriter
from clearance.backups.errors import BackupError
from clearance.backups.frames import FrameWriter, Keys
from clearance.backups.keeping import Keep
from clearance.backups.manifest import Manifest
from clearance.backups.places import Draft, Place
from clearance.backups.snapshot import Report
from clearance.backups.verifying import verify_stream
from clearance.core import audit, crypto, holds, schema
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files import checkpoints, storage
from clearance.models import AccessEvent, ChainHead, Delivery, Hold, User
from clearance.models.enums import DeliveryStatus
from clearance.web.template_globals import VERSION

MADE = "portal:backup:made"
HELD = timedelta(minutes=15)
_RENEWED_SECONDS = 60.0
_NAMED_FAULTS = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Made:
    """A new entry. address: what `locate` finds it by. removed: names of older ones."""

    address: str
    manifest: Manifest
    removed: tuple[str, ...] = ()


def make(place: Place, keep: Keep | None, report: Report) -> Made:
    """Make an entry, read it back, and only then remove older ones that `keep` leaves out.

    Commits by itself. Raises: BackupError, OSError, sqlalchemy's errors; then the place has no new
    entry, and all that it had.
    """
    place.remove_unfinished()
    draft = place.create()
    try:
        _write(draft, report)
        with draft.reopen() as stream:
            manifest = verify_stream(stream, report)
        draft.publish()
    except BaseException:
        with suppress(OSError):
            draft.discard()
        raise
    audit.access(MADE, object_id=draft.name, result="ok")
    _log.info("backup made", entry=draft.name, files=manifest.files, bytes=manifest.bytes)
    removed = _removed(place, keep) if keep else ()
    return Made(place.address(draft.name), manifest, removed)


def last_made() -> datetime | None:
    """Return when the last backup was made, by the access events; None if none was."""
    query = sa.select(sa.func.max(AccessEvent.at)).where(AccessEvent.kind == MADE)
    return db.session.scalar(query)


def _removed(place: Place, keep: Keep) -> tuple[str, ...]:
    entries = place.entries()
    names = tuple(entries[made] for made in sorted(keep.superfluous(entries)))
    for name in names:
        place.remove(name)
    return names


def _write(draft: Draft, report: Report) -> None:
    """Write all parts of an entry."""
    content = ContentWriter(FrameWriter(draft.stream, Keys.configured()))
    hold = _Hold(draft.name)
    hold.renew()
    lines = storage.lines(checkpoints.FILE)  # before the database: none is ahead of it
    made_at = utc_now().isoformat(timespec="seconds")
    with tempfile.TemporaryFile("w+") as files:
        with snapshot.taken(_database_url(), draft.name, report) as taken:
            taken.dump(content, report)
            about = _about(taken.connection)
            _list_files(taken.connection, files)
        with content.part({"part": "lines", "name": checkpoints.FILE}) as write:
            write("".join(f"{line}\n" for line in lines).encode())
        _copy_files(files, content, hold, report)
    found = Manifest(made_at=made_at, release=VERSION, **about, **content.tally.values())
    with content.part({"part": "manifest", **found.signed()}):
        pass
    content.close()


def _about(connection: sa.Connection) -> dict[str, Any]:
    """Return what the manifest says of the database."""
    seal = connection.execute(sa.select(ChainHead.position, ChainHead.hash)).one_or_none()
    if seal is None:
        raise BackupError("The database has no portal in it: run flask db upgrade.")
    return {
        "database": connection.dialect.name,
        "revision": ",".join(schema.current(connection)),
        "rows": snapshot.rows(connection),
        "position": seal.position,
        "hash": seal.hash,
        "keys": tuple(sorted(_needed_keys(connection))),
    }


def _needed_keys(connection: sa.Connection) -> set[str]:
    """Return the fingerprints of the secrets that open what is encrypted in the rows."""
    waiting = sa.and_(Delivery.is_secret, Delivery.status == DeliveryStatus.QUEUED)
    queries = (
        sa.select(User.totp_secret).where(User.totp_secret.is_not(None)),
        sa.select(Delivery.body).where(waiting),
    )
    sealed = (text for query in queries for text in connection.scalars(query) if text)
    return {key for key in map(crypto.opened_by, sealed) if key is not None}


def _list_files(connection: sa.Connection, files: IO[str]) -> None:
    """Write key and hash of each file to a temporary file, so that the snapshot can be let go."""
    query = storage.referred(snapshot.tables(connection))
    for key, sha256 in connection.execute(query.execution_options(yield_per=2000)):
        files.write(f"{key} {sha256}\n")


def _copy_files(files: IO[str], content: ContentWriter, hold: _Hold, report: Report) -> None:
    """Write the listed files. Raises: BackupError that names those missing or changed."""
    faults = []
    files.seek(0)
    for line in files:
        key, sha256 = line.split()
        try:
            _copy_file(key, sha256, content)
        except (BackupError, DomainError):
            faults.append(key)
        hold.renew()
        report(f"files: {content.tally.files:,}, {content.tally.bytes:,} bytes")
    if faults:
        named = ", ".join(faults[:_NAMED_FAULTS])
        raise BackupError(
            f"{len(faults)} stored files are missing or differ from their rows, so there is no "
            f"backup: {named}. Restore them from an earlier one."
        )


def _copy_file(key: str, sha256: str, content: ContentWriter) -> None:
    with storage.open(key) as stream:
        about = {
            "part": "file",
            "key": key,
            "sha256": sha256,
        }
        with content.part(about) as write:
            while piece := stream.read(BLOCK_BYTES):
                write(piece)


class _Hold:
    """Keeps files whose rows go meanwhile, from before the snapshot until they are copied."""

    def __init__(self, name: str) -> None:
        self._name, self._until = name, 0.0
        with own_transaction(write=False) as connection:  # a backup may come before the upgrade
            self._is_known = sa.inspect(connection).has_table(Hold.__tablename__)

    def renew(self) -> None:
        """Hold their removal for longer, at most once a minute."""
        if not self._is_known or time.monotonic() < self._until:
            return
        now = utc_now()
        with own_transaction() as connection:
            why = f"{self._name} is being made"
            holds.begin(connection, holds.FILE_REMOVAL, now, why=why, until=now + HELD)
        self._until = time.monotonic() + _RENEWED_SECONDS


def _database_url() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.database_url
