"""Reading the documents of a request, in both areas: their pages as images, and the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_admin import expose

from admin_views.base.access import current_actor, id_or_404, not_found
from clearance.models import Document, Request
from clearance.requests import attachments

THUMB_WIDTH, PAGE_WIDTH = 240, 1200


class DocumentReading:
    """Mixed into a view of requests; `get_one` answers 404 for what is not the reader's."""

    get_one: Callable[[Any], Request]

    @expose("/<int:request_id>/documents/<int:document_id>/file")
    def document_file(self, request_id: int, document_id: int) -> Any:
        """Download a document as it was checked and kept."""
        _req, found = self.find_document(request_id, document_id)
        return attachments.download_response(found, current_actor())

    @expose("/<int:request_id>/documents/<int:document_id>/pages/<int:page>")
    def document_page(self, request_id: int, document_id: int, page: int) -> Any:
        """One page of a document as an image."""
        _req, found = self.find_document(request_id, document_id)
        width = THUMB_WIDTH if request.args.get("width") == str(THUMB_WIDTH) else PAGE_WIDTH
        return attachments.preview_response(found, id_or_404(page), current_actor(), width=width)

    def find_document(self, request_id: int, document_id: int) -> tuple[Request, Document]:
        """The request and its document, both within the reader's sight; 404 for every other."""
        req = self.get_one(request_id)
        found = attachments.find(id_or_404(document_id), current_actor())
        return (req, found) if found.request_id == req.id else not_found()
