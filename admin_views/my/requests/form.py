"""Request form: editing, autosave, sending and discarding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import structlog
from flask import Response, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from admin_views.base.access import current_actor
from admin_views.base.form_post import claim_key, posted_version, release_key
from admin_views.my.requests import document_rows, uploads
from admin_views.my.requests.base import RequestRoutes, details_url, form_url
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, PermissionDenied
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.licences import granted_expiry
from clearance.models import Document, Request
from clearance.models.enums import Status
from clearance.requests import (
    available_actions,
    batch,
    completeness,
    drafts,
    field_values,
    transitions,
)
from clearance.services import schema, versions
from clearance.services.flows import Action
from forms.request_form import RequestForm, request_form, sections

log = structlog.get_logger("clearance.requests")

FORM_ID = "request-form"


@dataclass
class Outcome:
    """Result of a posted form, for rendering the page again."""

    alerts: list[str] = field(default_factory=list)
    missing_documents: list[completeness.Missing] = field(default_factory=list)
    stored: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200


class FormRoutes(RequestRoutes):
    """Form routes of drafts and of requests returned for correction."""

    @expose("/<int:request_id>/form", methods=("GET", "POST"))
    def form_page(self, request_id: int) -> Any:
        """Show the form; on POST save it, and send it if the send button was pressed."""
        files = None
        if uploads.has_files():
            files = uploads.checked(lambda: self.get_one(request_id))
        req = self.get_one(request_id)
        if not is_open(req):
            return _closed(req)
        if not is_posted():
            return self.show_form(req, form_of(req), Outcome())
        if request.form.get("submit") == "send":
            return self._send(req, files)
        form, outcome = save_posted(req, files)
        if outcome.status != 200 or form.errors or "_language" in request.form:
            return self.show_form(req, form, outcome)
        flash(saved_label(req), "success")
        return redirect(form_url(req), code=303)

    @expose("/<int:request_id>/form/autosave", methods=("POST",))
    def autosave(self, request_id: int) -> Any:
        """Save the valid fields of the posted form; return JSON with the time and the version."""
        req = self.get_one(request_id)
        form = form_of(req)
        form.validate()
        try:
            drafts.save(
                req, form.good_values(), current_actor(), utc_now(), version=posted_version()
            )
        except DomainError as fault:
            db.session.rollback()
            return jsonify(error=str(fault)), fault.status_code
        db.session.commit()
        return jsonify(saved_at_label=saved_label(req), version=req.version)

    @expose("/<int:request_id>/discard", methods=("GET", "POST"))
    def discard(self, request_id: int) -> Any:
        """Discard a draft after confirmation."""
        req = self.get_one(request_id)
        if not is_posted():
            if req.status != Status.DRAFT:
                return _closed(req)
            return self.render("my/requests/discard.html", req=req, title=_title(req))
        code, grid = req.service_code, req.grid_key
        drafts.discard(req, current_actor(), utc_now())
        db.session.commit()
        flash(_("The draft was discarded."), "success")
        if grid is not None and batch.has_drafts(grid, code, current_actor()):
            return redirect(url_for("my_services.several_grid", code=code, grid=grid), code=303)
        return redirect(url_for("my_requests.index_view"), code=303)

    def show_form(self, req: Request, form: RequestForm, outcome: Outcome) -> Any:
        """Render the form's page; a request sent meanwhile has none."""
        if not is_open(req):
            return _closed(req)
        actor, now, lang = current_actor(), utc_now(), i18n.language()
        spec = versions.for_request(req)
        form.version.data = str(req.version)
        form.version.raw_data = None
        missing = completeness.missing(req, now)
        page = self.render(
            "my/requests/form.html",
            req=req,
            form=form,
            title=spec.title_in(lang),
            sections=sections(spec, form, _shown(req, spec, form), field_remarks(req), lang),
            documents=document_rows.section(req),
            steps=_steps(req, form, missing),
            warnings=available_actions.send_warnings(req, actor, now),
            cautions=granted_expiry.warnings(req, now),
            outcome=outcome,
            saved_label=saved_label(req),
            form_id=FORM_ID,
        )
        return page, outcome.status

    def _send(self, req: Request, files: uploads.Files | None) -> Any:
        """Save, and send if complete; the form key makes a second click wait for the first."""
        result = details_url(req)
        earlier = claim_key(result)
        if earlier is not None:
            return _sent(earlier)
        form = read_posted(req, is_sending=True)
        outcome = keep_posted(req, form, files)
        if outcome.status == 200 and _send_complete(req, form, outcome):
            db.session.commit()
            return _sent(result)
        release_key()
        db.session.commit()
        return self.show_form(req, form, outcome)


def form_of(req: Request) -> RequestForm:
    """Return the form of `req` with inputs for the fields that its reader may change now."""
    spec = versions.for_request(req)
    values = saved_values(req)
    return request_form(spec, completeness.open_fields(req), i18n.language(), values)


def saved_values(req: Request) -> dict[str, Any]:
    """Map the form's fields to their saved values."""
    return {spec.name: field_values.value_of(req, spec) for spec in versions.for_request(req).asked}


def is_open(req: Request) -> bool:
    """Return whether any field or document of `req` can be changed now, or it can be discarded."""
    if req.status == Status.DRAFT:
        return True
    return bool(completeness.open_fields(req) or completeness.open_document_kinds(req))


def read_posted(req: Request, *, is_sending: bool = False) -> RequestForm:
    """Return the validated posted form. is_sending: also check required fields."""
    form = form_of(req)
    form.is_sending = is_sending
    form.validate()
    if form.unknown_fields():
        log.info("unknown_fields", request=req.id, names=form.unknown_fields()[:20])
    return form


def keep_posted(req: Request, form: RequestForm, files: uploads.Files | None) -> Outcome:
    """Save the valid fields of the form; flushes. Invalid input stays in the form.

    files: those posted with the form, not uploaded by script before.
    """
    outcome = Outcome()
    try:
        drafts.save(req, form.good_values(), current_actor(), utc_now(), version=posted_version())
    except (drafts.StaleSave, PermissionDenied) as refusal:
        # Nothing was written and the row is still locked, so the values shown are current.
        outcome.alerts.append(str(refusal))
        outcome.stored = _stored(req, form)
        outcome.status = 409
    if files is not None:
        tell_uploads(uploads.attach(req, files), files.faults)
    return outcome


def save_posted(req: Request, files: uploads.Files | None = None) -> tuple[RequestForm, Outcome]:
    """Save the valid fields of the posted form and commit."""
    form = read_posted(req)
    outcome = keep_posted(req, form, files)
    db.session.commit()
    return form, outcome


def tell_uploads(added: list[Document], faults: list[str]) -> None:
    """Flash the result of the posted files."""
    for fault in faults:
        flash(fault, "error")
    if added:
        flash(
            ngettext("%(num)s file was added.", "%(num)s files were added.", len(added)), "success"
        )


def saved_label(req: Request) -> str:
    """Return the text on when the draft was last saved."""
    return str(_("Last saved on %(time)s", time=i18n.format_instant(req.saved_at)))


def field_remarks(req: Request) -> dict[str, str]:
    """Map fields to the reviewer's open remarks."""
    return {remark.field: remark.text for remark in completeness.remarks(req) if remark.field}


def _send_complete(req: Request, form: RequestForm, outcome: Outcome) -> bool:
    """Send `req` if complete; otherwise put the obstacles into the form and the outcome."""
    now = utc_now()
    for obstacle in completeness.missing(req, now):
        if obstacle.field is None or not form.add_fault(obstacle.field, str(obstacle.message)):
            outcome.missing_documents.append(obstacle)
    if form.errors or outcome.missing_documents:
        return False
    try:
        # A savepoint, so that a refusal keeps the draft just saved.
        with db.session.begin_nested():
            transitions.perform(
                req, Action.SEND, actor=current_actor(), now=now, version=req.version
            )
    except DomainError as refusal:
        outcome.alerts.append(str(refusal))
        outcome.status = 409
        return False
    return True


def _sent(url: str) -> Response:
    flash(_("The request was sent to the office. You will be told of every step."), "success")
    return redirect(url, code=303)  # type: ignore[return-value]  # a werkzeug response is accepted


def _closed(req: Request) -> Any:
    flash(_("This request cannot be changed now."), "info")
    return redirect(details_url(req), code=303)


def _title(req: Request) -> str:
    return versions.for_request(req).title_in(i18n.language())


def _shown(req: Request, spec: schema.Definition, form: RequestForm) -> dict[str, str]:
    lang = i18n.language()
    return {
        field.name: field_values.shown_value(req, field.name, lang)
        for field in spec.fields
        if field.name not in form.asked
    }


def _stored(req: Request, form: RequestForm) -> list[tuple[str, str]]:
    """Return (label, value) of the fields whose saved value differs from the typed one."""
    saved = saved_values(req)
    return [
        (str(field.label.text), field_values.shown_value(req, name, i18n.language()))
        for name, field in form.asked.items()
        if saved[name] != field.data
    ]


def _steps(
    req: Request, form: RequestForm, missing: list[completeness.Missing]
) -> list[dict[str, Any]]:
    """Return the progress steps: data, documents, sending."""
    fields = [obstacle for obstacle in missing if obstacle.field]
    files = [obstacle for obstacle in missing if obstacle.document_kind]
    has_errors = any(field.errors for field in form.asked.values())

    def state(left: list[Any], is_wrong: bool, is_current: bool) -> str:
        if is_wrong:
            return "error"
        return ("current" if is_current else "todo") if left else "done"

    return [
        {
            "label": _("Data"),
            "state": state(fields, has_errors, True),
            "url": f"#{FORM_ID}",
            "text": _left(len(fields)),
        },
        {
            "label": _("Documents"),
            "state": state(files, False, not fields),
            "url": "#documents-section",
            "text": _left(len(files)),
        },
        {
            "label": _("Send"),
            "state": "todo" if fields or files or has_errors else "current",
            "url": "#send",
            "text": None,
        },
    ]


def _left(count: int) -> str | None:
    return _("%(count)s left to give", count=count) if count else None
