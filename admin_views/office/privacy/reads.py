"""The register of reads: who opened whose documents, requests, issued papers and accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import EveryRow
from admin_views.base.columns import Column
from admin_views.base.filters import ListFilter, day_filters
from admin_views.base.keyset_list import KeysetModelView
from admin_views.office.audit import labels as audit_labels
from clearance.accounts import search as user_search
from clearance.core import i18n, name_search
from clearance.core.actor import Actor
from clearance.core.database import shared_alias
from clearance.core.extensions import db
from clearance.models import AccessEvent, Document, IssuedDocument, Request, User
from clearance.models.audit import READS
from clearance.models.enums import Role
from clearance.requests import search as request_search

MOST_PEOPLE, MOST_REQUESTS = 20, 1_000
"""Of how many people of a name, and of how many of their requests, a search finds the reads."""
_Read = shared_alias(User)  # the person whose account was opened


def _key(model: type[Any]) -> Any:
    """Return the id in the event if it is about a row of the model, else NULL."""
    is_its = AccessEvent.object_type == model.__tablename__
    return sa.case((sa.and_(is_its, AccessEvent.object_id != ""), AccessEvent.object_id))


def _number_of(model: type[Any]) -> Any:
    return sa.cast(_key(model), sa.Integer)


def _what(row: Any) -> Any:
    if row.label or row.person:
        return formatters.isolated(row.label or row.person)
    if row.object_type == Request.__tablename__:
        return formatters.isolated("")  # its number is in a column of its own
    return audit_labels.row_label(row.object_type, row.object_id)


def _number(row: Any) -> Markup | Any:
    if row.request_row is None:
        return formatters.isolated("")
    return formatters.link(row.request_row, formatters.bdi(row.number), "office_requests")


class Reads(EveryRow, KeysetModelView):
    """Reads of papers and accounts, for managers."""

    can_export = True
    can_view_details = False
    columns = (
        Column("at", _l("Time"), formatters.format_instant, width="moment", order=True),
        Column(
            "actor",
            _l("Who"),
            formatters.isolated,
            sql=lambda: User.selected_name(i18n.language()),
        ),
        Column("role", _l("Role"), Role.label_of, sql=User.role),
        Column("kind", _l("Event"), audit_labels.event_label),
        Column("what", _l("What was read"), cell=_what, is_exported=False),
        Column(
            "label",
            _l("Document name"),
            sql=Document.label,
            is_listed=False,
            is_choosable=False,
        ),
        Column(
            "person",
            _l("Person"),
            sql=lambda: _Read.selected_name(i18n.language()),
            is_listed=False,
            is_choosable=False,
        ),
        Column("number", _l("Request number"), cell=_number, sql=Request.number, width="number"),
        Column("ip", _l("Network address"), formatters.isolated, is_listed=False),
    )
    column_filters = (
        ListFilter(
            "kind",
            _l("Event"),
            AccessEvent.kind,
            lambda: [(kind, audit_labels.accesses()[kind]) for kind in READS],
        ),
        *day_filters(AccessEvent.at, _l("From"), _l("Up to")),
    )
    default_order = ("at", True)
    search_hint = _l("Request number, or a person's e-mail, civil number or mobile")
    empty_title = _l("Nobody has read anything yet")
    empty_text = _l("Each document, request and account that someone else opens appears here.")

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_manager

    def scope(self, query: Any) -> Any:
        # Written out, not bound: only then the partial index is used. SQLite would rather look for
        # each kind in another index, and sort what it found.
        kinds = f"access_event.kind IN {READS}"
        return query.where(sa.text(f"likely({kinds})" if name_search.is_sqlite() else kinds))

    def also_selected(self) -> tuple[Any, ...]:
        about = (AccessEvent.object_type, AccessEvent.object_id)
        return *about, Request.id.label("request_row")

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        request_id = sa.func.coalesce(
            _number_of(Request), Document.request_id, IssuedDocument.request_id
        )
        return (
            rows.outerjoin(User, User.id == AccessEvent.user_id)
            .outerjoin(Document, Document.id == _number_of(Document))
            .outerjoin(IssuedDocument, IssuedDocument.id == _number_of(IssuedDocument))
            .outerjoin(_Read, _Read.id == _number_of(User))
            .outerjoin(Request, Request.id == request_id)
        )

    def search_condition(self, typed: str) -> Any | None:
        typed = typed.strip()
        if request_search.NUMBER.fullmatch(typed):
            about = sa.select(Request.id).where(Request.number == typed.upper())
            return _about(about, sa.select(User.id).where(sa.false()))
        condition = user_search.condition(typed)
        if condition is None:
            return None
        found = sa.select(User.id, User.civil_id).where(condition).limit(MOST_PEOPLE)
        people = db.session.execute(found).all()
        ids = [person.id for person in people]
        civil_ids = [person.civil_id for person in people if person.civil_id]
        about = (
            sa.select(Request.id)
            .where(_concerns(ids, civil_ids))
            .order_by(Request.id.desc())
            .limit(MOST_REQUESTS)
        )
        return _about(about, sa.select(User.id).where(User.id.in_(ids)))


def _concerns(ids: Sequence[int], civil_ids: Sequence[str]) -> sa.ColumnElement[bool]:
    uploaded = sa.select(Document.request_id).where(Document.uploaded_by_id.in_(ids))
    return sa.or_(Request.id.in_(uploaded), Request.civil_id.in_(civil_ids))


def _about(requests: sa.Select[int], users: sa.Select[int]) -> sa.ColumnElement[bool]:
    """Return the condition that an event is about one of the requests, its papers, or a user."""
    found = db.session.scalars(requests).all()
    keys = (
        (Request, sa.select(Request.id).where(Request.id.in_(found))),
        (Document, sa.select(Document.id).where(Document.request_id.in_(found))),
        (IssuedDocument, sa.select(IssuedDocument.id).where(IssuedDocument.request_id.in_(found))),
        (User, users),
    )
    ways = [
        sa.and_(
            AccessEvent.object_type == model.__tablename__,
            AccessEvent.object_id.in_([str(key) for key in db.session.scalars(query)]),
        )
        for model, query in keys
    ]
    return sa.or_(*ways)
