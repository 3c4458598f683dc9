"""The hash chain of the audit trail: sealing events, and verifying that none is changed or gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from clearance.core.i18n import format_instant
from clearance.models import Base, ChainHead, Event, EventSeal

GENESIS = "0" * 64
MOST_FAULTS = 200
_EVENTS = Base.metadata.tables[Event.__tablename__]
_SEALS = Base.metadata.tables[EventSeal.__tablename__]
_HEAD = Base.metadata.tables[ChainHead.__tablename__]
_FIELDS = (
    "id",
    "at",
    "kind",
    "actor_id",
    "organisation_id",
    "request_id",
    "object_type",
    "object_id",
    "from_status",
    "to_status",
    "reason",
    "changes",
)
SEALED_FIELDS = (*_FIELDS, "ip", "session_hash")
"""Columns of an event that its seal covers."""
_FREE_HEAD = sa.select(_HEAD.c.position, _HEAD.c.hash).where(_HEAD.c.id == 1)
_LOCKED_HEAD = sa.text("SELECT last, last_hash FROM clearance_chain_head()")
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Checkpoint:
    """What the chain was at an instant, kept outside the database: its length and its last seal."""

    at: datetime
    position: int
    hash: str


@dataclass
class Verdict:
    """What verifying found.

    faults: lazy sentences, at most MOST_FAULTS, the first broken row first. sealed: number of
    events in the chain. proven_until: instant of the newest checkpoint that the chain agrees with,
    None without one: up to there nothing was changed, removed or cut off.
    """

    faults: list[Any] = field(default_factory=list)
    sealed: int = 0
    proven_until: datetime | None = None

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def add(self, fault: Any) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


class _Link(NamedTuple):
    """The end of the chain so far."""

    position: int
    hash: str


def seal(session: Session, events: Sequence[Mapping[str, Any]]) -> None:
    """Seal `events` (their SEALED_FIELDS) in the given order; call it last before the commit.

    On PostgreSQL it takes the lock on the head of the chain, which the database then moves; SQLite
    has one writer.
    """
    has_trigger = session.get_bind().dialect.name == "postgresql"
    last, previous = session.execute(_LOCKED_HEAD if has_trigger else _FREE_HEAD).one()
    seals = []
    for position, content in enumerate(events, last + 1):
        previous = _hash(previous, content, SEALED_FIELDS)
        seals.append({"position": position, "event_id": content["id"], "hash": previous})
    session.execute(sa.insert(_SEALS), seals)
    if not has_trigger:
        position = last + len(events)
        moved = sa.update(_HEAD).where(_HEAD.c.id == 1).values(position=position, hash=previous)
        session.execute(moved)


def head(session: Session) -> tuple[int, str]:
    """Return the number of sealed events and the hash of the last seal."""
    found = session.execute(sa.select(_HEAD.c.position, _HEAD.c.hash)).one_or_none()
    return (found.position, found.hash) if found is not None else (0, "")


def agrees(session: Session, checkpoint: Checkpoint) -> bool:
    """Return whether the seal at a checkpoint's position is the one it has."""
    found = session.scalar(sa.select(_SEALS.c.hash).where(_SEALS.c.position == checkpoint.position))
    return (found or GENESIS) == checkpoint.hash


def verify(session: Session, checkpoints: Iterable[Checkpoint] = ()) -> Verdict:
    """Verify the chain, and that it agrees with the checkpoints.

    Finds changed, removed and reordered events, missing seals and a wrong head; with checkpoints
    also a tail that was cut off, and a trail that was emptied. Events sealed meanwhile are left
    out.
    """
    verdict = Verdict()
    in_order = sorted(checkpoints, key=lambda checkpoint: checkpoint.at)
    expected = {checkpoint.position: checkpoint for checkpoint in in_order}
    until, last_hash = head(session)
    end = _Link(0, GENESIS)
    _compare(verdict, expected, end)
    for row in _rows(session, until):
        end = _follow(verdict, end, row)
        _compare(verdict, expected, end)
    if end != (until, last_hash):
        verdict.add(_l("The head of the chain does not match its last seal."))
    verdict.sealed = end.position
    for fault in _left_over(session, expected, end):
        verdict.add(fault)
    return verdict


def _rows(session: Session, until: int) -> Iterator[Any]:
    """Yield the seals up to a position with their events."""
    columns = [_EVENTS.c[name] for name in SEALED_FIELDS]
    return iter(
        session.execute(
            sa.select(_SEALS.c.position, _SEALS.c.hash.label("seal"), _SEALS.c.event_id, *columns)
            .outerjoin_from(_SEALS, _EVENTS, _EVENTS.c.id == _SEALS.c.event_id)
            .where(_SEALS.c.position <= until)
            .order_by(_SEALS.c.position)
            .execution_options(yield_per=2000)
        )
    )


def _follow(verdict: Verdict, end: _Link, row: Any) -> _Link:
    """Verify the next seal; return the new end of the chain."""
    if row.position != end.position + 1:
        verdict.add(_l("Seal %(position)d is missing.", position=end.position + 1))
    if row.id is None:
        verdict.add(
            _l(
                "Event %(event)d of seal %(position)d was removed.",
                event=row.event_id,
                position=row.position,
            )
        )
    elif not _fits(end.hash, row):
        verdict.add(_l("Event %(event)d does not match its seal.", event=row.id))
    return _Link(row.position, row.seal)


def _fits(previous: str, row: Any) -> bool:
    fields = dict(zip(SEALED_FIELDS, row[-len(SEALED_FIELDS) :], strict=True))
    # Seals of releases before 1.1 do not cover where an event came from.
    return any(row.seal == _hash(previous, fields, names) for names in (SEALED_FIELDS, _FIELDS))


def _compare(verdict: Verdict, expected: Mapping[int, Checkpoint], end: _Link) -> None:
    """Compare a seal with the checkpoint of its position, if there is one."""
    checkpoint = expected.get(end.position)
    if checkpoint is None:
        return
    if checkpoint.hash == end.hash:
        verdict.proven_until = checkpoint.at
        return
    verdict.add(
        _l(
            "Seal %(position)d is not the one in the checkpoint of %(at)s.",
            position=end.position,
            at=format_instant(checkpoint.at),
        )
    )


def _left_over(session: Session, expected: Mapping[int, Checkpoint], end: _Link) -> Iterator[Any]:
    """Yield faults beyond the end: in checkpoints, seals, and events without a seal."""
    for checkpoint in expected.values():
        if checkpoint.position > end.position:
            yield _l(
                "The trail ends at seal %(position)d; the checkpoint of %(at)s has %(marked)d.",
                position=end.position,
                at=format_instant(checkpoint.at),
                marked=checkpoint.position,
            )
    seals = sa.select(sa.func.max(_SEALS.c.position)).scalar_subquery()
    now = session.execute(sa.select(_HEAD.c.position, seals.label("seals"))).one_or_none()
    if now is not None and (now.seals or 0) > now.position:
        yield _l("There are seals beyond the head of the chain.")
    is_sealed = sa.exists().where(_SEALS.c.event_id == _EVENTS.c.id)
    count = sa.select(sa.func.count()).select_from(_EVENTS).where(~is_sealed)
    if unsealed := session.scalar(count):
        yield _l("Events without a seal: %(count)d.", count=unsealed)


def _hash(previous: str, fields: Mapping[str, Any], names: Sequence[str]) -> str:
    content = {name: fields[name] for name in names}
    content["at"] = content["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(f"{previous}\n{_encode(content)}".encode()).hexdigest()
