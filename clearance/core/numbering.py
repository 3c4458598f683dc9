"""Gapless serial numbers, allocated in the transaction that uses them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from clearance.core.clock import kuwait_date
from clearance.core.conditional_writes import changed_rows, insert_ignoring
from clearance.core.extensions import db
from clearance.models import Counter


def next_number(prefix: str, now: datetime) -> str:
    """Take the next request number of `prefix` in the Kuwait year of `now`, such as `CE/8/26`.

    A rollback returns it, so that no number is ever missing. Other transactions that need a number
    of the same prefix and year wait until this one ends.
    Source: specification section 5; security rule 53.
    """
    year = kuwait_date(now).year
    return f"{prefix}/{next_serial(prefix, year)}/{year % 100:02d}"


def hold(prefixes: Iterable[str], now: datetime) -> None:
    """Lock the counters of several prefixes, in one order for all, until the transaction ends.

    For those who take numbers of more than one, who could otherwise wait for each other for ever.
    """
    year, ordered = kuwait_date(now).year, sorted(set(prefixes))
    for prefix in ordered if len(ordered) > 1 else ():
        insert_ignoring(Counter, prefix=prefix, year=year, last=0)
        which = sa.select(Counter.last).where(Counter.prefix == prefix, Counter.year == year)
        db.session.execute(which.with_for_update())


def next_serial(prefix: str, year: int) -> int:
    """Take the next serial of `prefix` in `year`, beginning at 1."""
    serial = _advance(prefix, year)
    if serial is None:
        insert_ignoring(Counter, prefix=prefix, year=year, last=0)
        serial = _advance(prefix, year)
    if serial is None:
        raise LookupError(f"the counter of {prefix} in {year} cannot be made")
    return serial


def _advance(prefix: str, year: int) -> int | None:
    return db.session.execute(
        sa.update(Counter)
        .where(Counter.prefix == prefix, Counter.year == year)
        .values(last=Counter.last + 1)
        .returning(Counter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def skip_to(prefix: str, year: int, last: int) -> None:
    """Advance the counter to `last`, for numbers allocated in bulk."""
    changed_rows(
        sa.update(Counter)
        .where(Counter.prefix == prefix, Counter.year == year, Counter.last < last)
        .values(last=last)
    )
