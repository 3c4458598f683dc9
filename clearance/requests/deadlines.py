"""Due dates of requests, correction deadlines and notices about overdue requests."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from clearance import notifications
from clearance.core import office_settings
from clearance.core.clock import due_date, kuwait_date, kuwait_midnight
from clearance.core.conditional_writes import changed_rows
from clearance.core.extensions import db
from clearance.models import Event, Holiday, Request
from clearance.models.enums import Status
from clearance.requests import notice_values
from clearance.requests.timeline import STAGE
from clearance.services import registry, versions
from clearance.services.schema import Definition
from clearance.services.stages import Stage

LATE_BATCH = 200  # per transaction, which keeps locks short
Pause = tuple[datetime, datetime | None]
Course = Sequence[tuple[datetime, str | None, str | None]]
"""Time, status and stage of every status that a request entered since it was sent."""


def due_on(
    req: Request, service: Definition, target: str, now: datetime, stage: Stage | None = None
) -> date | None:
    """Return the day by which the office must answer `req` once in `target`; None if paused.

    stage: the one it is in then. See `due_after`.
    """
    if not _is_running(service, target, stage):
        return None
    entered = (now, target, stage.name if stage is not None else None)
    return due_after(service, req.sent_at or now, [*_history(req), entered], holidays())


def due_after(
    service: Definition, sent_at: datetime, course: Course, closed: AbstractSet[date]
) -> date | None:
    """Return the day by which the office must answer after the last entry of `course`, or None.

    A stage's working days count from when it was entered, the service's from sending. The clock is
    paused in statuses that the flow does not count, such as returned, and in stages that stop it.
    closed: the holidays. Source: specification section 6.
    """
    _at, status, name = course[-1]
    stage = service.stage(name)
    if not _is_running(service, status, stage):
        return None
    paused = pauses(service, course)
    if stage is not None and stage.days is not None:
        entered = stage_entered(course)
        within = [(start, end) for start, end in paused if end is None or end > entered]
        return due_date(entered, stage.days, within, closed)
    return due_date(sent_at, service.processing_days, paused, closed)


def pauses(service: Definition, course: Course) -> list[Pause]:
    """Return when the office's time did not run; the last pause may still be open."""
    found: list[Pause] = []
    since: datetime | None = None
    for at, status, name in course:
        is_running = _is_running(service, status, service.stage(name))
        if is_running and since is not None:
            found.append((since, at))
            since = None
        elif not is_running and since is None:
            since = at
    return found if since is None else [*found, (since, None)]


def stage_entered(course: Course) -> datetime:
    """Return when the stage of the last entry of `course` was entered."""
    entered, _status, last = course[-1]
    for at, _earlier, name in reversed(course):
        if name != last:
            break
        entered = at
    return entered


def _is_running(service: Definition, status: str | None, stage: Stage | None) -> bool:
    """Return whether the office's time runs; it did in statuses that the flow has no longer."""
    state = service.steps.state(status or "")
    return (state is None or state.on_clock) and (stage is None or stage.clock == "running")


def correct_by(status: str, returned_at: datetime | None) -> date | None:
    """Return the last Kuwait day, inclusive, to resend a returned request; None for other statuses.

    Source: specification section 5.
    """
    if status != Status.RETURNED or returned_at is None:
        return None
    return kuwait_date(returned_at) + _returned_lapse()


def lapse_if_returned_before(now: datetime) -> datetime:
    """Return the instant such that requests returned before it have missed `correct_by`."""
    return kuwait_midnight(kuwait_date(now) - _returned_lapse())


def _returned_lapse() -> timedelta:
    return timedelta(days=int(office_settings.get("returned_lapse_days")))


def holidays() -> frozenset[date]:
    """Return the Kuwait days on which the office is closed."""
    return frozenset(db.session.scalars(sa.select(Holiday.day)))


def tell_late(now: datetime) -> int:
    """Notify the office of overdue requests, once per due date. Flushes.

    Notifies the request's reviewer, or its team if it has no active one. Handles the
    LATE_BATCH most overdue requests; the next call continues. Returns how many it handled.
    Source: specification section 8.
    """
    late = db.session.scalars(
        sa.select(Request)
        .where(_is_late(now), registry.is_open(), versions.in_order())
        .order_by(Request.due_on, Request.id)
        .limit(LATE_BATCH)
    ).all()
    handled = 0
    for req in late:
        if _claim_lateness(req.id, now):
            params = notice_values.about(req)
            notifications.notify_reviewer_of("office:late", req, params=params, now=now)
            handled += 1
    return handled


def _is_late(now: datetime) -> sa.ColumnElement[bool]:
    """Match requests due before today without a notice yet; paused ones have no due date."""
    return sa.and_(
        Request.due_on < kuwait_date(now),
        Request.late_told_for.is_distinct_from(Request.due_on),
    )


def _claim_lateness(request_id: int, now: datetime) -> bool:
    telling = (
        sa.update(Request)
        .where(Request.id == request_id, _is_late(now))
        .values(late_told_for=Request.due_on)
    )
    return changed_rows(telling) == 1


def _history(req: Request) -> list[tuple[datetime, str | None, str | None]]:
    """Return the course of the request so far."""
    rows = db.session.execute(
        sa.select(Event.at, Event.to_status, Event.changes)
        .where(Event.request_id == req.id, Event.to_status.is_not(None))
        .order_by(Event.id)
    )
    return [
        (at, status, (changes or {}).get(STAGE, (None, None))[1]) for at, status, changes in rows
    ]
