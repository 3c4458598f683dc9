"""Audit trail: business events, accesses and verification of the chain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForKeepers, LinkedRows
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter, day_filters
from admin_views.base.keyset_list import KeysetModelView
from admin_views.office.audit import labels as audit_labels
from clearance.core import chain, i18n, reasons
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.figures.measures import OTHER
from clearance.files import checkpoints
from clearance.models import AccessEvent, Event, Reason, Request, Subscription, User
from clearance.models.enums import ReasonFor, SubscriptionStatus
from clearance.requests import search as request_search
from clearance.requests.timeline import kind_of
from clearance.services import registry

SCOPES: dict[str, Any] = {
    "request": _l("Requests"),
    "register": _l("The licence register"),
    "issued": _l("Issued documents"),
    "exam": _l("Exams"),
    "subscription": _l("Subscriptions"),
    "account": _l("Accounts"),
    "member": _l("Users of organisations"),
    "organisation": _l("Organisations"),
    "staff": _l("Staff"),
    "office": _l("The office's settings, texts and services"),
    "retention": _l("Data retention and legal holds"),
    "reference": _l("Reference data"),
}
ACCESS_SCOPES: dict[str, Any] = {
    "account": _l("Signing in and accounts"),
    "factor": _l("Two-step verification"),
    "code": _l("Codes"),
    "customs": _l("Customs system"),
    "request": _l("Viewing requests"),
    "document": _l("Viewing documents"),
    "licence": _l("Viewing licences"),
    "broker": _l("Viewing brokers"),
    "issued": _l("Viewing issued documents"),
    "user": _l("Viewing users"),
    "member": _l("Users of organisations"),
    "session": _l("Sessions"),
    "transfer": _l("Transfers"),
    "audit": _l("Verifying the audit trail"),
    "retention": _l("Data deleted at the end of its retention period"),
    "maintenance": _l("Maintenance"),
    "exam": _l("Viewing exams"),
    "export": _l("Exports"),
    "access": _l("Denied access"),
}


_WITH_REASONS = (ReasonFor.RETURN, ReasonFor.REJECT)


def _object(row: Any) -> Any:
    if not row.object_type:
        return formatters.isolated("")
    return audit_labels.row_label(row.object_type, row.object_id)


def _step(row: Any) -> Any:
    if not row.to_status:
        return formatters.isolated("")
    before, after = _state(row, row.from_status), _state(row, row.to_status)
    arrow = "←" if i18n.language() == "ar" else "→"  # the page's reading direction
    return f"{before} {arrow} {after}".strip()


def _state(row: Any, status: str | None) -> str:
    """Return the label of a status of the event's object."""
    if row.object_type == Subscription.__tablename__:
        return str(SubscriptionStatus.label_of(status) or "")
    return str(registry.current().status_label(status)) if status else ""


def _at(row: Any) -> Markup:
    return formatters.link(row.id, formatters.format_instant(row.at))


def _scope_filter(column: Any, scopes: dict[str, Any]) -> ListFilter:
    return ListFilter(
        "scope",
        _l("About"),
        lambda value: column.startswith(f"{value}:", autoescape=True),
        list(scopes.items()),
    )


def _kind_filter(column: Any, kinds: Callable[[], dict[str, Any]]) -> ListFilter:
    return ListFilter("kind", _l("Event"), column, lambda: audit_labels.choices(kinds()))


def reason_choices() -> list[tuple[str, str]]:
    """Return the standard reasons of returns and rejections, and own words, each after its step."""
    text = Reason.text_ar if i18n.language() == "ar" else Reason.text_en
    rows = db.session.execute(
        sa.select(Reason.action, Reason.id, text)
        .where(Reason.action.in_(_WITH_REASONS))
        .order_by(Reason.position, Reason.id)
    )
    named = {action: [(OTHER, _("In the reviewer's own words"))] for action in _WITH_REASONS}
    for action, reason_id, words in rows:
        named[ReasonFor(action)].insert(-1, (str(reason_id), words))
    return [
        (f"{action}.{key}", f"{audit_labels.event_label(kind_of(action))}: {words}")
        for action, entries in named.items()
        for key, words in entries
    ]


def _because(value: str) -> sa.ColumnElement[bool]:
    action, _dot, key = value.partition(".")
    ready = Event.reason.startswith(reasons.beginning(None if key == OTHER else int(key)))
    is_other = sa.and_(Event.reason != "", ~ready)
    return sa.and_(Event.kind == kind_of(action), is_other if key == OTHER else ready)


def _kind_or_row(model: type[Event] | type[AccessEvent], typed: str) -> sa.ColumnElement[bool]:
    """Return the condition for a row number, or for a kind of event, which has a colon."""
    column = model.kind if ":" in typed else model.object_id
    return column == typed.strip()


def _status(name: str, label: Any) -> Column:
    """Return the export's column of a status."""
    return Column(
        name,
        label,
        text=lambda row: _state(row, getattr(row, name)),
        reads=(name, "object_type"),
        is_listed=False,
        is_choosable=False,
    )


_KIND = Column(
    "kind",
    _l("Event"),
    text=lambda row: audit_labels.event_label(row.kind),
    reads=("kind",),
)
_WHOSE = (
    Column(
        "actor", _l("Who"), formatters.isolated, sql=lambda: User.selected_name(i18n.language())
    ),
    Column("object", _l("Row"), cell=_object, is_exported=False),
    Column(
        "object_type",
        _l("Table"),
        text=lambda row: audit_labels.table_label(row.object_type),
        reads=("object_type",),
        is_listed=False,
        is_choosable=False,
    ),
    Column("object_id", _l("Row"), is_listed=False, is_choosable=False),
)


class _Trail(ForKeepers, EveryRow, LinkedRows, KeysetModelView):
    """Base of both lists: read-only, for administrators and managers."""

    can_export = for_managers
    default_order = ("at", True)
    search_hint = _l("Request or row number")
    empty_title = _l("Nothing has been recorded yet")
    empty_text = _l("Every change appears here: who made it, when, and the old and new values.")


class Events(_Trail):
    """Business events, sealed in a chain."""

    columns = (
        Column("at", _l("Time"), cell=_at, width="moment", order=True),
        _KIND,
        *_WHOSE,
        Column(
            "number", _l("Request number"), formatters.isolated, sql=Request.number, width="number"
        ),
        Column("step", _l("Old and new value"), cell=_step, is_exported=False),
        _status("from_status", _l("From")),
        _status("to_status", _l("To")),
        Column("reason", _l("Reason"), is_listed=False, value=lambda row: reasons.read(row.reason)),
        Column("changes", _l("Changes"), is_listed=False, is_choosable=False),
        Column("ip", _l("Network address"), is_listed=False),
    )
    column_filters = (
        _scope_filter(Event.kind, SCOPES),
        _kind_filter(Event.kind, audit_labels.events),
        ListFilter("reason", _l("Standard reason"), _because, reason_choices),
        *day_filters(Event.at, _l("From"), _l("Up to")),
    )
    list_template = "office/audit/list.html"

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.outerjoin(User, User.id == Event.actor_id).outerjoin(
            Request, Request.id == Event.request_id
        )

    def search_condition(self, typed: str) -> Any | None:
        if request_search.NUMBER.fullmatch(typed.strip()):
            number = typed.strip().upper()
            return Event.request_id.in_(sa.select(Request.id).where(Request.number == number))
        return _kind_or_row(Event, typed)

    @expose("/details/")
    def details_view(self) -> Any:
        """Show an event with its changes."""
        event = self.get_one(request.args.get("id"))
        return self.render(
            "office/audit/details.html",
            event=event,
            before=_state(event, event.from_status),
            after=_state(event, event.to_status),
            kind=audit_labels.event_label(event.kind),
            row=audit_labels.row_label(event.object_type, event.object_id),
            actor=db.session.get(User, event.actor_id) if event.actor_id else None,
            number=_number_of(event),
        )

    @expose("/verify", methods=("GET", "POST"))
    def verify(self) -> Any:
        """Show the last verification; POST verifies the trail against its checkpoints."""
        verdict = checkpoints.verify() if is_posted() else None
        if verdict is not None:
            checkpoints.note(verdict)
        return self.render(
            "office/audit/verify.html",
            verdict=verdict,
            last=_last_verified(),
            sealed=chain.head(db.session())[0],
        )


class AccessRecords(_Trail):
    """Sign-ins, staff reads and refusals."""

    columns = (
        Column("at", _l("Time"), formatters.format_instant, width="moment", order=True),
        _KIND,
        *_WHOSE,
        Column(
            "result",
            _l("Result"),
            text=lambda row: audit_labels.result_label(row.result),
            reads=("result",),
        ),
        Column("ip", _l("Network address"), formatters.isolated),
    )
    can_view_details = False
    column_filters = (
        _scope_filter(AccessEvent.kind, ACCESS_SCOPES),
        _kind_filter(AccessEvent.kind, audit_labels.accesses),
        *day_filters(AccessEvent.at, _l("From"), _l("Up to")),
    )

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.outerjoin(User, User.id == AccessEvent.user_id)

    def search_condition(self, typed: str) -> Any | None:
        return _kind_or_row(AccessEvent, typed)


def _last_verified() -> dict[str, Any] | None:
    """Return when the trail was last verified and with which result; None before the first time."""
    event = db.session.scalars(
        sa.select(AccessEvent)
        .where(AccessEvent.kind == checkpoints.VERIFIED)
        .order_by(AccessEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if event is None:
        return None
    until = datetime.fromisoformat(event.detail) if event.detail else None
    return {"at": event.at, "result": event.result, "sealed": event.object_id, "until": until}


def _number_of(event: Event) -> str:
    if event.request_id is None:
        return ""
    return db.session.scalar(sa.select(Request.number).where(Request.id == event.request_id)) or ""
