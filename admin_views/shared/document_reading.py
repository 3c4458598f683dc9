"""Viewing request documents in both areas: page images and downloads."""

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
    """Mixin of request views; `get_one` aborts with 404 unless the reader may see the request."""

    get_one: Callable[[Any], Request]

    @expose("/<int:request_id>/documents/<int:document_id>/file")
    def document_file(self, request_id: int, document_id: int) -> Any:
        """Download a document as checked and stored."""
        _req, found = self.find_document(request_id, document_id)
        return attachments.download_response(found, current_actor())

    @expose("/<int:request_id>/documents/<int:document_id>/pages/<int:page>")
    def document_page(self, request_id: int, document_id: int, page: int) -> Any:
        """Return a page of a document as an image."""
        _req, found = self.find_document(request_id, document_id)
        width = THUMB_WIDTH if request.args.get("width") == str(THUMB_WIDTH) else PAGE_WIDTH
        return attachments.preview_response(found, id_or_404(page), current_actor(), width=width)

    def find_document(self, request_id: int, document_id: int) -> tuple[Request, Document]:
        """Return the request and its document; 404 if the reader may not see them."""
        req = self.get_one(request_id)
        found = attachments.find(id_or_404(document_id), current_actor())
        return (req, found) if found.request_id == req.id else not_found()
