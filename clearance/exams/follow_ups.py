"""What a passed exam leads on to: applying for the licence, while the pass is valid."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.core import i18n, office_settings
from clearance.core.actor import Actor
from clearance.core.database import shared_alias
from clearance.exams import passes, starts
from clearance.licences import facts as licence_facts
from clearance.models import Broker, Licence, Request
from clearance.models.enums import LicenceStatus, Status
from clearance.services.extension import FollowUp
from clearance.services.schema import Definition

MOST_READ = 12
"""Passed requests that are read for the home page, which shows a few of them."""
_BEGUN = shared_alias(Request)


def licences_to_apply_for(
    actor: Actor, lang: str, now: datetime, request_id: int | None
) -> list[FollowUp]:
    """Return the passed exams of the chosen organisation that a licence can be applied for with.

    Those whose pass is valid, and whose candidate has neither a licence nor a draft or open request
    for one. request_id: of one exam request, or None for the newest ones.
    """
    standing = actor.standing
    if standing is None:
        return []
    return [
        FollowUp(
            offer.request.id,
            offer.request.number or "",
            offer.request.name_in(lang),
            _(
                "You can apply for the licence until %(day)s.",
                day=i18n.format_day(offer.counts_until),
            ),
            service,
            _l("All candidates who can apply for a licence"),
        )
        for service in starts.services_after_a_pass(standing.organisation_id)
        if standing.may_use(service.code)
        for offer in starts.startable_candidates(
            service.code,
            actor,
            now,
            _not_begun(actor, service, now, request_id),
            MOST_READ,
            known={licence_facts.licensed: frozenset()},
        )
        if offer.refusal is None and offer.counts_until is not None
    ]


def _not_begun(
    actor: Actor, service: Definition, now: datetime, request_id: int | None
) -> sa.ColumnElement[bool]:
    """Return the condition on passed requests without a draft or open one for the service.

    It leaves out the passes of long ago and the candidates with a licence, who need not be loaded
    to be refused.
    """
    longest = timedelta(days=366 * (int(office_settings.get(passes.VALIDITY_YEARS)) + 1))
    # Wrapped, so that SQLite finds the candidate's own few requests by the civil number and does
    # not read all of the organisation, all drafts or all undecided ones for each candidate.
    organisation_id = sa.func.coalesce(_BEGUN.organisation_id, 0)
    is_unfinished = sa.case((_BEGUN.status == Status.DRAFT, 1), (_BEGUN.decided_at.is_(None), 1))
    is_begun = sa.exists().where(
        _BEGUN.civil_id == Request.civil_id,
        _BEGUN.service_code == service.code,
        organisation_id == Request.organisation_id,
        is_unfinished == 1,
    )
    is_licensed = sa.exists().where(
        Broker.civil_id == Request.civil_id,
        Licence.broker_id == Broker.id,
        Licence.status != LicenceStatus.CANCELLED,
    )
    shown = sa.and_(
        permissions.requests_visible_to(actor),
        Request.decided_at > now - longest,
        ~is_begun,
        ~is_licensed,
    )
    return shown if request_id is None else sa.and_(shown, Request.id == request_id)
