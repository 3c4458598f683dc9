"""Which services the office has stopped, and until when; which it offers to a few meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from clearance.core import kept
from clearance.core.extensions import db
from clearance.models import Service, ServicePilot


class Stop(NamedTuple):
    """When a service is stopped, in Kuwait days.

    since: the first day. until: the first day on which it is no longer; None for no end. notice:
    what its card says meanwhile, by language. is_archived: drafts have no more time either.
    pilot_until: the last day on which other organisations have it, and this one does not see it.
    """

    since: date
    until: date | None
    notice: Mapping[str, str]
    is_archived: bool = False
    pilot_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the service is stopped on `day`."""
        return self.since <= day and not self.is_over(day)

    def is_over(self, day: date) -> bool:
        """Return whether the service was started again by `day`."""
        return self.until is not None and self.until <= day

    def hides_on(self, day: date) -> bool:
        """Return whether the service is not even seen on `day`, as only others pilot it."""
        return self.pilot_until is not None and day <= self.pilot_until and self.holds_on(day)

    def last_day_of_drafts(self, days: int) -> date:
        """Return the last day on which drafts can be sent. days: how many from the first one."""
        return self.since + timedelta(0 if self.is_archived else days) - timedelta(1)

    def notice_in(self, lang: str) -> str:
        """Return what the card says meanwhile in `lang`, or ""."""
        return self.notice.get(lang, "")


def of(service: Service, *, is_chosen: bool = False) -> Stop | None:
    """Return the service's stop, past or coming ones included, or None.

    is_chosen: for an organisation of its pilot, for which it is stopped after the pilot only.
    """
    if service.stopped_on is None:
        return None
    since, pilot_until = service.stopped_on, service.pilot_until
    if is_chosen and pilot_until is not None:
        since, pilot_until = max(since, pilot_until + timedelta(1)), None
    notice = service.stop_notice or {}
    return Stop(since, service.resumes_on, notice, not service.is_active, pilot_until)


def by_service(organisation_id: int | None) -> dict[str, Stop]:
    """Return service code → its stop for an organisation."""
    known = kept.until_changed("stops", _none)
    if organisation_id not in known:
        known[organisation_id] = _by_service(organisation_id)
    return known[organisation_id]


def _none() -> dict[int | None, dict[str, Stop]]:
    return {}


def _by_service(organisation_id: int | None) -> dict[str, Stop]:
    chosen = sa.exists().where(
        ServicePilot.service_code == Service.code, ServicePilot.organisation_id == organisation_id
    )
    rows = db.session.execute(sa.select(Service, chosen).where(Service.stopped_on.is_not(None)))
    found = {row.code: of(row, is_chosen=is_chosen) for row, is_chosen in rows}
    return {code: stop for code, stop in found.items() if stop is not None}


def hidden_from(organisation_id: int | None, day: date) -> frozenset[str]:
    """Return the codes of the services that the organisation does not see on a Kuwait day."""
    found = by_service(organisation_id)
    return frozenset(code for code, stop in found.items() if stop.hides_on(day))
