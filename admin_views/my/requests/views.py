"""My requests: the list and the routes of a request."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import url_for
from flask_admin.model.template import EndpointLinkRowAction
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.keyset_list import KeysetModelView
from admin_views.my.requests.details import DetailRoutes
from admin_views.my.requests.documents import DocumentRoutes
from admin_views.my.requests.form import FormRoutes
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.models import Request
from clearance.requests import search as request_search


def _number_link(view: Any, context: Any, row: Any, key: str) -> Any:
    url = url_for("my_requests.details", request_id=row.id)
    number = request_lists.number_cell(view, context, row, key)
    return Markup('<a href="{}">{}</a>').format(url, number)


class MyRequests(FormRoutes, DocumentRoutes, DetailRoutes, KeysetModelView):
    """Requests of the chosen organisation in the services granted to the reader."""

    can_export = True
    column_list = ("number", "service_code", "name", "status", "sent_at", "due_on")
    column_export_list = (
        "number",
        "service_code",
        "name",
        "civil_id",
        "mobile",
        "status",
        "created_at",
        "sent_at",
        "due_on",
    )
    column_labels = request_lists.LABELS
    column_formatters: ClassVar[dict[str, Any]] = {
        "number": _number_link,
        "service_code": request_lists.service_cell,
        "status": formatters.status,
        "sent_at": formatters.format_date_of_instant,
        "due_on": formatters.day,
    }
    column_filters = (
        request_lists.status_filter(),
        request_lists.service_filter(),
        *request_lists.sent_filters(),
    )
    column_extra_row_actions: ClassVar[list[Any]] = [
        EndpointLinkRowAction("eye", "my_requests.details_view", title=_l("Details"))
    ]
    orders: ClassVar[dict[str, Any]] = {
        "created_at": Request.created_at,
        "sent_at": sa.func.coalesce(
            Request.sent_at, Request.created_at, type_=Request.sent_at.type
        ),
        "status": Request.status,
        "name": Request.name_folded,
    }
    default_order = ("created_at", True)
    search_hint = _l("Number, name, civil number or mobile")
    empty_title = _l("No requests yet")
    empty_text = _l("What you send to the office stands here, with where it is and what is next.")
    list_template = "my/requests/list.html"

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    def scope(self, query: Any) -> Any:
        return query.where(permissions.requests_visible_to(current_actor()))

    def statement(self) -> sa.Select[Any]:
        standing = current_actor().standing
        chosen = Request.organisation_id == (standing.organisation_id if standing else 0)
        rows: sa.Select[Any] = self.scope(
            sa.select(
                Request.id,
                Request.number,
                Request.service_code,
                Request.status,
                Request.created_at,
                Request.sent_at,
                Request.due_on,
                Request.civil_id,
                Request.mobile,
                request_lists.name_column(),
            ).where(chosen)
        )
        return rows

    def search_condition(self, typed: str) -> Any | None:
        return request_search.condition(typed)

    def export_value(self, row: Any, key: str) -> Any:
        if key == "status":
            return formatters.status_label(row.status)
        if key == "service_code":
            return request_lists.title_of(row.service_code)
        if key in {"created_at", "sent_at"}:
            return i18n.format_instant(getattr(row, key))
        return super().export_value(row, key)
