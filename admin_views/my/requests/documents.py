"""Request documents: adding, renaming, removing, viewing and downloading."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.my.requests import document_rows, uploads
from admin_views.my.requests import form as request_form
from admin_views.my.requests.base import RequestRoutes, form_url
from admin_views.shared.document_reading import DocumentReading
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import wants_json
from clearance.core.values import BadValue
from clearance.models import Document, Request
from clearance.requests import attachments

SECTION = "documents-section"


class DocumentRoutes(DocumentReading, RequestRoutes):
    """Routes under /<request>/documents/."""

    @expose("/<int:request_id>/documents", methods=("POST",))
    def documents(self, request_id: int) -> Any:
        """Add the posted files. Scripts post one and get its row; pages also save their form."""
        files = uploads.checked(lambda: self.get_one(request_id))
        req = self.get_one(request_id)
        if "version" not in request.form:  # posted by script: one file without the form
            added = uploads.attach(req, files)
            db.session.commit()
            if wants_json():
                return _answer(req, added, files.faults)
            request_form.tell_uploads(added, files.faults)
            return redirect(form_url(req, SECTION), code=303)
        form, outcome = request_form.save_posted(req, files)
        if form.errors or outcome.status != 200:
            return self.show_form(self.get_one(request_id), form, outcome)  # type: ignore[attr-defined]  # FormRoutes gives it
        return redirect(form_url(req, SECTION), code=303)

    @expose("/<int:request_id>/documents/<int:document_id>")
    def document(self, request_id: int, document_id: int) -> Any:
        """Show a document as images of its pages."""
        req, found = self.find_document(request_id, document_id)
        return self.render(
            "my/requests/document.html",
            req=req,
            document=document_rows.row(found),
            pages=range(1, found.pages + 1),
        )

    @expose("/<int:request_id>/documents/<int:document_id>/remove", methods=("POST",))
    def remove_document(self, request_id: int, document_id: int) -> Any:
        """Remove a document."""
        return self._change(request_id, document_id, _("The document was removed."), None)

    @expose("/<int:request_id>/documents/<int:document_id>/rename", methods=("POST",))
    def rename_document(self, request_id: int, document_id: int) -> Any:
        """Rename a document."""
        label = request.form.get(f"document-{document_id}-label", request.form.get("label", ""))
        return self._change(request_id, document_id, _("The document was renamed."), label)

    def _change(self, request_id: int, document_id: int, told: str, label: str | None) -> Any:
        req, found = self.find_document(request_id, document_id)
        if "version" in request.form:
            request_form.save_posted(req)
        try:
            if label is None:
                attachments.remove(found, current_actor(), utc_now())
            else:
                attachments.rename(found, label, current_actor(), utc_now())
            db.session.commit()
            flash(told, "success")
        except (BadValue, DomainError) as fault:
            db.session.rollback()
            req = self.get_one(request_id)
            flash(uploads.text_of(fault), "error")
        return redirect(form_url(req, SECTION), code=303)


def _answer(req: Request, added: list[Document], faults: list[str]) -> Any:
    """Return the new row and the changed parts of the page for its script."""
    if not added:
        return jsonify(error=" ".join(faults)), 400
    section = document_rows.section(req)
    new = {document.id for document in added}
    rows = [row for row in section["rows"] if row["id"] in new]
    return jsonify(
        row_html="".join(
            render_template("my/requests/document_row.html", row=row, owner=request_form.FORM_ID)
            for row in rows
        ),
        parts={
            "documents-wanted": render_template(
                "my/requests/documents_wanted.html", documents=section
            )
        },
        version=req.version,
    )
