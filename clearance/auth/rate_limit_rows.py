"""The rows in which tries are counted: locked first, then judged by a clock read under the lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from clearance.core.clock import utc_now
from clearance.models import ThrottleCount, UtcDateTime

DELAY = timedelta(seconds=30)
"""How long, at most, a shared limit makes somebody wait (security rule 41)."""

_TURN_KEPT = timedelta(hours=1)  # a turn not taken by then is lost
_CLOCK_SKEW = timedelta(minutes=2)  # between hosts; more is a clock that jumped (rule 58)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # the end of a window that has not begun


@dataclass(frozen=True)
class Limit:
    """What a row may hold. hits: of this one try.

    turn: the row of a turn that lets a try pass once the limit is reached; "" where it closes.
    """

    amount: int
    window: timedelta
    hits: int
    turn: str


class Row(NamedTuple):
    """A window: its hits and its end. A turn has no hits and ends _TURN_KEPT after it opens."""

    name: str
    hits: int
    ends: datetime


class Reached(Exception):
    """A limit is reached; nothing is to be counted.

    rows: to `keep` nevertheless: turns that begin, windows that a clock set back made too long.
    """

    def __init__(self, wait: timedelta, rows: Iterable[Row]) -> None:
        super().__init__()
        self.wait = wait
        self.rows = list(rows)


def count(connection: sa.Connection, wanted: Mapping[str, Limit]) -> list[Row]:
    """Count one try in every row of `wanted` or in none. Returns what was counted, and where.

    The clock is read when the rows are held: one read before may be older than a window that
    another try has begun meanwhile. Raises: Reached, for the caller to roll back.
    """
    held = _hold(connection, wanted)
    now = utc_now()
    counted, shorter, closed_until = [], [], [now]
    turns: dict[str, datetime] = {}
    for name, limit in wanted.items():
        row = _present(held[name], limit.window, now)
        if row.ends < held[name].ends:
            shorter.append(row)
        if row.hits + limit.hits <= limit.amount:
            counted.append(Row(name, row.hits + limit.hits, row.ends))
        elif limit.turn:
            turns[limit.turn] = max(row.ends, turns.get(limit.turn, now))
        else:
            closed_until.append(row.ends)
    begun, taken, until = _take_turns(_hold(connection, turns).values(), turns, now)
    wait = max(*closed_until, until) - now
    if wait:
        raise Reached(wait, [*shorter, *begun])
    _write(connection, [*counted, *taken])
    return [Row(row.name, wanted[row.name].hits, row.ends) for row in counted]


def keep(connection: sa.Connection, rows: Iterable[Row]) -> None:
    """Write what a refusal leaves behind, in a transaction after the one that it undid."""
    now = utc_now()
    for row in rows:
        insert = _insert(connection.dialect.name)
        statement = insert(ThrottleCount).values(key=row.name, hits=row.hits, expires_at=row.ends)
        ends = statement.excluded.expires_at
        is_older = sa.or_(ThrottleCount.expires_at <= now, ThrottleCount.expires_at > ends)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[ThrottleCount.key], set_={"expires_at": ends}, where=is_older
            )
        )


def give_back(connection: sa.Connection, counted: Iterable[Row]) -> None:
    """Take what `count` returned off its windows, where they have not ended meanwhile."""
    for row in counted:
        connection.execute(
            sa.update(ThrottleCount)
            .where(
                ThrottleCount.key == row.name,
                ThrottleCount.expires_at == row.ends,
                ThrottleCount.hits >= row.hits,
            )
            .values(hits=ThrottleCount.hits - row.hits)
        )


def _present(row: Row, window: timedelta, now: datetime) -> Row:
    """The window as it is now, begun anew if it is over.

    None ends later than one window from now, so that a clock set back lengthens no wait. A little
    later is another host's clock, and the window stays; much later is a clock that jumped.
    """
    if not now < row.ends <= now + window + _CLOCK_SKEW:
        return Row(row.name, 0, now + window)
    return row._replace(ends=min(row.ends, now + window))


def _take_turns(
    rows: Iterable[Row], needed_until: Mapping[str, datetime], now: datetime
) -> tuple[list[Row], list[Row], datetime]:
    """The turns that begin now, those that are taken, and when the last one needed opens.

    needed_until: by the row, when the limit it passes by is no longer reached.
    """
    begun, taken, until = [], [], now
    for row in rows:
        opens = row.ends - _TURN_KEPT
        fresh = Row(row.name, 0, now + DELAY + _TURN_KEPT)
        if row.ends <= now or opens > now + DELAY:
            begun.append(fresh)
            opens = now + DELAY
        if opens > now:
            until = max(until, min(opens, needed_until[row.name]))
        else:
            taken.append(fresh)
    return begun, taken, until


def _hold(connection: sa.Connection, names: Iterable[str]) -> dict[str, Row]:
    """Lock the rows, made if need be, and return them as they are now; always in one order."""
    rows = [{"key": name, "hits": 0, "expires_at": _NEVER} for name in sorted(names)]
    if not rows:
        return {}
    found = connection.execute(_holding(connection.dialect.name), rows)
    return {row.key: Row(*row) for row in sorted(found)}


def _write(connection: sa.Connection, rows: Iterable[Row]) -> None:
    values = [{"name": row.name, "new_hits": row.hits, "ends": row.ends} for row in rows]
    if values:
        connection.execute(_WRITING, values)


def _insert(dialect: str) -> Any:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


@cache
def _holding(dialect: str) -> Any:
    """It changes nothing in a row that exists: writing gives a lock and the newest state."""
    insert = _insert(dialect)(ThrottleCount)
    return insert.on_conflict_do_update(
        index_elements=[ThrottleCount.key], set_={"hits": ThrottleCount.hits}
    ).returning(ThrottleCount.key, ThrottleCount.hits, ThrottleCount.expires_at)


_WRITING = (
    sa.update(ThrottleCount)
    .where(ThrottleCount.key == sa.bindparam("name"))
    .values(hits=sa.bindparam("new_hits"), expires_at=sa.bindparam("ends", type_=UtcDateTime()))
)
