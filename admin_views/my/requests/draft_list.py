"""The drafts of the chosen organisation, apart from the requests that were sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_admin import expose

from admin_views.base.access import chosen_organisation, current_actor
from admin_views.my.brokers.cards import PAGE_SIZE, Asked, CardPage, asked
from admin_views.my.requests.base import RequestRoutes
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core.extensions import db
from clearance.models import Licence, Request
from clearance.models.enums import Status
from clearance.requests import search as request_search


def count() -> int:
    """Return how many drafts of the chosen organisation the reader may see."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Request).where(_shown())) or 0


class DraftListRoutes(RequestRoutes):
    """The tab with the drafts, the one saved last first."""

    @expose("/drafts")
    def drafts(self) -> Any:
        """List the drafts with what tells them apart: service, person or number, last saved."""
        return self.render("my/requests/drafts.html", page=_page(asked()), draft_count=count())


def _shown() -> sa.ColumnElement[bool]:
    return sa.and_(
        permissions.requests_visible_to(current_actor()),
        Request.organisation_id == chosen_organisation(),
        Request.status == Status.DRAFT,
    )


def _page(wanted: Asked) -> CardPage:
    condition = request_search.condition(wanted.search) if wanted.search else None
    shown = _shown() if condition is None else sa.and_(_shown(), condition)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Request).where(shown)) or 0
    number = min(wanted.page, max(0, -(-total // PAGE_SIZE) - 1))
    found = db.session.execute(
        sa.select(
            Request.id,
            Request.service_code,
            Request.civil_id,
            Request.saved_at,
            Licence.number.label("licence_number"),
            request_lists.name_column(),
        )
        .outerjoin(Licence, Licence.id == Request.licence_id)
        .where(shown)
        .order_by(Request.saved_at.desc(), Request.id.desc())
        .limit(PAGE_SIZE)
        .offset(number * PAGE_SIZE)
    )
    rows = [{**row._mapping, "service": request_lists.title_of(row.service_code)} for row in found]
    return CardPage(rows, total, number, wanted)
