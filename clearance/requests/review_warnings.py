"""Warnings for the reviewer before a decision; none of them blocks it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, office_settings, urls
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.exams import passes
from clearance.licences import duplicates, granted_expiry
from clearance.models import Broker, Licence, Request
from clearance.models.enums import OPEN_STATUSES, LicenceStatus, Status, SuspendedBy
from clearance.services import versions

MOST_TOLD = 5


def warnings(req: Request, now: datetime) -> list[Refusal]:
    """Return all warnings about an undecided `req`, in the page's language; [] once decided.

    They cover suspension by the office, documents expiring before the new expiry date, other open
    requests about the same person or licence, other brokers with the same civil or passport number,
    and a missing or outdated exam. The number of queries is constant.
    Source: specification section 5, Effective validity; section 8.
    """
    if req.decided_at is not None:
        return []
    return [
        *_suspended(req),
        *cautions(req, now),
        *_other_requests(req),
        *_same_civil_id(req),
        *_same_passport(req),
        *_exam(req, now),
    ]


def cautions(req: Request, now: datetime) -> list[Refusal]:
    """Return a warning for every document expiring before the new expiry date, with advice.

    Cheap enough for bulk actions.
    """
    advice = _l("Grant an earlier date, or return the request so that it is renewed too.")
    return [Refusal(warning.text, advice) for warning in granted_expiry.warnings(req, now)]


def _suspended(req: Request) -> list[Refusal]:
    licence = req.licence
    if licence is None or licence.suspended_by != SuspendedBy.OFFICE:
        return []
    return [
        Refusal(
            _("The office has suspended licence %(number)s.", number=licence.number),
            _l("Its page tells when and why."),
            urls.office_licence_url(licence.id),
        )
    ]


def _other_requests(req: Request) -> list[Refusal]:
    """Return open requests of any organisation about the same person or licence."""
    ways = []
    if req.civil_id:
        ways.append(Request.civil_id == req.civil_id)
    if req.licence_id is not None:
        ways.append(Request.licence_id == req.licence_id)
    if not ways:
        return []
    # A union, so that every condition uses its own index.
    found = sa.union(*(sa.select(Request.id).where(way) for way in ways))
    rows = db.session.scalars(
        sa.select(Request)
        .where(
            Request.id.in_(found), Request.id != req.id, Request.status.in_(sorted(OPEN_STATUSES))
        )
        .order_by(Request.sent_at, Request.id)
        .limit(MOST_TOLD)
    ).all()
    lang = i18n.language()
    return [
        Refusal(
            _(
                "Request %(number)s (%(service)s) about the same is open.",
                number=other.number,
                service=versions.for_request(other).title_in(lang),
            ),
            url=urls.office_request_url(other.id),
        )
        for other in rows
    ]


def _same_civil_id(req: Request) -> list[Refusal]:
    """Return another broker with the request's civil number."""
    return [
        Refusal(
            _(
                "This civil number is in the register already: %(broker)s.",
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
                "The same passport number stands on another broker: %(broker)s.",
                broker=_named(broker),
            ),
            url=urls.office_broker_url(broker.id),
        )
        for broker in others[:MOST_TOLD]
    ]


def _exam(req: Request, now: datetime) -> list[Refusal]:
    """Warn about a missing or outdated exam, for services that start from passed candidates."""
    if versions.for_request(req).start != "passed_candidates" or not req.civil_id:
        return []
    passed_at = db.session.scalar(
        sa.select(sa.func.max(Request.decided_at)).where(
            Request.civil_id == req.civil_id, Request.status == Status.PASSED
        )
    )
    if passed_at is None:
        return [Refusal(_l("The portal knows of no exam that this person has passed."))]
    passed = kuwait_date(passed_at)
    last = passes.valid_until(passed, int(office_settings.get(passes.VALIDITY_YEARS)))
    if kuwait_date(now) <= last:
        return []
    return [
        Refusal(
            _(
                "The exam was passed on %(passed)s, and that counted until %(day)s.",
                passed=i18n.format_day(passed),
                day=i18n.format_day(last),
            )
        )
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
