"""Opening dates of services: the Kuwait days on which requests may be started and sent."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.errors import Refusal


class OpeningDates(Protocol):
    """The part of a service's definition that says when it is open; both days are included."""

    @property
    def opens_on(self) -> date | None:
        """The first day, or None."""

    @property
    def closes_on(self) -> date | None:
        """The last day, or None."""


def refusal(service: OpeningDates, today: date) -> Refusal | None:
    """Return why requests are neither started nor sent on the Kuwait day `today`, or None."""
    if service.opens_on is not None and today < service.opens_on:
        return Refusal(
            _("This service opens on %(day)s.", day=i18n.day_in_words(service.opens_on)),
            _l("You can start and send requests from that day."),
        )
    if service.closes_on is not None and today > service.closes_on:
        return Refusal(
            _closed(service.closes_on),
            _l("Requests could be sent until the end of that day. Saved drafts are kept."),
        )
    return None


def sentence(service: OpeningDates, today: date) -> str:
    """Return from when until when the service is open, in the page's language; "" if it always is.

    A first day in the past is mentioned only together with a last day. For a closed service only
    the last day is given.
    """
    first, last = service.opens_on, service.closes_on
    if last is not None and last < today:
        return _closed(last)
    if first is not None and last is not None:
        days = {"first": i18n.day_in_words(first), "last": i18n.day_in_words(last)}
        return str(_("Open from %(first)s to %(last)s", **days))
    if last is not None:
        return str(_("Open until %(day)s", day=i18n.day_in_words(last)))
    if first is not None and today < first:
        return str(_("Open from %(day)s", day=i18n.day_in_words(first)))
    return ""


def _closed(last: date) -> str:
    return str(_("This service closed on %(day)s.", day=i18n.day_in_words(last)))
