"""My requests: the list and the routes of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import url_for
from flask_admin.model.template import EndpointLinkRowAction
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import ForAgents, chosen_organisation, current_actor
from admin_views.base.columns import Column
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList, url_in
from admin_views.my.requests import draft_list
from admin_views.my.requests.base import service_filter
from admin_views.my.requests.details import DetailRoutes
from admin_views.my.requests.documents import DocumentRoutes
from admin_views.my.requests.form import FormRoutes
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.models import Request
from clearance.models.enums import Status
from clearance.requests import search as request_search


def _number_link(row: Any) -> Any:
    url = url_for("my_requests.details", request_id=row.id)
    return Markup('<a href="{}">{}</a>').format(url, formatters.isolated(row.number))


class MyRequests(
    FormRoutes,
    DocumentRoutes,
    DetailRoutes,
    ForAgents,
    SearchedList,
    KeysetModelView,
):
    """Requests of the chosen organisation in the services granted to the reader.

    The list has those that were sent; drafts have a list of their own.
    """

    can_export = True
    columns = (
        Column("number", _l("Request number"), cell=_number_link, width="number"),
        replace(request_lists.SERVICE, order=(Request.service_code, Request.sent_at)),
        Column("name", _l("Name"), sql=request_lists.name_column, order=Request.name_folded),
        *request_lists.IDENTITY,
        replace(request_lists.STATUS, order=(Request.status, Request.sent_at)),
        Column(
            "created_at",
            _l("Created on"),
            formatters.format_instant,
            order=True,
            is_listed=False,
            width="moment",
        ),
        Column("sent_at", _l("Sent on"), formatters.date_of, order=True, width="date"),
        Column("due_on", _l("Due date"), formatters.day, width="date"),
    )
    column_filters = (
        request_lists.status_filter(is_draft_listed=False),
        service_filter(),
        *request_lists.sent_filters(),
    )
    column_extra_row_actions: ClassVar[list[Any]] = [
        EndpointLinkRowAction("eye", "my_requests.details_view", title=_l("Details"))
    ]
    default_order = ("sent_at", True)
    search_hint = _l("Number, name, civil number or mobile")
    empty_title = _l("No requests yet")
    empty_text = _l("Requests you send to the office appear here, with their status and next step.")
    list_template = "my/requests/list.html"

    def scope(self, query: Any) -> Any:
        return query.where(permissions.requests_visible_to(current_actor()))

    def also_selected(self) -> Sequence[Any]:
        return request_lists.STAGE

    def statement(self) -> sa.Select[Any]:
        """Leave drafts and the reader's other organisations out."""
        is_sent = Request.status != Status.DRAFT
        return super().statement().where(Request.organisation_id == chosen_organisation(), is_sent)

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            values["draft_count"] = draft_list.count()
        return super().render(template, **values)

    def search_condition(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed, chosen_organisation()).condition

    def search_counted(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed, chosen_organisation()).counted

    def search_sample(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed, chosen_organisation()).sample

    def hit(self, row: Any) -> Hit:
        return request_lists.hit(row, url_in(self, "details", request_id=row.id))
