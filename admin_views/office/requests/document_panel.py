"""Documents of a request as the review page shows them, in place."""

from __future__ import annotations

from typing import Any

from flask import url_for

from admin_views.shared.request_parts import kind_names, kind_remarks
from clearance.models import Document, Request
from clearance.requests import corrections


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
