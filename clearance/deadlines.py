"""The office's clock: when a request is due, counted in working days, standing while it waits."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from clearance.calendar import due_date
from clearance.definition import Definition
from clearance.extensions import db
from clearance.models import Event, Holiday, Request

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


def holidays() -> frozenset[date]:
    """The Kuwait days on which the office does not work."""
    return frozenset(db.session.scalars(sa.select(Holiday.day)))


def _statuses(req: Request) -> list[tuple[datetime, str | None]]:
    """When the request entered which status since it was sent."""
    rows = db.session.execute(
        sa.select(Event.at, Event.to_status)
        .where(Event.request_id == req.id, Event.to_status.is_not(None))
        .order_by(Event.id)
    )
    return [(at, status) for at, status in rows]
