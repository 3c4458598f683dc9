"""Signed checkpoints of the audit trail, kept in the storage and in the log.

Whoever empties or shortens the trail in the database does not reach them. Source: security
requirement 61a.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from clearance.core import audit, chain, crypto
from clearance.core.chain import Checkpoint, Verdict
from clearance.core.database import reading
from clearance.core.extensions import db
from clearance.files import storage

FILE: Final = "checkpoints.jsonl"
VERIFIED: Final = "audit:verified"
_PURPOSE = "checkpoint"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kept:
    """Checkpoints of the storage. unsigned: number of lines that no key of the portal signed."""

    checkpoints: tuple[Checkpoint, ...] = ()
    unsigned: int = 0


def take(now: datetime) -> str:
    """Keep a checkpoint of the trail; returns its line. Raises: storage.StorageUnavailable.

    A trail that no longer agrees with the last checkpoint is logged as an error.
    """
    earlier = kept().checkpoints[-1:]
    with reading():
        position, last_hash = chain.head(db.session())
        if any(not chain.agrees(db.session(), checkpoint) for checkpoint in earlier):
            _log.error("audit trail differs from its last checkpoint", at=earlier[0].position)
    line = written(Checkpoint(now, position, last_hash))
    storage.append(FILE, line)
    _log.info("audit checkpoint", line=line)
    return line


def kept() -> Kept:
    """Return the checkpoints in the storage, the oldest first."""
    return read_all(storage.lines(FILE))


def read_all(lines: Iterable[str]) -> Kept:
    """Read the lines of `take`."""
    found = [read(line) for line in lines if line.strip()]
    signed = [checkpoint for checkpoint in found if checkpoint is not None]
    return Kept(tuple(signed), len(found) - len(signed))


def verify(more: Iterable[Checkpoint] = ()) -> Verdict:
    """Verify the trail against the checkpoints of the storage, and those that came by mail.

    The session must hold nothing unsaved.
    """
    with reading():
        return chain.verify(db.session(), [*kept().checkpoints, *more])


def note(verdict: Verdict) -> None:
    """Record that the trail was verified, as an access event in a transaction of its own."""
    audit.access(
        VERIFIED,
        object_id=str(verdict.sealed),
        result="ok" if verdict.is_intact else "broken",
        detail=verdict.proven_until.isoformat() if verdict.proven_until else "",
    )


def written(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as one signed line."""
    content = _content(checkpoint)
    return json.dumps({**content, "signature": crypto.keyed_hash(json.dumps(content), _PURPOSE)})


def read(line: str) -> Checkpoint | None:
    """Return the checkpoint of a line; None if the portal did not sign it, or its key is gone."""
    try:
        found: dict[str, Any] = json.loads(line)
        at, position, last_hash = found["at"], found["position"], found["hash"]
        checkpoint = Checkpoint(datetime.fromisoformat(at), int(position), str(last_hash))
        signature = str(found["signature"])
        text = json.dumps(_content(checkpoint))
    except (KeyError, TypeError, ValueError):
        return None
    is_signed = signature.isascii() and crypto.matches(text, signature, _PURPOSE)
    return checkpoint if is_signed else None


def _content(checkpoint: Checkpoint) -> dict[str, Any]:
    at = checkpoint.at.astimezone(UTC).isoformat(timespec="seconds")
    return {"at": at, "position": checkpoint.position, "hash": checkpoint.hash}
