"""Request documents: adding, renaming, removing, viewing and downloading."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.my.requests import document_rows, posting, uploads
from admin_views.my.requests.base import RequestRoutes
from admin_views.my.requests.open_form import OpenForm
from admin_views.shared.document_reading import DocumentReading
from clearance.core.clock import utc_now
from clearance.requests import attachments


class DocumentRoutes(DocumentReading, RequestRoutes):
    """Routes under /<request>/documents/."""

    show_form: Callable[[OpenForm], Any]

    @expose("/<int:request_id>/documents", methods=("POST",))
    def documents(self, request_id: int) -> Any:
        """Add the posted files. Scripts post one and get its row; pages also save their form."""
        files = uploads.checked(lambda: self.get_one(request_id))
        page = OpenForm.of(self.get_one(request_id))
        return posting.add_documents(page, files, self.show_form)

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
        _req, found = self.find_document(request_id, document_id)
        remove = partial(attachments.remove, found, current_actor(), utc_now())
        return self._change(request_id, remove, _("The document was removed."))

    @expose("/<int:request_id>/documents/<int:document_id>/rename", methods=("POST",))
    def rename_document(self, request_id: int, document_id: int) -> Any:
        """Rename a document."""
        _req, found = self.find_document(request_id, document_id)
        label = request.form.get(f"document-{document_id}-label", request.form.get("label", ""))
        rename = partial(attachments.rename, found, label, current_actor(), utc_now())
        return self._change(request_id, rename, _("The document was renamed."))

    def _change(self, request_id: int, act: Callable[[], None], told: str) -> Any:
        page = OpenForm.of(self.get_one(request_id))
        find = partial(self.get_one, request_id)
        return posting.change_documents(page, act, told, find, self.show_form)
