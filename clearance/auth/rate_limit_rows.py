"""Rate limit rows: lock them first, then read the clock under the lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from clearance.core.clock import utc_now
from clearance.core.conditional_writes import insert_into
from clearance.models import ThrottleCount, UtcDateTime

DELAY = timedelta(seconds=30)
"""How long, at most, a shared limit makes somebody wait (security rule 41)."""

_TURN_KEPT = timedelta(hours=1)  # a turn not used by then expires
_CLOCK_SKEW = timedelta(minutes=2)  # between hosts; more means a clock jumped (rule 58)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # end of a window that has not begun


@dataclass(frozen=True)
class Limit:
    """Limits of a row. hits: how many this try adds.

    turn: the row of a turn that lets a try pass once the limit is reached; "" for a hard limit.
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
    """A limit is reached; nothing may be counted.

    rows: to pass to `keep` anyway: new turns, and windows shortened after a clock was set back.
    """

    def __init__(self, wait: timedelta, rows: Iterable[Row]) -> None:
        super().__init__()
        self.wait = wait
        self.rows = list(rows)


def count(connection: sa.Connection, wanted: Mapping[str, Limit]) -> list[Row]:
    """Count one try in every row of `wanted`, or in none. Returns the counted rows.

    The clock is read once the rows are locked: an earlier reading may predate a window begun by
    another try. Raises: Reached, for the caller to roll back.
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
    """Save what remains of a refused try, in a new transaction after the rollback."""
    now = utc_now()
    for row in rows:
        insert = insert_into(ThrottleCount, connection.dialect.name)
        statement = insert.values(key=row.name, hits=row.hits, expires_at=row.ends)
        ends = statement.excluded.expires_at
        is_older = sa.or_(ThrottleCount.expires_at <= now, ThrottleCount.expires_at > ends)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[ThrottleCount.key], set_={"expires_at": ends}, where=is_older
            )
        )


def give_back(connection: sa.Connection, counted: Iterable[Row]) -> None:
    """Subtract what `count` returned from its windows, unless they have ended since."""
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
    """Return the current window, started afresh if it is over.

    Caps the end at one window from now, so that a clock set back lengthens no wait. A slightly
    later end is another host's clock and does not restart the window; a much later one is a clock
    that jumped.
    """
    if not now < row.ends <= now + window + _CLOCK_SKEW:
        return Row(row.name, 0, now + window)
    return row._replace(ends=min(row.ends, now + window))


def _take_turns(
    rows: Iterable[Row], needed_until: Mapping[str, datetime], now: datetime
) -> tuple[list[Row], list[Row], datetime]:
    """Return new turns, used turns, and when the last turn needed opens.

    needed_until: by row, when its limit is no longer reached.
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
    """Lock the rows in a fixed order, creating missing ones, and return their current state."""
    rows = [{"key": name, "hits": 0, "expires_at": _NEVER} for name in sorted(names)]
    if not rows:
        return {}
    found = connection.execute(_holding(connection.dialect.name), rows)
    return {row.key: Row(*row) for row in sorted(found)}


def _write(connection: sa.Connection, rows: Iterable[Row]) -> None:
    values = [{"name": row.name, "new_hits": row.hits, "ends": row.ends} for row in rows]
    if values:
        connection.execute(_WRITING, values)


@cache
def _holding(dialect: str) -> Any:
    """Return an upsert that changes no existing row but locks it and reads its latest state."""
    insert = insert_into(ThrottleCount, dialect)
    return insert.on_conflict_do_update(
        index_elements=[ThrottleCount.key], set_={"hits": ThrottleCount.hits}
    ).returning(ThrottleCount.key, ThrottleCount.hits, ThrottleCount.expires_at)


_WRITING = (
    sa.update(ThrottleCount)
    .where(ThrottleCount.key == sa.bindparam("name"))
    .values(hits=sa.bindparam("new_hits"), expires_at=sa.bindparam("ends", type_=UtcDateTime()))
)
