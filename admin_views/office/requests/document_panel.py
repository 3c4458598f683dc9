"""Documents of a request on its review page."""

from __future__ import annotations

from typing import Any

from flask import url_for

from admin_views.shared.request_parts import kind_remarks
from clearance.models import Document, Request
from clearance.requests import corrections
from clearance.services.document_kinds import kind_names


def shown(req: Request) -> list[dict[str, Any]]:
    """Return the documents with the URLs of their page images."""
    names, remarks, new = kind_names(), kind_remarks(req), corrections.new_documents(req)
    return [
        {
            "id": doc.id,
            "name": doc.label,
            "kind": names.get(doc.kind, doc.kind),
            "uploaded_at": doc.uploaded_at,
            "size": doc.size,
            "remark": remarks.get(doc.kind, ""),
            "is_new": doc.id in new,
            "file_url": _url("document_file", doc),
            "pages": [_url("document_page", doc, page=page) for page in range(1, doc.pages + 1)],
        }
        for doc in req.documents
    ]


def _url(route: str, document: Document, **args: Any) -> str:
    return url_for(
        f"office_requests.{route}",
        request_id=document.request_id,
        document_id=document.id,
        **args,
    )
