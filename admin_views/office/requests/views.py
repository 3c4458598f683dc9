"""Requests at the office: list, queues and request pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import aliased, joinedload

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.export import for_managers
from admin_views.base.keyset_list import KeysetModelView
from admin_views.office.requests import queues
from admin_views.office.requests.actions import BULK_ACTIONS, StepRoutes, is_offered
from admin_views.office.requests.queues import Queue
from admin_views.office.requests.review import ReviewRoutes
from admin_views.shared import request_lists
from admin_views.shared.document_reading import DocumentReading
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today
from clearance.core.values import mask_civil_id
from clearance.models import Broker, Organisation, Request, User
from clearance.requests import search as request_search

_REVIEWER = aliased(User)
_OLDEST_FIRST = {Queue.MINE, Queue.UNASSIGNED, Queue.LATE}


def _number(view: Any, context: Any, row: Any, key: str) -> Markup:
    url = url_for("office_requests.details_view", id=row.id)
    service = request_lists.title_of(row.service_code)
    return Markup('<a href="{}"><bdi>{}</bdi></a><small class="under">{}</small>').format(
        url, row.number, service
    )


def _person(view: Any, context: Any, row: Any, key: str) -> Markup:
    civil_id = mask_civil_id(row.civil_id) if row.civil_id else ""
    return Markup('<bdi>{}</bdi><small class="under"><bdi>{}</bdi></small>').format(
        row.name or "—", civil_id
    )


def _organisation(view: Any, context: Any, row: Any, key: str) -> Any:
    return formatters.isolated(i18n.in_language(row, "organisation") or row.organisation_en)


def _reviewer(view: Any, context: Any, row: Any, key: str) -> Any:
    return formatters.isolated(_reviewer_name(row))


def _due(view: Any, context: Any, row: Any, key: str) -> Any:
    shown = formatters.isolated(i18n.format_day(row.due_on))
    if row.due_on and row.due_on < kuwait_today():
        return Markup("{} {}").format(shown, formatters.tone_badge(_l("Late"), "danger"))
    return shown


def _name() -> sa.ColumnElement[str]:
    """Return the person's name column; the register's name if the request has none."""
    registered = (
        sa.select(request_lists.name_column(Broker))
        .where(Broker.id == Request.broker_id)
        .scalar_subquery()
    )
    named = sa.func.nullif(request_lists.name_column().element, "")
    return sa.func.coalesce(named, registered, "").label("name")


def _reviewer_name(row: Any) -> str:
    return f"{row.reviewer_first or ''} {row.reviewer_last or ''}".strip()


class OfficeRequests(ReviewRoutes, StepRoutes, DocumentReading, KeysetModelView):
    """All sent requests; reviewers decide, managers read, assign and export."""

    can_export = for_managers
    column_list = ("number", "name", "organisation", "status", "reviewer", "sent_at", "due_on")
    column_export_list = (
        "number",
        "service_code",
        "name",
        "civil_id",
        "mobile",
        "organisation",
        "status",
        "reviewer",
        "sent_at",
        "due_on",
    )
    column_labels: ClassVar[dict[str, Any]] = request_lists.LABELS | {
        "organisation": _l("Organisation"),
        "reviewer": _l("Reviewer"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "number": _number,
        "name": _person,
        "organisation": _organisation,
        "status": formatters.status,
        "reviewer": _reviewer,
        "sent_at": formatters.format_date_of_instant,
        "due_on": _due,
    }
    column_filters = queues.filters()
    orders: ClassVar[dict[str, Any]] = {
        "sent_at": Request.sent_at,
    }
    default_order = ("sent_at", True)
    action_order = tuple(BULK_ACTIONS)
    search_hint = _l("Number, name, civil number or mobile")
    empty_title = _l("No requests yet")
    empty_text = _l("Requests appear here as soon as applicants send them.")
    list_template = "office/requests/list.html"

    def accessible_to(self, actor: Actor) -> bool:
        return actor.role in permissions.READING_ROLES

    def scope(self, query: Any) -> Any:
        return query.where(permissions.requests_visible_to(current_actor()))

    def get_query(self) -> Any:
        """Preload the service versions, which all parts of a page need."""
        return super().get_query().options(joinedload(Request.service_version))

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            Request.id,
            Request.number,
            Request.service_code,
            Request.status,
            Request.sent_at,
            Request.due_on,
            Request.civil_id,
            Request.mobile,
            _name(),
            Organisation.name_ar.label("organisation_ar"),
            Organisation.name_en.label("organisation_en"),
            _REVIEWER.first_name.label("reviewer_first"),
            _REVIEWER.last_name.label("reviewer_last"),
        ]
        joined: sa.Select[Any] = (
            sa.select(*columns)
            .select_from(Request)
            # Outer, though always present: counts then omit it, and no scan starts with it.
            .outerjoin(Organisation, Organisation.id == Request.organisation_id)
            .outerjoin(_REVIEWER, _REVIEWER.id == Request.reviewer_id)
        )
        return joined.where(permissions.requests_visible_to(current_actor()))

    def search_condition(self, typed: str) -> Any | None:
        return request_search.condition(typed)

    def export_value(self, row: Any, key: str) -> Any:
        values: dict[str, Callable[[], str]] = {
            "status": lambda: formatters.status_label(row.status),
            "service_code": lambda: request_lists.title_of(row.service_code),
            "organisation": lambda: i18n.in_language(row, "organisation") or row.organisation_en,
            "reviewer": lambda: _reviewer_name(row),
        }
        return values[key]() if key in values else super().export_value(row, key)

    @expose("/")
    def index_view(self) -> Any:
        """Show the list with the queues as tabs."""
        self._template_args.update(tabs=queues.tabs(), chosen_queue=self._chosen_queue())
        return super().index_view()

    def _chosen_queue(self) -> str:
        chosen = {index: value for index, _label, value in self._get_list_filter_args() or ()}
        return chosen.get(0, "")

    def _order(self, sort_column: str | None, sort_desc: bool) -> tuple[Any, bool]:
        """Sort the queues to be worked through oldest first."""
        order, descending = super()._order(sort_column, sort_desc)
        if sort_column is None and self._chosen_queue() in _OLDEST_FIRST:
            descending = False
        return order, descending

    def is_action_allowed(self, name: str) -> bool:
        return is_offered(name, current_actor())
