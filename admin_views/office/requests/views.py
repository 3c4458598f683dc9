"""Requests at the office: list, queues and request pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from admin_views.base import formatters
from admin_views.base.access import ForReaders, current_actor
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList, url_in
from admin_views.office.requests import queues
from admin_views.office.requests.actions import BULK_ACTIONS, StepRoutes, is_offered
from admin_views.office.requests.answers_export import AnswersExport
from admin_views.office.requests.queues import Queue
from admin_views.office.requests.review import ReviewRoutes
from admin_views.shared import register_lists, request_lists
from admin_views.shared.document_reading import DocumentReading
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.clock import kuwait_today
from clearance.core.database import shared_alias
from clearance.models import Broker, Organisation, Request, User
from clearance.requests import search as request_search

_REVIEWER = shared_alias(User)
_OLDEST_FIRST = {Queue.MINE, Queue.UNASSIGNED, Queue.LATE}


def _number(row: Any) -> Markup:
    return formatters.link(row.id, formatters.bdi(row.number))


def _person(row: Any) -> Markup:
    return formatters.bdi(row.name or "—") + formatters.under_whole(
        request_lists.masked_civil_id(row.civil_id)
    )


def _due(due_on: date | None) -> Any:
    if due_on and due_on < kuwait_today():
        return formatters.marked_day(due_on, _l("Overdue"), "danger")
    return formatters.day(due_on)


def _name() -> sa.ColumnElement[str]:
    """Return the person's name column; the register's name if the request has none."""
    return _name_in(i18n.language())


@cache
def _name_in(lang: str) -> sa.ColumnElement[str]:
    own, registered = (request_lists.name_in_sql(model, lang) for model in (Request, Broker))
    of_broker = f"(SELECT {registered} FROM broker WHERE broker.id = request.broker_id)"  # noqa: S608 - our own columns
    named: sa.ColumnElement[str] = sa.literal_column(
        f"coalesce(nullif({own}, ''), {of_broker}, '')", sa.String()
    )
    return named.label("name")


def _reviewer() -> Any:
    return _REVIEWER.selected_name(i18n.language())


class OfficeRequests(
    ReviewRoutes,
    StepRoutes,
    AnswersExport,
    DocumentReading,
    ForReaders,
    SearchedList,
    KeysetModelView,
):
    """All sent requests; reviewers decide, managers read, assign and export."""

    can_export = for_managers
    counts_alone = True
    columns = (
        Column("number", _l("Request number"), cell=_number, width="number"),
        request_lists.SERVICE,
        Column("name", _l("Name"), cell=_person, sql=_name),
        *request_lists.IDENTITY,
        replace(register_lists.ORGANISATION, cell=None, shown=formatters.isolated),
        request_lists.STATUS,
        Column("reviewer", _l("Reviewer"), formatters.isolated, sql=_reviewer, width="short"),
        Column("sent_at", _l("Sent on"), formatters.date_of, order=True, width="date"),
        Column("due_on", _l("Due date"), _due, order=queues.DUE_ORDER, width="marked"),
    )
    column_filters = queues.filters()
    default_order = ("sent_at", True)
    action_order = tuple(BULK_ACTIONS)
    search_hint = _l("Number, name, civil number or mobile")
    empty_title = _l("No requests yet")
    empty_text = _l("Requests appear here as soon as applicants send them.")
    list_template = "office/requests/list.html"

    def scope(self, query: Any) -> Any:
        return query.where(permissions.requests_visible_to(current_actor()))

    def get_query(self) -> Any:
        """Preload the service versions, which all parts of a page need."""
        return super().get_query().options(joinedload(Request.service_version))

    def also_selected(self) -> Sequence[Any]:
        return [*register_lists.organisation_columns(), *request_lists.STAGE]

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        # Outer, though always present: counts then omit it, and no scan starts with it.
        return rows.outerjoin(Organisation, Organisation.id == Request.organisation_id).outerjoin(
            _REVIEWER, _REVIEWER.id == Request.reviewer_id
        )

    def search_condition(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed).condition

    def search_counted(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed).counted

    def search_sample(self, typed: str) -> Any | None:
        return request_search.once_a_page(typed).sample

    def best(self, typed: str) -> Any | None:
        return request_search.newest_condition(typed)

    def hit(self, row: Any) -> Hit:
        organisation = register_lists.organisation_name(row)
        return request_lists.hit(row, url_in(self, "details_view", id=row.id), organisation)

    @expose("/")
    def index_view(self) -> Any:
        """Show the list with the queues as tabs."""
        self._template_args.update(tabs=queues.tabs(), chosen_queue=self._chosen_queue())
        return super().index_view()

    def _chosen_queue(self) -> str:
        chosen = {index: value for index, _label, value in self._get_list_filter_args() or ()}
        return str(chosen.get(0, ""))

    def _order(self, sort_column: str | None, sort_desc: bool) -> tuple[Any, bool]:
        """Sort the queues to be worked through oldest first."""
        order, descending = super()._order(sort_column, sort_desc)
        if sort_column is None and self._chosen_queue() in _OLDEST_FIRST:
            descending = False
        return order, descending

    def is_action_allowed(self, name: str) -> bool:
        return is_offered(name, current_actor())
