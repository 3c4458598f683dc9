"""Template data of request documents: rows, required kinds and kinds that may be added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from admin_views.shared.document_reading import THUMB_WIDTH
from admin_views.shared.request_parts import kind_remarks
from clearance.models import Document, Request
from clearance.requests import attachments, batch
from clearance.requests import remarks as answered
from clearance.requests.remarks import AnswerState
from clearance.services.document_kinds import kind_names


def section(req: Request) -> dict[str, Any]:
    """Return the data of the form's documents section."""
    open_kinds = attachments.open_kinds(req)
    remarks = kind_remarks(req)
    answers = {
        each.remark.document_kind: each.state
        for each in answered.open_ones(req)
        if each.remark.document_kind
    }
    held = {doc.kind for doc in req.documents}
    kinds, addable = attachments.kinds_for(req), open_kinds - attachments.full_kinds(req)
    return {
        "rows": [row(doc, open_kinds=open_kinds, remarks=remarks) for doc in req.documents],
        "kinds": [(code, label) for code, label, _required in kinds if code in addable],
        "images": attachments.PICTURE_KINDS,
        "missing": [
            code
            for code, _label, required in kinds
            if code in open_kinds and code not in held and (required or code in remarks)
        ],
        "wanted": [
            _wanted(label, code in held, required, remarks.get(code, ""), answers.get(code))
            for code, label, required in kinds
            if required or code in remarks
        ],
        "room": attachments.room_left(req),
    }


def _wanted(
    label: str, is_held: bool, is_required: bool, remark: str, answer: AnswerState | None
) -> dict[str, Any]:
    """Return a line of the checklist. answer: of the remark on this kind, if there is one."""
    is_missing = is_required and not is_held
    if answer is None or is_missing:
        is_done, state = not is_missing, _("Missing") if is_missing else _("Attached")
    else:
        is_done, state = answer != AnswerState.OPEN, answer.label
    return {"label": label, "is_done": is_done, "state": state, "remark": remark}


def shared_section(key: str, requests: Sequence[Request]) -> dict[str, Any]:
    """Return the data of a table's documents section. key: of the table."""
    drafts = batch.drafts(requests)
    kinds = batch.shared_kinds(drafts)
    held = [{document.kind for document in req.documents} for req in drafts]
    return {
        "rows": [_shared_row(key, documents) for documents in batch.shared_documents(requests)],
        "kinds": [(code, label) for code, label, _required in kinds],
        "images": attachments.PICTURE_KINDS,
        "missing": [
            code
            for code, _label, is_required in kinds
            if is_required and not all(code in codes for codes in held)
        ],
        "wanted": [
            _shared_kind(label, sum(code in codes for codes in held), len(held))
            for code, label, is_required in kinds
            if is_required
        ],
    }


def rows(req: Request) -> list[dict[str, Any]]:
    """Return read-only document rows."""
    return [row(doc, remarks=kind_remarks(req)) for doc in req.documents]


def row(
    document: Document,
    *,
    open_kinds: frozenset[str] = frozenset(),
    remarks: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a table row; documents of `open_kinds` can be renamed and removed."""
    where: dict[str, Any] = {"request_id": document.request_id, "document_id": document.id}
    can_change = document.kind in open_kinds and not document.is_locked
    return {
        "id": document.id,
        "name": document.label,
        "kind": kind_names().get(document.kind, document.kind),
        "uploaded_at": document.uploaded_at,
        "size": document.size,
        "url": url_for("my_requests.document", **where),
        "thumb_url": url_for("my_requests.document_page", page=1, width=THUMB_WIDTH, **where),
        "remark": (remarks or {}).get(document.kind, ""),
        "remove_url": url_for("my_requests.remove_document", **where) if can_change else None,
        "rename_url": url_for("my_requests.rename_document", **where) if can_change else None,
    }


def _shared_row(key: str, documents: Sequence[Document]) -> dict[str, Any]:
    """Return the row of a file that several requests share."""
    first = documents[0]
    code = first.request.service_code
    url = url_for("my_services.several_remove", code=code, grid=key, document_id=first.id)
    return row(first) | {"count": len(documents), "remove_url": url}


def _shared_kind(label: str, count: int, total: int) -> dict[str, Any]:
    is_done = count == total
    state = _("Attached for %(count)s of %(total)s brokers", count=count, total=total)
    return {
        "label": label,
        "is_done": is_done,
        "state": _("Attached for all brokers") if is_done else state,
    }
