"""The daily licence job: expire overdue licences and send expiry reminders.

Works in batches, one transaction per batch, so that locks are short and an aborted run can resume.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from clearance.core import office_settings
from clearance.core.clock import is_daytime, kuwait_date
from clearance.core.conditional_writes import insert_ignoring
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.licences import notifications as licence_notices
from clearance.licences import register as licence_register
from clearance.licences import validity
from clearance.licences.validity import Validity
from clearance.models import Broker, Licence, LicenceReminder
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy, ValidityLink

BATCH = 100

# What expires (`what`), worded to follow «صلاحية» in Arabic and “the” in English.
_LINK_NAMES = {
    ValidityLink.LICENCE: {"ar": "الرخصة", "en": "licence"},
    ValidityLink.GUARANTEE: {"ar": "الضمان البنكي", "en": "bank guarantee"},
    ValidityLink.CIVIL_ID: {"ar": "البطاقة المدنية", "en": "civil ID card"},
    ValidityLink.PASSPORT: {"ar": "جواز السفر", "en": "passport"},
}

_log = structlog.get_logger(__name__)
_Act = Callable[[int], bool]


def daily(now: datetime) -> None:
    """Expire licences and send reminders, at daytime only. Idempotent.

    Until the job has run, `validity.status_on` already reports expired licences as such.
    """
    if is_daytime(now):
        expire(now)
        remind(now)


def expire(now: datetime) -> int:
    """Expire every licence past its last day and notify its users. Commits each batch.

    Applies to active licences and those suspended by their holder, not to those suspended by the
    office. now: aware UTC; the last day is a Kuwait day, inclusive. Returns how many expired.
    Source: specification sections 2 and 10.
    """
    overdue = sa.select(Licence.id).where(_is_overdue(kuwait_date(now)))
    return _work_through(overdue, partial(_expire, now))


def remind(now: datetime) -> int:
    """Send reminders a number of days (a setting) before effective validity ends. Commits batches.

    Only the nearest reminder due is sent for an end date, and none after a nearer one, so that
    downtime or a changed setting causes no duplicates. A new end date starts over. Cancelled
    licences are skipped. Returns how many reminders were sent.
    Source: specification sections 5 and 10.
    """
    today, days = kuwait_date(now), office_settings.get("reminder_days")
    db.session.commit()  # end the read transaction: due licences are searched in their own
    return sum(
        _work_through(_reminders_due(window), partial(_remind, now, window))
        for window in _windows(today, days)
    )


@dataclass(frozen=True)
class _Window:
    """The end dates for which the reminder `days` before is the nearest one due."""

    first: date
    last: date
    days: int

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


def _windows(today: date, days: Sequence[int]) -> list[_Window]:
    found, first = [], today
    for reminder_days in sorted(set(days)):
        last = today + timedelta(days=reminder_days)
        found.append(_Window(first, last, reminder_days))
        first = last + timedelta(days=1)
    return found


def _work_through(due: sa.Select[Any], act: _Act) -> int:
    """Call `act` for every licence found, committing each batch. Returns how often it acted.

    Failures are logged and left for the next run.
    """
    acted, last = 0, 0
    while True:
        # A separate read transaction, so that SQLite's write lock is not held meanwhile.
        with own_transaction(write=False) as connection:
            batch = due.where(Licence.id > last).order_by(Licence.id).limit(BATCH)
            ids = connection.scalars(batch).all()
        if not ids:
            return acted
        acted += sum(_tried(act, licence_id) for licence_id in ids)
        db.session.commit()
        last = ids[-1]


def _tried(act: _Act, licence_id: int) -> bool:
    try:
        with db.session.begin_nested():
            return act(licence_id)
    except Exception:  # one bad row must not stop the others
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
    # A locked licence is being changed: leave it to the next run.
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
    """Select licences whose validity ends in the window and that had no reminder about it yet."""
    until = validity.until_column()
    reminded = sa.exists().where(
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
            ~reminded,
        )
    )


def _with_a_link_ending(window: _Window) -> sa.CompoundSelect[Any]:
    """Select licences with any date in the window; a union, so that every column uses its index."""
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
        what=_LINK_NAMES[end.link],
        date=end.until,
        days=(end.until - kuwait_date(now)).days,
    )
    return True


def _claimed(licence_id: int, end: Validity, days: int, now: datetime) -> bool:
    """Claim the reminder; False if another run has sent it or is sending it."""
    return insert_ignoring(
        LicenceReminder,
        licence_id=licence_id,
        link=end.link,
        ends=end.until,
        days=days,
        told_at=now,
    )
