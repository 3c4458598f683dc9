"""A request with its form, filled in on a page of its own or as a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.base.form_post import posted_version
from admin_views.my.requests import document_rows, uploads
from admin_views.my.requests.base import form_url
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import PermissionDenied, Refusal
from clearance.licences import granted_expiry
from clearance.models import Document, Request
from clearance.models.enums import Status
from clearance.requests import attachments, completeness, drafts, field_values, remarks
from clearance.services import versions
from clearance.services.schema import Definition
from clearance.services.standard_fields import Kind, is_empty
from forms.request_form import RequestForm, condition_data, request_form


@dataclass
class OpenForm:
    """A request with its form: a page of its own, or a row of a table.

    missing_documents: the required ones that are not there. unanswered: remarks without an answer.
    stored: (label, value) saved meanwhile by another user, where it differs from what was typed.
    refusal: why it was not saved or sent. http_status: of the page. pressed_in: name of the
    field of rows of which a button was pressed. marker: a field that is posted with the whole page,
    but not with a file posted by script. form_id: of the form in the page.
    """

    req: Request
    form: RequestForm
    missing_documents: list[completeness.Missing] = field(default_factory=list)
    unanswered: list[completeness.Missing] = field(default_factory=list)
    stored: list[tuple[str, str]] = field(default_factory=list)
    refusal: Refusal | None = None
    http_status: int = 200
    pressed_in: str = ""
    marker: ClassVar[str] = "version"
    form_id: ClassVar[str] = "request-form"

    @classmethod
    def of(cls, req: Request, prefix: str = "", *, has_rows: bool = True) -> OpenForm:
        """Return the form of `req` with inputs for the fields that its reader may change now.

        has_rows: False to leave out inputs of rows, as tables do.
        """
        spec, fields = versions.for_request(req), completeness.open_fields(req)
        if not has_rows:
            fields -= {each.name for each in spec.asked if each.kind is Kind.ROWS}
        given = {
            remarks.field_of(remark): (str(_("Why nothing has to change")), remark.answer)
            for remark in (remarks.unsettled(req) if req.status == Status.RETURNED else ())
        }
        saved = field_values.known(req)
        return cls(req, request_form(spec, fields, i18n.language(), saved, prefix, given))

    @property
    def forms(self) -> Sequence[RequestForm]:
        """The request's form alone."""
        return [self.form]

    @property
    def definition(self) -> Definition:
        """The definition of the version that the request has."""
        return versions.for_request(self.req)

    @property
    def has_faults(self) -> bool:
        """Whether a value is invalid or the request was not saved or sent."""
        return bool(self.form.errors) or self.http_status != 200

    @property
    def conflict(self) -> str:
        """Why the request was not saved, for its script."""
        return str(self.refusal.text) if self.refusal is not None else ""

    @property
    def is_changed(self) -> bool:
        """Whether any valid value differs from the saved one."""
        return any(not self.form.asked[name].errors for name in self._differing())

    @property
    def shown(self) -> dict[str, str]:
        """Name → formatted value of the visible fields without an input."""
        return {
            spec.name: field_values.shown_value(self.req, spec.name, i18n.language())
            for spec in self.definition.fields
            if spec.name not in self.form.asked and spec.name in self.form.shown
        }

    @property
    def conditions(self) -> str:
        """What scripts need to show and hide fields as one types, "" without conditions."""
        return condition_data(self.form)

    @property
    def known(self) -> list[tuple[str, str]]:
        """(label, value) of what is there in the fields without an input."""
        spec = {field.name: field for field in self.definition.fields}
        return [
            (spec[name].title(i18n.language()), value)
            for name, value in self.shown.items()
            if value and name != "number"
        ]

    @property
    def cautions(self) -> list[Refusal]:
        """Warnings that do not prevent sending."""
        return granted_expiry.warnings(self.req, utc_now())

    def read(self, pressed: str = "") -> None:
        """Validate the posted form; required fields only if it is to be sent."""
        self.form.is_sending = pressed == "send"
        self.pressed_in = self.form.press(pressed)
        self.form.validate()

    def keep(self) -> None:
        """Save the valid values. Flushes."""
        version, values = posted_version(self.form.version.name), self.form.good_values()
        answers = {
            key: field.data or "" for key, field in self.form.answers.items() if not field.errors
        }
        try:
            drafts.save(
                self.req, values, current_actor(), utc_now(), version=version, answers=answers
            )
        except (drafts.StaleSave, PermissionDenied) as fault:
            # Nothing was written and the row is still locked, so the values shown are current.
            self.refuse(Refusal(fault.message))
            self.stored = [
                (
                    str(self.form.asked[name].label.text),
                    field_values.shown_value(self.req, name, i18n.language()),
                )
                for name in self._differing()
            ]

    def refuse(self, refusal: Refusal) -> None:
        """Note why the request was not saved or sent."""
        self.refusal, self.http_status = refusal, 409

    def note_missing(self, missing: Sequence[completeness.Missing]) -> None:
        """Note what prevents sending: at the fields, else among the missing documents."""
        self.missing_documents, self.unanswered = [], []
        for each in missing:
            if each.field is None or not self.form.add_fault(each.field, str(each.message)):
                self.missing_documents.append(each)
            elif each.field not in self.form.asked:
                self.unanswered.append(each)

    def refresh(self) -> None:
        """Let the form carry the version that the request has now."""
        self.form.version.data, self.form.version.raw_data = str(self.req.version), None

    def attach(self, files: uploads.Files) -> list[Document]:
        """Add the accepted files to the request. Flushes."""
        return uploads.attach(lambda *given: attachments.share([self.req], *given), files)

    def url(self, anchor: str = "") -> str:
        """Return the URL of the request's own form."""
        return form_url(self.req, anchor)

    def documents(self) -> dict[str, Any]:
        """Return the data of the request's own documents section."""
        return document_rows.section(self.req)

    def versions(self) -> dict[str, Any]:
        """Return what scripts get of the request's version."""
        return {"version": self.req.version}

    def cells(self) -> dict[str, str]:
        """Map ids of other parts of the page that documents change to their HTML."""
        return {}

    def _differing(self) -> list[str]:
        """Return the names of the fields whose typed value differs from the saved one."""
        saved = field_values.known(self.req)  # by a later version, if the draft has just moved
        return [
            name
            for name, field in self.form.asked.items()
            if _given(field.data) != _given(saved.get(name))
        ]


def _given(value: Any) -> Any:
    return None if is_empty(value) else value
