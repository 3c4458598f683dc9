"""Warnings to the reviewer about the licence or person of a request; they refuse nothing."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, urls
from clearance.core.errors import Refusal
from clearance.licences import duplicates
from clearance.models import Broker, Licence, Request
from clearance.models.enums import LicenceStatus, SuspendedBy

MOST_TOLD = 5


def warnings(req: Request, now: datetime) -> list[Refusal]:
    """Return warnings of a suspension by the office and of others with the same numbers."""
    return [*_suspended(req), *_same_civil_id(req), *_same_passport(req)]


def _suspended(req: Request) -> list[Refusal]:
    licence = req.licence
    if licence is None or licence.suspended_by != SuspendedBy.OFFICE:
        return []
    return [
        Refusal(
            _("The office has suspended licence %(number)s.", number=licence.number),
            _l("Its page shows when and why."),
            urls.office_licence_url(licence.id),
        )
    ]


def _same_civil_id(req: Request) -> list[Refusal]:
    """Return another broker with the request's civil number."""
    return [
        Refusal(
            _(
                "This civil number is already in the register: %(broker)s.",
                broker=_named(broker),
            ),
            url=urls.office_broker_url(broker.id),
        )
        for broker in duplicates.with_civil_id(req.civil_id or "", except_id=req.broker_id)
    ]


def _same_passport(req: Request) -> list[Refusal]:
    """Return other brokers with the passport number of the request, or else of its broker."""
    number = req.passport_no or (req.broker.passport_no if req.broker is not None else "")
    found = duplicates.with_passport(number, except_id=req.broker_id)
    others = [broker for broker in found if broker.civil_id != req.civil_id]
    return [
        Refusal(
            _(
                "Another broker has the same passport number: %(broker)s.",
                broker=_named(broker),
            ),
            url=urls.office_broker_url(broker.id),
        )
        for broker in others[:MOST_TOLD]
    ]


def _named(broker: Broker) -> str:
    """Return the broker's name, organisation and licences, in the page's language."""
    lang = i18n.language()
    parts = [broker.name_in(lang), broker.organisation.name_in(lang)]
    parts += [
        _(
            "licence %(number)s (%(status)s)",
            number=licence.number,
            status=LicenceStatus(licence.status).label,
        )
        for licence in _living_first(broker)
    ]
    return str(_(", ")).join(parts)


def _living_first(broker: Broker) -> list[Licence]:
    """Return the licences that are not cancelled, or else the last one."""
    living = [licence for licence in broker.licences if licence.status != LicenceStatus.CANCELLED]
    return living or broker.licences[-1:]
