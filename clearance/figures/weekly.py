"""The report of the week, by e-mail to the managers who chose it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clearance import notifications
from clearance.core.clock import is_daytime, kuwait_date
from clearance.core.extensions import db
from clearance.core.i18n import format_day
from clearance.figures import reading
from clearance.figures.measures import Measure
from clearance.figures.periods import Period, Span
from clearance.models import FigureState

EVENT = "figures:week"
PATH = "/office/dashboard/"


def send(now: datetime) -> int:
    """Send the figures of the last whole week, once and in daytime; a job. Flushes.

    It waits until all days of that week are final. Returns how many managers get it.
    """
    week = Period.of(Span.WEEK, kuwait_date(now)).previous
    state = db.session.get_one(FigureState, 1, with_for_update=True, populate_existing=True)
    is_final = state.complete_through is not None and state.complete_through >= week.last
    if not is_daytime(now) or not is_final or state.reported == week.last:
        return 0
    state.reported = week.last
    managers = notifications.choosers(EVENT)
    if not managers:
        return 0
    url = f"{PATH}?period={week.span}&at={week.start.isoformat()}"
    params = _params(reading.read(week))
    for manager in managers:
        notifications.notify_user(EVENT, user_id=manager, params=params, now=now, url=url)
    return len(managers)


def _params(figures: reading.Figures) -> dict[str, Any]:
    """Return the values of the message; what was not counted is left out."""
    total, before, present = figures.total, figures.before, figures.now
    first, last = format_day(figures.period.start), format_day(figures.period.last)
    values: dict[str, Any] = {
        "week": f"{first} – {last}",
        "received": total.all(Measure.RECEIVED),
        "received_before": before.all(Measure.RECEIVED),
        "decided": total.all(Measure.DECIDED),
        "decided_before": before.all(Measure.DECIDED),
        "open": present.all(Measure.OPEN),
        "late": present.all(Measure.LATE),
    }
    share, undelivered = total.share_in_time, present.all(Measure.UNDELIVERED)
    if share is not None:
        values["share"] = f"{share}%"
    if total.median is not None:
        values |= {"median": total.median, "ninetieth": total.ninetieth}
    if undelivered:
        values["undelivered"] = undelivered
    return values
