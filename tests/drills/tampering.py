"""The drill of the audit trail: it is changed in many seeded ways, and each change must be found.

    python -m tests.drills.tampering --kind postgresql --times 100 --seed 1

On the demo's world, with a checkpoint after half of its events and one after the last. Each change
is made as by somebody with full power over the database, whom no trigger stops, then verified and
taken back. Exit code 1 if one was not found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from benchmarks import worlds
from clearance.core import chain
from clearance.core.chain import Checkpoint
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import EventSeal

Change = Callable[[random.Random, int], list[str]]
"""Takes chance and the number of events; returns statements."""
COLUMNS = ("kind", "reason", "object_id", "object_type", "to_status", "ip", "session_hash")


def column(chance: random.Random, last: int) -> list[str]:
    """One value of one event."""
    name = chance.choice(COLUMNS)
    return [f"UPDATE event SET {name} = 'forged' WHERE id = {chance.randint(1, last)}"]


def instant(chance: random.Random, last: int) -> list[str]:
    """When something was done."""
    return [f"UPDATE event SET at = '2020-01-01' WHERE id = {chance.randint(1, last)}"]


def actor(chance: random.Random, last: int) -> list[str]:
    """Who did something."""
    of = chance.randint(1, last)
    return [f"UPDATE event SET actor_id = coalesce(actor_id, 0) + 1 WHERE id = {of}"]


def removed(chance: random.Random, last: int) -> list[str]:
    """An event without its seal."""
    return [f"DELETE FROM event WHERE id = {chance.randint(1, last)}"]


def removed_with_seal(chance: random.Random, last: int) -> list[str]:
    """An event with its seal."""
    of = chance.randint(1, last)
    return [f"DELETE FROM event_seal WHERE event_id = {of}", f"DELETE FROM event WHERE id = {of}"]


def exchanged(chance: random.Random, last: int) -> list[str]:
    """The contents of two events."""
    one, other = chance.sample(range(1, last + 1), 2)
    by = f"SELECT at FROM event WHERE id = {other}"
    return [f"UPDATE event SET at = ({by}), reason = 'forged' WHERE id = {one}"]


def seal(chance: random.Random, last: int) -> list[str]:
    """The hash of a seal."""
    of = chance.randint(1, last)
    return [f"UPDATE event_seal SET hash = '{chance.randbytes(32).hex()}' WHERE event_id = {of}"]


def unsealed(chance: random.Random, last: int) -> list[str]:
    """An event that nobody sealed."""
    names = "at, kind, object_type, object_id, reason, changes, ip, session_hash"
    of = chance.randint(1, last)
    return [f"INSERT INTO event ({names}) SELECT {names} FROM event WHERE id = {of}"]


def cut(chance: random.Random, last: int) -> list[str]:
    """The tail, with the head moved back: the chain itself stays whole."""
    end = chance.randint(1, last - 1)
    return [
        f"DELETE FROM event_seal WHERE position > {end}",
        "DELETE FROM event WHERE id NOT IN (SELECT event_id FROM event_seal)",
        f"UPDATE chain_head SET position = {end},"
        f" hash = (SELECT hash FROM event_seal WHERE position = {end})",
    ]


def emptied(chance: random.Random, last: int) -> list[str]:
    """Everything, with the head at the beginning."""
    is_postgresql = db.engine.dialect.name == "postgresql"
    gone = ["TRUNCATE event CASCADE"] if is_postgresql else ["DELETE FROM event"]
    return [
        "DELETE FROM event_seal",
        *gone,
        f"UPDATE chain_head SET position = 0, hash = '{chain.GENESIS}'",
    ]


CHANGES: tuple[Change, ...] = (
    *(column, instant, actor, removed, removed_with_seal, exchanged),
    *(seal, unsealed, cut, emptied),
)


def main() -> int:
    """Run the drill; print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kind", choices=worlds.KINDS, default="sqlite")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance, made, missed = random.Random(args.seed), Counter[str](), []
    with worlds.made(args.kind) as url, tempfile.TemporaryDirectory() as files:
        app = worlds.application(url, files)
        with app.app_context():
            checkpoints, last = _checkpoints()
            assert chain.verify(db.session(), checkpoints).is_intact
            for number in range(args.times):
                change = CHANGES[number % len(CHANGES)]
                statements = change(chance, last)
                made[change.__name__] += 1
                if _is_unseen(statements, checkpoints):
                    missed.append(statements)
            assert chain.verify(db.session(), checkpoints).is_intact
            db.session.remove()
            db.engine.dispose()
    print(f"{last} events; changes: {dict(made)}")
    print(f"found: {args.times - len(missed)} of {args.times}", *missed, sep="\n")
    return 1 if missed else 0


def _checkpoints() -> tuple[list[Checkpoint], int]:
    """Checkpoints after half of the events and after the last; how many events there are."""
    position, last_hash = chain.head(db.session())
    half = position // 2
    found = db.session.scalar(sa.select(EventSeal.hash).where(EventSeal.position == half))
    assert found
    now = utc_now()
    return [Checkpoint(now, half, found), Checkpoint(now, position, last_hash)], position


def _is_unseen(statements: list[str], checkpoints: list[Checkpoint]) -> bool:
    """Make the change, verify, take it back."""
    session = db.session()
    session.rollback()
    if db.engine.dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    else:
        session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in session.scalars(triggers).all():
            session.execute(sa.text(f"DROP TRIGGER {name}"))
    for statement in statements:
        session.execute(sa.text(statement))
    is_intact = chain.verify(session, checkpoints).is_intact
    session.rollback()
    return is_intact


if __name__ == "__main__":
    sys.exit(main())
