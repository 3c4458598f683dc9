"""Documents of a request at the office: their pages as images, and the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from flask_admin import expose

from admin_views.access import acting, as_id, not_found
from admin_views.my.document_rows import kind_names, kind_remarks
from clearance import corrections, documents
from clearance.models import Document, Request

THUMB_WIDTH, PAGE_WIDTH = 240, 1200


class OfficeDocuments:
    """Everything under /<request>/documents/, for reading only."""

    get_one: Callable[[Any], Request]

    @expose("/<int:request_id>/documents/<int:document_id>/file")
    def document_file(self, request_id: int, document_id: int) -> Any:
        """Download a document as it was checked and kept."""
        return documents.download_response(self._document(request_id, document_id), acting())

    @expose("/<int:request_id>/documents/<int:document_id>/pages/<int:page>")
    def document_page(self, request_id: int, document_id: int, page: int) -> Any:
        """One page of a document as an image."""
        found = self._document(request_id, document_id)
        width = THUMB_WIDTH if request.args.get("width") == str(THUMB_WIDTH) else PAGE_WIDTH
        return documents.preview_response(found, as_id(page), acting(), width=width)

    def _document(self, request_id: int, document_id: int) -> Document:
        req = self.get_one(request_id)
        found = documents.find(as_id(document_id), acting())
        return found if found.request_id == req.id else not_found()


def shown(req: Request) -> list[dict[str, Any]]:
    """The documents as the review page shows them, with the addresses of their pages."""
    names, remarks, new = kind_names(), kind_remarks(req), corrections.new_documents(req)
    return [
        {
            "id": each.id,
            "name": each.label,
            "kind": names.get(each.kind, each.kind),
            "uploaded_at": each.uploaded_at,
            "size": each.size,
            "remark": remarks.get(each.kind, ""),
            "is_new": each.id in new,
            "file_url": _url("document_file", each),
            "pages": [_url("document_page", each, page=page) for page in range(1, each.pages + 1)],
        }
        for each in req.documents
    ]


def _url(route: str, document: Document, **args: Any) -> str:
    return url_for(
        f"office_requests.{route}",
        request_id=document.request_id,
        document_id=document.id,
        **args,
    )
