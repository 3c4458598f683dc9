"""Count what there is now: open requests, licences that expire, undelivered messages."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from clearance.core.clock import kuwait_date, kuwait_midnight
from clearance.core.extensions import db
from clearance.figures.ages import AGES
from clearance.figures.measures import Dimension, Measure, Tally, reviewing
from clearance.figures.periods import Period, Span
from clearance.models import Delivery, Licence, Request
from clearance.models.enums import DeliveryStatus, LicenceStatus
from clearance.services import registry

EXPIRING_MONTHS = 12
"""How many months ahead licences are counted, the present one included."""

READ_AT_ONCE = 5_000


def count(now: datetime) -> Tally:
    """Return the figures of the present."""
    today = kuwait_date(now)
    tally = count_open(today)
    _count_expiring(tally, today)
    undelivered = db.session.execute(
        sa.select(Delivery.channel, sa.func.count())
        .where(Delivery.status == DeliveryStatus.GIVEN_UP)
        .group_by(Delivery.channel)
    )
    for channel, number in undelivered:
        tally.count([], Measure.UNDELIVERED, channel, number)
    return tally


def expiring_months(today: date) -> list[Period]:
    """Return the months that expiring licences are counted for."""
    found = [Period.of(Span.MONTH, today)]
    while len(found) < EXPIRING_MONTHS:
        found.append(found[-1].following)
    return found


def count_open(today: date) -> Tally:
    """Count the open requests; those with a due date or a team wait for the office."""
    tally = Tally()
    is_at_office = sa.or_(Request.due_on.is_not(None), Request.team_code.is_not(None))
    undecided = sa.select(
        Request.status,
        Request.service_code,
        Request.stage,
        Request.team_code,
        Request.reviewer_id,
        sa.case((is_at_office, 1), else_=0),
        sa.case((Request.due_on < today, 1), else_=0),
        _age(today),
    ).where(Request.decided_at.is_(None), Request.sent_at.is_not(None))
    # Grouped here: SQLite sorts by eight columns to do it, which takes ten times as long.
    rows = db.session.connection().execute(undecided.execution_options(yield_per=READ_AT_ONCE))
    known = registry.current()
    for shape, number in Counter(tuple(row) for row in rows).items():
        status, code, stage, team, reviewer, at_office, is_late, age = shape
        if status not in known.open_statuses:
            continue
        about = [
            (Dimension.SERVICE, code),
            (Dimension.STAGE, None if stage is None else f"{code}.{stage}"),
            (Dimension.TEAM, team),
            *reviewing(code, reviewer),
        ]
        tally.count(about, Measure.OPEN, status, number)
        if at_office:
            tally.count(about, Measure.WAITING, age, number)
        if at_office and is_late:
            tally.count(about, Measure.LATE, number=number)
        if status in known.waiting_statuses:
            tally.count(about, Measure.APPLICANT, number=number)
    return tally


def _age(today: date) -> sa.ColumnElement[str]:
    """Return the key in AGES of a request's age."""
    younger = [
        (Request.sent_at >= kuwait_midnight(today - timedelta(days=end - 1)), key)
        for key, (_label, _first, end) in AGES.items()
        if end is not None
    ]
    return sa.case(*younger, else_=list(AGES)[-1])


def _count_expiring(tally: Tally, today: date) -> None:
    months = expiring_months(today)
    year, month = sa.extract("year", Licence.expires), sa.extract("month", Licence.expires)
    rows = db.session.execute(
        sa.select(year, month, sa.func.count())
        .where(
            Licence.status == LicenceStatus.ACTIVE,
            Licence.expires.between(months[0].start, months[-1].last),
        )
        .group_by(year, month)
    )
    for in_year, in_month, number in rows:
        value = f"{int(in_year)}-{int(in_month):02d}"
        tally.count([], Measure.EXPIRING, value, number)
