"""Warnings for the reviewer before a decision; none of them blocks it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from clearance.core import i18n, urls
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.models import Request
from clearance.services import registry, versions
from clearance.services.target import Target

MOST_TOLD = 5


def warnings(req: Request, now: datetime) -> list[Refusal]:
    """Return all warnings about an undecided `req`, in the page's language; [] once decided.

    They are those of the subjects, and other open requests about the same person or record. The
    number of queries is constant.
    Source: specification section 5, Effective validity; section 8.
    """
    if req.decided_at is not None:
        return []
    return [
        *cautions(req, now),
        *(found for warn in registry.current().warnings for found in warn(req, now)),
        *_other_requests(req),
    ]


def _other_requests(req: Request) -> list[Refusal]:
    """Return open requests of any organisation about the same person or record."""
    found = Target.of(req).request_ids()
    if found is None:
        return []
    open_statuses = registry.current().open_statuses
    rows = db.session.scalars(
        sa.select(Request)
        .where(
            Request.id.in_(found), Request.id != req.id, Request.status.in_(sorted(open_statuses))
        )
        .order_by(Request.sent_at, Request.id)
        .limit(MOST_TOLD)
    ).all()
    lang = i18n.language()
    return [
        Refusal(
            _(
                "Request %(number)s (%(service)s) is still open.",
                number=other.number,
                service=versions.for_request(other).title_in(lang),
            ),
            url=urls.office_request_url(other.id),
        )
        for other in rows
    ]


def cautions(req: Request, now: datetime) -> list[Refusal]:
    """Return what to know before granting what the approval of `req` asks for.

    Cheap enough for bulk actions.
    """
    service = versions.for_request(req)
    asked = (model for step in service.steps.steps for model in service.decisions(step))
    models = dict.fromkeys(asked)
    return [caution for model in models for caution in model.cautions(req, now)]
