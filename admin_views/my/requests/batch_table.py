"""Template data of the batch grid: rows with forms, cells and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from flask import request, url_for

from admin_views.base.access import current_actor
from admin_views.my.requests.base import details_url, form_url
from admin_views.shared.document_reading import THUMB_WIDTH
from admin_views.shared.request_parts import kind_names
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.licences import granted_expiry
from clearance.models import BrokerType, Document, Request
from clearance.requests import batch, completeness, field_values
from clearance.requests.batch import Outcome
from clearance.services import versions
from clearance.services.schema import Definition
from forms.batch import Column, column_form, columns, row_form
from forms.request_form import RequestForm

log = structlog.get_logger("clearance.requests")

LONGEST_VERSION = 9
ALSO_POSTED = frozenset({"csrf_token", "form_key", "submit", "grid", "checked", "_language"})
UPLOAD_FIELDS = frozenset({"kind", "label"})


@dataclass
class Row:
    """A draft of the grid.

    known: (label, value) of read-only fields. cautions: warnings that do not prevent sending.
    stored: (label, value) saved by another user meanwhile. missing: names of required documents.
    is_checked: sending was requested, so missing values are errors.
    """

    id: int
    req: Request
    form: RequestForm
    name: str
    refusal: Refusal | None = None
    known: list[tuple[str, str]] = field(default_factory=list)
    cautions: list[Refusal] = field(default_factory=list)
    stored: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_checked: bool = False

    @property
    def was_posted(self) -> bool:
        """Whether the row was in the posted page."""
        return f"{self.id}-version" in request.form

    @property
    def is_good(self) -> bool:
        """Whether the row has neither errors nor conflicts with values saved meanwhile."""
        return not self.stored and not any(field.errors for field in self.form.asked.values())

    @property
    def faults(self) -> list[tuple[str, str, str]]:
        """(anchor, label, message) of everything in the row that prevents sending."""
        found = [
            (field.id, str(field.label.text), str(field.errors[0]))
            for field in self.form.asked.values()
            if field.errors
        ]
        if self.is_checked:
            found += [(f"documents-of-{self.id}", kind, "") for kind in self.missing]
        return found


@dataclass
class Grid:
    """A batch grid: its drafts as rows, and the requests already sent."""

    key: str
    definition: Definition
    requests: list[Request]
    rows: list[Row]
    columns: list[Column]
    column: RequestForm
    broker_types: Sequence[BrokerType] = ()  # kept to save a query per row

    @property
    def sent(self) -> list[Request]:
        """The requests that are no longer drafts."""
        drafts = set(batch.drafts(self.requests))
        return [req for req in self.requests if req not in drafts]

    @property
    def has_faults(self) -> bool:
        """Whether the page must be shown again with its errors."""
        return any(row.faults or row.stored for row in self.rows) or bool(self.column.errors)


def load(key: str, code: str) -> Grid:
    """Return the grid with forms bound to the posted data. Raises: NotFound."""
    lang = i18n.language()
    requests = batch.requests(key, code, current_actor())
    spec = versions.for_request(requests[0])
    return Grid(
        key=key,
        definition=spec,
        requests=requests,
        rows=[_row(req, lang) for req in batch.drafts(requests)],
        columns=columns(spec, lang),
        column=column_form(spec, lang),
    )


def refresh(grid: Grid) -> None:
    """Reload the rows for rendering; rows that are no longer drafts move to `sent`."""
    lang, now = i18n.language(), utc_now()
    code = grid.definition.code
    grid.broker_types = db.session.scalars(sa.select(BrokerType)).all()
    grid.requests = batch.requests(grid.key, code, current_actor())
    drafts = {req.id: req for req in batch.drafts(grid.requests)}
    grid.rows = [row for row in grid.rows if row.id in drafts]
    refusals = batch.refusals(code, list(drafts.values()), current_actor(), now)
    for row in grid.rows:
        row.refusal = row.refusal or refusals.get(row.id)
        row.known = _known(row.req, lang)
        row.cautions = granted_expiry.warnings(row.req, now)
        lacking = completeness.missing(row.req, now)
        row.missing = [obstacle.label for obstacle in lacking if obstacle.document_kind]
        row.form.version.data, row.form.version.raw_data = str(row.req.version), None
        if row.is_checked:
            for obstacle in lacking:
                if obstacle.field is not None:
                    row.form.add_fault(obstacle.field, str(obstacle.message))


def log_unknown(grid: Grid) -> None:
    """Log posted field names that the page does not have; they are ignored (security rule 23)."""
    known = set(ALSO_POSTED | UPLOAD_FIELDS)
    for form in (grid.column, *(row.form for row in grid.rows)):
        known.update(field.name for field in form)
    sent = tuple(f"{req.id}-" for req in grid.sent)
    unknown = sorted(
        name
        for name in set(request.form) - known
        if not name.startswith(("document-", *sent)) and not name.endswith("-csrf_token")
    )
    if unknown:
        log.info("unknown_fields", grid=grid.key, names=unknown[:20])


def posted_version(row: Row) -> int:
    """Return the posted version of the row; 0, which matches no row, if it is not a number."""
    typed = request.form.get(f"{row.id}-version", "")
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_VERSION
    return int(typed) if is_number else 0


def changed(row: Row) -> dict[str, Any]:
    """Map the valid fields that differ from the saved ones to their values."""
    specs = {spec.name: spec for spec in versions.for_request(row.req).asked}
    return {
        name: value
        for name, value in row.form.good_values().items()
        if (value or None) != (field_values.value_of(row.req, specs[name]) or None)
    }


def note_stored(row: Row, stored: Mapping[str, Any]) -> None:
    """Record values saved by another user meanwhile, to show beside the typed ones."""
    lang = i18n.language()
    row.stored = [
        (str(row.form.asked[name].label.text), field_values.shown_value(row.req, name, lang))
        for name in stored
        if name in row.form.asked
    ]


def note_outcomes(grid: Grid, outcomes: Mapping[int, Outcome]) -> None:
    """Record why rows cannot be sent; `refresh` puts the reasons into the cells."""
    for row in grid.rows:
        row.is_checked = True
        outcome = outcomes.get(row.id)
        if outcome is not None:
            row.refusal = outcome.refusal


def documents_of(grid: Grid) -> dict[str, Any]:
    """Return the data of the documents section; call `refresh` first."""
    drafts = [row.req for row in grid.rows]
    kinds = batch.shared_kinds(drafts)
    held = [{document.kind for document in req.documents} for req in drafts]
    return {
        "kinds": [(code, label) for code, label, _required in kinds],
        "wanted": [
            {"label": label, "count": sum(code in codes for codes in held), "total": len(held)}
            for code, label, is_required in kinds
            if is_required
        ],
        "rows": [_shared_row(grid, rows) for rows in batch.shared_documents(grid.requests)],
    }


def sent_rows(grid: Grid) -> list[dict[str, Any]]:
    """Return the sent requests with their numbers."""
    lang = i18n.language()
    return [
        {
            "name": req.name_in(lang),
            "licence": req.licence.number if req.licence is not None else "",
            "number": req.number,
            "status": req.status,
            "url": details_url(req),
        }
        for req in grid.sent
    ]


def own_form_url(row: Row, anchor: str = "") -> str:
    """Return the URL of the row's single form."""
    return form_url(row.req, anchor)


def _row(req: Request, lang: str) -> Row:
    spec = versions.for_request(req)
    saved = {field.name: field_values.value_of(req, field) for field in spec.asked}
    form = row_form(spec, req.id, completeness.open_fields(req), lang, saved)
    return Row(id=req.id, req=req, form=form, name=req.name_in(lang))


def _known(req: Request, lang: str) -> list[tuple[str, str]]:
    spec = versions.for_request(req)
    shown = [
        (field.title(lang), field_values.shown_value(req, field.name, lang))
        for field in spec.fields
        if not field.is_asked and field.name != "number"
    ]
    return [(label, value) for label, value in shown if value]


def _shared_row(grid: Grid, rows: list[Document]) -> dict[str, Any]:
    first = rows[0]
    where: dict[str, Any] = {"request_id": first.request_id, "document_id": first.id}
    return {
        "id": first.id,
        "storage_key": first.storage_key,
        "name": first.label,
        "kind": kind_names().get(first.kind, first.kind),
        "size": first.size,
        "count": len(rows),
        "url": url_for("my_requests.document", **where),
        "thumb_url": url_for("my_requests.document_page", page=1, width=THUMB_WIDTH, **where),
        "remove_url": url_for(
            "my_services.several_remove",
            code=grid.definition.code,
            grid=grid.key,
            document_id=first.id,
        ),
    }
