"""The clock's work on licences: those past their end expire, and ends to come are told of before.

What is found is worked through in batches, each a transaction of its own, so that nobody waits
long, a killed run leaves whole steps, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from clearance.core import office_settings
from clearance.core.clock import is_daytime, kuwait_date
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.licences import notifications as licence_notices
from clearance.licences import register as licence_register
from clearance.licences import validity
from clearance.licences.validity import Validity
from clearance.models import Broker, Licence, LicenceReminder
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy
from clearance.notifications.wording.licences import LINK_NAMES

BATCH = 100

_log = structlog.get_logger(__name__)
_Act = Callable[[int], bool]


def daily(now: datetime) -> None:
    """Do all of it, harmless as often as it is called; at night it waits for the morning.

    Until then `validity.status_on` tells who looks that a licence has ended.
    """
    if is_daytime(now):
        expire(now)
        remind(now)


def expire(now: datetime) -> int:
    """Let every licence past its last day become expired and tell of it. Commits batch by batch.

    Active ones and those suspended at their holder's will; what the office suspended stays
    suspended. now: aware UTC; the last day is a whole Kuwait day. Returns how many expired now.
    Source: specification sections 2 and 10.
    """
    overdue = sa.select(Licence.id).where(_is_overdue(kuwait_date(now)))
    return _work_through(overdue, partial(_expire, now))


def remind(now: datetime) -> int:
    """Tell of each end of an effective validity some days before (a setting). Commits in batches.

    Of each end only the nearest reminder due is told, and never one after a nearer one: after days
    of standstill, or when the setting changed, nobody is told twice of the same. An end moved by a
    renewal begins anew. Cancelled licences end no more. Returns how many reminders were told.
    Source: specification sections 5 and 10.
    """
    today, days = kuwait_date(now), office_settings.get("reminder_days")
    db.session.commit()  # the setting was only read; what is due is looked for apart
    return sum(
        _work_through(_reminders_due(window), partial(_remind, now, window))
        for window in _windows(today, days)
    )


@dataclass(frozen=True)
class _Window:
    """The ends for which the reminder `days` before is the nearest one due."""

    first: date
    last: date
    days: int

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


def _windows(today: date, days: Sequence[int]) -> list[_Window]:
    found, first = [], today
    for each in sorted(set(days)):
        last = today + timedelta(days=each)
        found.append(_Window(first, last, each))
        first = last + timedelta(days=1)
    return found


def _work_through(due: sa.Select[Any], act: _Act) -> int:
    """Put every licence found to `act`, and commit each batch. Returns how often it acted.

    One that fails is logged and left for the next run; the others go on.
    """
    acted, last = 0, 0
    while True:
        # Looked for apart, so that on SQLite nobody waits for their turn to write meanwhile.
        with own_transaction(write=False) as connection:
            batch = due.where(Licence.id > last).order_by(Licence.id).limit(BATCH)
            ids = connection.scalars(batch).all()
        if not ids:
            return acted
        acted += sum(_tried(act, each) for each in ids)
        db.session.commit()
        last = ids[-1]


def _tried(act: _Act, licence_id: int) -> bool:
    try:
        with db.session.begin_nested():
            return act(licence_id)
    except Exception:  # one bad row must not keep all others from what is theirs
        _log.exception("the clock failed on a licence", licence_id=licence_id)
        return False


def _is_overdue(today: date) -> sa.ColumnElement[bool]:
    by_holder = Licence.suspended_by == SuspendedBy.HOLDER
    return sa.and_(
        Licence.expires < today,
        sa.or_(
            Licence.status == LicenceStatus.ACTIVE,
            sa.and_(Licence.status == LicenceStatus.SUSPENDED, by_holder),
        ),
    )


def _expire(now: datetime, licence_id: int) -> bool:
    overdue = sa.select(Licence.id).where(Licence.id == licence_id, _is_overdue(kuwait_date(now)))
    # Whoever has it locked is changing it: the next run sees what became of it.
    licence = licence_register.lock_unless_busy(licence_id)
    if licence is None or db.session.scalar(overdue) is None:
        return False
    licence_register.change(
        licence,
        LicenceStep.EXPIRED,
        {"status": LicenceStatus.EXPIRED, "suspended_by": None},
        now=now,
        actor_id=None,
    )
    licence_notices.tell("licence:expired", licence, now=now, date=licence.expires)
    return True


def _reminders_due(window: _Window) -> sa.Select[Any]:
    """The licences whose validity ends in the window and whose users do not know of it yet."""
    until = validity.until_column()
    told = sa.exists().where(
        LicenceReminder.licence_id == Licence.id,
        LicenceReminder.link == validity.link_column(),
        LicenceReminder.ends == until,
        LicenceReminder.days <= window.days,
    )
    return (
        sa.select(Licence.id)
        .join(Broker, Broker.id == Licence.broker_id)
        .where(
            Licence.id.in_(_with_a_link_ending(window)),
            Licence.status.in_([LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED]),
            until.between(window.first, window.last),
            ~told,
        )
    )


def _with_a_link_ending(window: _Window) -> sa.CompoundSelect[Any]:
    """Each link looked up by its index: nearly all licences end at another time."""
    return sa.union(
        *(
            sa.select(Licence.id)
            .join(Broker, Broker.id == Licence.broker_id)
            .where(column.between(window.first, window.last))
            for column in validity.LINK_COLUMNS.values()
        )
    )


def _remind(now: datetime, window: _Window, licence_id: int) -> bool:
    licence = db.session.scalar(
        sa.select(Licence)
        .where(Licence.id == licence_id)
        .options(sa.orm.joinedload(Licence.broker))
        .execution_options(populate_existing=True)
    )
    if licence is None or licence.status == LicenceStatus.CANCELLED:
        return False
    end = validity.of(licence)
    if not window.holds(end.until) or not _claimed(licence_id, end, window.days, now):
        return False
    licence_notices.tell(
        "licence:expiring",
        licence,
        now=now,
        what=LINK_NAMES[end.link],
        date=end.until,
        days=(end.until - kuwait_date(now)).days,
    )
    return True


def _claimed(licence_id: int, end: Validity, days: int, now: datetime) -> bool:
    """Whether this run is the one that tells of it; another at the same instant waits and isn't."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    claimed = db.session.scalar(
        insert(LicenceReminder)
        .values(licence_id=licence_id, link=end.link, ends=end.until, days=days, told_at=now)
        .on_conflict_do_nothing()
        .returning(LicenceReminder.id)
    )
    return claimed is not None
