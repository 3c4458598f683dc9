"""The office's clock: when a request is due, when the clock stands, who is told of lateness."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from clearance import notifications
from clearance.core import office_settings
from clearance.core.clock import due_date, kuwait_date, kuwait_midnight
from clearance.core.extensions import db
from clearance.models import Event, Holiday, Request
from clearance.models.enums import OPEN_STATUSES, Status
from clearance.services import versions
from clearance.services.schema import Definition

LATE_BATCH = 200  # told in one transaction, so that nobody waits long for it
_Pause = tuple[datetime, datetime | None]


def due_on(req: Request, service: Definition, target: str, now: datetime) -> date | None:
    """The day by which the office answers `req` once it enters `target`; None while it need not.

    The clock stands in every status that the flow does not count, such as returned.
    Source: specification section 6.
    """
    running = service.steps.on_the_clock
    if target not in running:
        return None
    pauses: list[_Pause] = []
    since: datetime | None = None
    for at, status in [*_statuses(req), (now, target)]:
        if status in running and since is not None:
            pauses.append((since, at))
            since = None
        elif status not in running and since is None:
            since = at
    return due_date(req.sent_at or now, service.processing_days, pauses, holidays())


def correct_by(status: str, returned_at: datetime | None) -> date | None:
    """The last Kuwait day, inclusive, on which what was returned can be sent again; else None.

    Source: specification section 5.
    """
    if status != Status.RETURNED or returned_at is None:
        return None
    return kuwait_date(returned_at) + _returned_lapse()


def lapse_if_returned_before(now: datetime) -> datetime:
    """The instant before which what was returned has missed its `correct_by`."""
    return kuwait_midnight(kuwait_date(now) - _returned_lapse())


def _returned_lapse() -> timedelta:
    return timedelta(days=int(office_settings.get("returned_lapse_days")))


def holidays() -> frozenset[date]:
    """The Kuwait days on which the office does not work."""
    return frozenset(db.session.scalars(sa.select(Holiday.day)))


def tell_late(now: datetime) -> int:
    """Tell the office of requests whose due date has passed, once for each due date; flushes.

    The request's reviewer is told, or every reviewer while nobody who reviews has it. The longest
    late come first, LATE_BATCH at most; what is left waits for the next call, however long nobody
    called. Returns how many requests were told of. Source: specification section 8.
    """
    late = db.session.scalars(
        sa.select(Request)
        .where(_is_late(now), Request.status.in_(sorted(OPEN_STATUSES)))
        .order_by(Request.due_on, Request.id)
        .limit(LATE_BATCH)
    ).all()
    told = 0
    for req in late:
        if _claim_lateness(req.id, now):
            title = versions.for_request(req).title
            params = {"number": req.number, "service": {"ar": title.ar, "en": title.en}}
            notifications.notify_reviewer_of("office:late", req, params=params, now=now)
            told += 1
    return told


def _is_late(now: datetime) -> sa.ColumnElement[bool]:
    """Due before today, and not told yet. A due date stands only while the office's clock runs."""
    return sa.and_(
        Request.due_on < kuwait_date(now),
        Request.late_told_for.is_distinct_from(Request.due_on),
    )


def _claim_lateness(request_id: int, now: datetime) -> bool:
    claimed = db.session.scalar(
        sa.update(Request)
        .where(Request.id == request_id, _is_late(now))
        .values(late_told_for=Request.due_on)
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    )
    return claimed is not None


def _statuses(req: Request) -> list[tuple[datetime, str | None]]:
    """When the request entered which status since it was sent."""
    rows = db.session.execute(
        sa.select(Event.at, Event.to_status)
        .where(Event.request_id == req.id, Event.to_status.is_not(None))
        .order_by(Event.id)
    )
    return [(at, status) for at, status in rows]
