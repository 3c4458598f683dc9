"""Shared base of the request routes and lists: lookup, URLs, the service filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import url_for

from admin_views.base.access import chosen_organisation
from admin_views.base.filters import ListFilter
from admin_views.shared import request_lists
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.models import Request
from clearance.services import stops


class RequestRoutes:
    """Request view mixin; `get_one` aborts with 404 for requests the reader may not see."""

    get_one: Callable[[Any], Request]
    render: Callable[..., str]


def service_filter() -> ListFilter:
    """Return the service filter without what other organisations pilot and this one never used."""
    return request_lists.service_filter(_service_titles)


def _service_titles() -> list[tuple[str, str]]:
    titles, organisation_id = request_lists.service_titles(), chosen_organisation()
    hidden = stops.hidden_from(organisation_id, kuwait_today())
    if hidden:
        used = sa.select(Request.service_code).distinct()
        own = used.where(
            Request.organisation_id == organisation_id, Request.service_code.in_(sorted(hidden))
        )
        hidden -= set(db.session.scalars(own))
    return [(code, title) for code, title in titles if code not in hidden]


def details_url(req: Request, anchor: str = "") -> str:
    """Return the URL of the details page."""
    return url_for("my_requests.details", request_id=req.id, _anchor=anchor or None)


def form_url(req: Request, anchor: str = "", add: str | None = None) -> str:
    """Return the URL of the form. add: name of the field that is shown with another row."""
    return url_for("my_requests.form_page", request_id=req.id, add=add, _anchor=anchor or None)
