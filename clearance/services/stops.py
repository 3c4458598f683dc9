"""Which services the office has stopped, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Service


class Stop(NamedTuple):
    """When a service is stopped, in Kuwait days.

    since: the first day. until: the first day on which it is no longer; None for no end. notice:
    what its card says meanwhile, by language. is_archived: drafts have no more time either.
    """

    since: date
    until: date | None
    notice: Mapping[str, str]
    is_archived: bool = False

    def holds_on(self, day: date) -> bool:
        """Return whether the service is stopped on `day`."""
        return self.since <= day and not self.is_over(day)

    def is_over(self, day: date) -> bool:
        """Return whether the service was started again by `day`."""
        return self.until is not None and self.until <= day

    def last_day_of_drafts(self, days: int) -> date:
        """Return the last day on which drafts can be sent. days: how many from the first one."""
        return self.since + timedelta(0 if self.is_archived else days) - timedelta(1)

    def notice_in(self, lang: str) -> str:
        """Return what the card says meanwhile in `lang`, or ""."""
        return self.notice.get(lang, "")


def of(service: Service) -> Stop | None:
    """Return the service's stop, past or coming ones included, or None."""
    if service.stopped_on is None:
        return None
    return Stop(
        service.stopped_on, service.resumes_on, service.stop_notice or {}, not service.is_active
    )


def by_service() -> dict[str, Stop]:
    """Return service code → its stop; one query."""
    rows = db.session.scalars(sa.select(Service).where(Service.stopped_on.is_not(None)))
    return {row.code: stop for row in rows if (stop := of(row)) is not None}
