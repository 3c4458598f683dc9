"""Restoring an entry into an empty place, and what a restored portal begins with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.orm import Session

from clearance.backups import loading, snapshot, unfinished
from clearance.backups.contents import About
from clearance.backups.errors import BackupError
from clearance.backups.manifest import Manifest
from clearance.backups.places import Place
from clearance.backups.snapshot import Report
from clearance.backups.verifying import reader, verify
from clearance.core import audit, chain, holds, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files import checkpoints, storage
from clearance.models import (
    Captcha,
    Counter,
    Hold,
    PasswordReset,
    Request,
    UserSession,
    VerificationCode,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Restored:
    """What was restored. findings: lazy or plain sentences about what was wrong when the backup
    was made already: a broken trail, a number that is missing.
    """

    manifest: Manifest
    findings: tuple[Any, ...]


def restore(place: Place, name: str, report: Report) -> Restored:
    """Restore the entry into the database and storage of the settings, which must be empty.

    Everything is checked before and after. Sessions and codes are ended, the outbox is held.
    Raises: BackupError, OSError, sqlalchemy's errors; then database and storage are empty still.
    If it is killed, the storage is marked, and the next restore begins by emptying it.
    """
    settings: Settings = current_app.extensions["settings"]
    db.session.remove()
    db.engine.dispose()
    loading.check_empty(settings.database_url)
    if not (storage.is_empty() or unfinished.entry()):
        raise BackupError("The storage is not empty: restore into a new one (STORAGE_URL).")
    manifest = verify(place, name, report)
    _check_release(manifest)
    is_alone = False
    try:
        with loading.opened(settings.database_url, manifest.database, manifest.revision) as into:
            is_alone = True
            unfinished.begin(name)
            _take(place, name, into, report)
            with into.complete() as connection:
                findings = _finish(connection, manifest, name, report)
            storage.settle()
    except BaseException:
        if is_alone:  # the files are not another restore's
            unfinished.clear()
        raise
    unfinished.end()
    _log.info("backup restored", entry=name, made_at=manifest.made_at, findings=len(findings))
    return Restored(manifest, tuple(findings))


def _check_release(manifest: Manifest) -> None:
    if unknown := set(manifest.revision.split(",")).difference(schema.known()):
        raise BackupError(
            f"The backup is of a later release, {manifest.release}, with the schema "
            f"{min(unknown)}: install that release."
        )


def _take(place: Place, name: str, into: loading.Loading, report: Report) -> None:
    """Put the entry's parts into the database and the storage."""
    with closing(place.open(name)) as stream:
        content = reader(stream)
        for about, pieces in content.parts():
            try:
                _take_part(about, pieces, into)
            except (KeyError, TypeError, ValueError):
                raise BackupError(
                    "The backup names what no portal has: it was made by hand."
                ) from None
            report(f"restored: {content.tally.files:,} files, {content.tally.bytes:,} bytes")


def _take_part(about: About, pieces: Iterator[bytes], into: loading.Loading) -> None:
    """Put one part back. Raises: KeyError, TypeError, ValueError if its description is strange."""
    if about["part"] == "database":
        into.take(about, pieces)
    elif about["part"] == "file":
        storage.put_back(str(about["key"]), pieces, "application/octet-stream")
    elif about["part"] == "lines":
        _take_lines(about, pieces)


def _take_lines(about: About, pieces: Iterator[bytes]) -> None:
    if about["name"] != checkpoints.FILE:
        raise ValueError("not a file of the portal")
    if text := b"".join(pieces).decode().rstrip("\n"):
        storage.append(about["name"], text)


def _finish(connection: sa.Connection, manifest: Manifest, name: str, report: Report) -> list[Any]:
    """Compare with the manifest, bring the schema up to date, and make the portal safe to start.

    Returns: findings about the content. Raises: BackupError.
    """
    report("checking rows")
    if snapshot.rows(connection) != dict(manifest.rows):
        raise BackupError("The restored tables do not have the rows that the manifest names.")
    schema.upgrade_within(connection)
    report("checking files")
    _check_files(connection)
    report("checking the audit trail")
    session = Session(connection)
    if chain.head(session) != (manifest.position, manifest.hash):
        raise BackupError("The restored audit trail does not end where the manifest says.")
    verdict = chain.verify(session, checkpoints.kept().checkpoints)
    findings = [*verdict.faults[:5], *_missing_numbers(connection)]
    _make_safe(session, connection, manifest, name, utc_now())
    return findings


def _check_files(connection: sa.Connection) -> None:
    """Read each file that a row refers to. Raises: BackupError."""
    query = storage.referred(snapshot.tables(connection))
    for key, sha256 in connection.execute(query.execution_options(yield_per=2000)):
        try:
            storage.open_checked(key, sha256).close()
        except storage.DamagedFile:
            raise BackupError(f"The storage does not return {key} as it was written.") from None


def _missing_numbers(connection: sa.Connection) -> Iterator[str]:
    """Yield a sentence for each prefix and year whose numbers are not 1 to the last one."""
    serials: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    query = sa.select(Request.number).where(Request.number.is_not(None))
    for number in connection.scalars(query.execution_options(yield_per=5000)):
        prefix, serial, year = str(number).split("/")
        count, last = serials[prefix, year]
        serials[prefix, year] = count + 1, max(last, int(serial))
    counters = sa.select(Counter.prefix, Counter.year, Counter.last)
    for name, in_year, taken in connection.execute(counters):
        found = serials.get((name, f"{in_year % 100:02d}"))
        if found is not None and found != (taken, taken):
            yield f"Of the numbers {name}/1 to {taken}/{in_year % 100:02d} {found[0]:,} are there."


def _make_safe(
    session: Session, connection: sa.Connection, manifest: Manifest, name: str, now: datetime
) -> None:
    """End sessions and codes, hold the outbox, and record in the trail what happened."""
    for ended in (
        sa.update(UserSession).where(UserSession.ended_at.is_(None)).values(ended_at=now),
        sa.update(PasswordReset).where(PasswordReset.used_at.is_(None)).values(used_at=now),
        sa.update(VerificationCode)
        .where(VerificationCode.used_at.is_(None), VerificationCode.voided_at.is_(None))
        .values(voided_at=now),
        sa.delete(Captcha),
        sa.delete(Hold),
    ):
        connection.execute(ended)
    holds.begin(connection, holds.OUTBOX, now, why=name)
    restored = {
        "at": now,
        "kind": "portal:backup:restored",
        "object_type": Hold.__tablename__,
        "object_id": holds.OUTBOX,
        "changes": {"entry": [None, name], "made_at": [None, manifest.made_at]},
    }
    audit.record_many([restored], session)
    session.flush()
