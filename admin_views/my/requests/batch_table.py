"""The table of a batch: a row with its form for each draft, and a form that fills columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.my.requests import document_rows, uploads
from admin_views.my.requests.open_form import OpenForm
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import BrokerType, Document, Request
from clearance.requests import batch, completeness
from clearance.services import versions
from clearance.services.schema import Definition
from clearance.services.standard_fields import Group, Kind, is_empty
from forms.request_form import RequestForm, request_form

PERSONAL = frozenset({Group.PERSON, Group.IDENTITY})
"""Groups whose values are personal, so they are never the same for all rows."""


@dataclass
class Grid:
    """A batch grid: its drafts as rows, and the requests already sent.

    column: its values fill whole columns. is_checked: sending was requested, so missing values are
    errors. marker, form_id: as of OpenForm.
    """

    key: str
    definition: Definition
    requests: list[Request]
    rows: list[OpenForm]
    column: RequestForm
    is_checked: bool = False
    broker_types: Sequence[BrokerType] = ()  # kept to save a query per row
    marker: ClassVar[str] = "grid"
    form_id: ClassVar[str] = "grid-form"

    @classmethod
    def load(cls, key: str, code: str) -> Grid:
        """Return the grid with forms bound to the posted data. Raises: NotFound."""
        requests = batch.requests(key, code, current_actor())
        spec = versions.for_request(requests[0])
        rows = [OpenForm.of(req, f"{req.id}-", has_rows=False) for req in batch.drafts(requests)]
        return cls(key, spec, requests, rows, _column_form(spec, i18n.language()))

    @property
    def forms(self) -> Sequence[RequestForm]:
        """The forms of the rows and the one that fills columns."""
        return [self.column, *(row.form for row in self.rows)]

    @property
    def posted_rows(self) -> list[OpenForm]:
        """The rows that were in the posted page."""
        return [row for row in self.rows if row.form.version.name in request.form]

    @property
    def sent(self) -> list[Request]:
        """The requests that are no longer drafts."""
        drafts = set(batch.drafts(self.requests))
        return [req for req in self.requests if req not in drafts]

    @property
    def http_status(self) -> int:
        """The HTTP status of the page: 409 if a row was not saved."""
        return max([200, *(row.http_status for row in self.rows)])

    @property
    def has_faults(self) -> bool:
        """Whether the page must be shown again with its errors."""
        return bool(self.column.errors) or any(
            row.has_faults or (self.is_checked and row.missing_documents) for row in self.rows
        )

    @property
    def conflict(self) -> str:
        """Which rows were not saved, for the page's script."""
        lang = i18n.language()
        names = [row.req.name_in(lang) for row in self.rows if row.http_status != 200]
        listed = _(", ").join(names)
        return str(
            _(
                "Someone else, or you in another tab, changed: %(names)s. Compare, then save.",
                names=listed,
            )
        )

    def read(self, pressed: str = "") -> None:
        """Validate the posted rows, after filling columns if requested."""
        if pressed == "fill":
            self._fill()
        for row in self.posted_rows:
            row.read(pressed)

    def keep(self) -> None:
        """Save the changed rows, row by row, and commit, so that no lock is kept."""
        for row in self.posted_rows:
            if row.is_changed:
                with suppress(NotFound):  # discarded meanwhile: no longer a row of the page
                    row.keep()
        db.session.commit()
        self._reload()

    def send(self) -> int:
        """Send the valid rows, committing every 50 (security rule 56); return the number sent."""
        self.is_checked = True
        rows = {row.req.id: row for row in self.posted_rows if not row.has_faults}
        requests, sent = [row.req for row in rows.values()], 0
        for first in range(0, len(requests), batch.AT_ONCE):
            together = requests[first : first + batch.AT_ONCE]
            for outcome in batch.send(together, current_actor(), utc_now()):
                sent += outcome.is_sent
                rows[outcome.request_id].refusal = outcome.refusal
            db.session.commit()
        return sent

    def attach(self, files: uploads.Files) -> list[Document]:
        """Add the accepted files to every draft that takes their kind. Flushes."""
        return uploads.attach(lambda *given: batch.attach_to_all(self.requests, *given), files)

    def refresh(self) -> None:
        """Reload the rows; those that are no longer drafts move to `sent`."""
        self._reload()
        self.broker_types = db.session.scalars(sa.select(BrokerType)).all()
        actor, now = current_actor(), utc_now()
        drafts = batch.drafts(self.requests)
        refusals = batch.refusals(self.definition.code, drafts, actor, now)
        for row in self.rows:
            row.refresh()
            row.refusal = row.refusal or refusals.get(row.req.id)
            lacking = completeness.missing(row.req, now)
            if self.is_checked:
                row.note_missing(lacking)
            else:
                row.missing_documents = [missing for missing in lacking if missing.document_kind]

    def url(self, anchor: str = "", check: int | None = None) -> str:
        """Return the grid's URL. check: 1 to show what the rows lack."""
        where: dict[str, Any] = {"code": self.definition.code, "grid": self.key, "check": check}
        return url_for("my_services.several_grid", **where, _anchor=anchor or None)

    def documents(self) -> dict[str, Any]:
        """Return the data of the section of shared documents."""
        return document_rows.shared_section(self.key, self.requests)

    def versions(self) -> dict[str, Any]:
        """Return the versions of the rows by the names of their fields."""
        return {"versions": {row.form.version.name: row.req.version for row in self.rows}}

    def cells(self) -> dict[str, str]:
        """Map ids of the rows' document cells to their HTML."""
        return {
            f"documents-of-{row.req.id}": render_template(
                "my/requests/batch_cell.html", row=row, is_checked=self.is_checked
            )
            for row in self.rows
        }

    def _fill(self) -> None:
        """Copy the valid values of the top row into all rows, to be validated there."""
        self.column.validate()
        for name, source in self.column.asked.items():
            if source.errors or is_empty(source.data):
                continue
            for row in self.posted_rows:
                if (field := row.form.asked.get(name)) is not None:
                    field.data, field.raw_data = source.data, source.raw_data
                    field.process_errors = []

    def _reload(self) -> None:
        self.requests = batch.requests(self.key, self.definition.code, current_actor())
        drafts = set(batch.drafts(self.requests))
        self.rows = [row for row in self.rows if row.req in drafts]


def _column_form(definition: Definition, lang: str) -> RequestForm:
    """Return the form of the top row: optional inputs for what may be the same for all rows."""
    names = [
        spec.name
        for spec in definition.asked
        if spec.group not in PERSONAL and spec.kind is not Kind.ROWS
    ]
    form = request_form(definition, names, lang, {}, prefix="all-")
    for field in form.asked.values():
        field.flags.required = False
    return form
