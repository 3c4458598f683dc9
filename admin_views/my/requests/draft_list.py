"""The drafts of the chosen organisation, apart from the requests that were sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin.model.template import TemplateLinkRowAction
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import ForAgents, chosen_organisation, current_actor
from admin_views.base.columns import Column
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList
from admin_views.my.requests.base import service_filter
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core.extensions import db
from clearance.models import Licence, Request
from clearance.models.enums import Status
from clearance.requests import search as request_search

_CIVIL_ID, _MOBILE = request_lists.IDENTITY


def count() -> int:
    """Return how many drafts of the chosen organisation the reader may see."""
    visible = permissions.requests_visible_to(current_actor())
    counted = sa.select(sa.func.count()).select_from(Request).where(visible, _is_shown())
    return db.session.scalar(counted) or 0


def _is_shown() -> sa.ColumnElement[bool]:
    return sa.and_(Request.organisation_id == chosen_organisation(), Request.status == Status.DRAFT)


def _service(row: Any) -> Markup:
    url = url_for("my_requests.form_page", request_id=row.id)
    return Markup('<a href="{}">{}</a>').format(url, request_lists.service_cell(row))


def _name(row: Any) -> Markup:
    if row.name:
        return formatters.bdi(row.name)
    return Markup('<span class="hint">{}</span>').format(_l("Not entered yet"))


class MyDrafts(ForAgents, SearchedList, KeysetModelView):
    """Drafts in the services granted to the reader, the one saved last first."""

    can_export = True
    columns = (
        replace(request_lists.SERVICE, cell=_service, width=""),
        Column("name", _l("Name"), cell=_name, sql=request_lists.name_column),
        Column(
            "licence_number",
            _l("Licence number"),
            formatters.isolated,
            sql=Licence.number,
            width="number",
        ),
        *(
            replace(column, is_listed=column.name == "civil_id")
            for column in request_lists.IDENTITY
        ),
        Column(
            "created_at",
            _l("Created on"),
            formatters.format_instant,
            is_listed=False,
            width="moment",
        ),
        Column("saved_at", _l("Last saved"), formatters.format_instant, order=True, width="moment"),
    )
    column_filters = (service_filter(),)
    default_order = ("saved_at", True)
    search_hint = _l("Name, civil number or mobile")
    empty_title = _l("No drafts")
    empty_text = _l("Requests that you begin and do not send yet appear here.")
    list_template = "my/requests/drafts.html"

    def scope(self, query: Any) -> Any:
        return query.where(permissions.requests_visible_to(current_actor()), _is_shown())

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.outerjoin(Licence, Licence.id == Request.licence_id)

    def get_list_row_actions(self) -> list[Any]:
        return [TemplateLinkRowAction("row_actions.draft")]

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            values["draft_count"] = count()
        return super().render(template, **values)

    def search_condition(self, typed: str) -> Any | None:
        return request_search.condition_for_few(typed)

    def hit(self, row: Any) -> Hit:
        url = url_for("my_requests.form_page", request_id=row.id)
        notes = (row.name, row.licence_number)
        return Hit(request_lists.title_of(row.service_code), url, notes)
