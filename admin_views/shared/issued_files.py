"""Issued documents in both areas: download and list rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response
from flask_admin import expose

from admin_views.base.access import current_actor, id_or_404
from clearance import issuing
from clearance.core import audit, i18n, reasons, urls
from clearance.core.clock import kuwait_date, utc_now
from clearance.issuing import verification as document_verification
from clearance.models import IssuedDocument
from clearance.models.enums import IssuedState, VoidReason
from clearance.requests import printing


@dataclass(frozen=True)
class IssuedRow:
    """List row of an issued document. number: its licence's, or a statement's own.

    reason: why it is permanently void, or "".
    """

    id: int
    kind: str
    label: str
    number: str
    holder: str
    issued_on: date
    valid_until: date | None
    state: IssuedState
    since: date | None
    reason: str
    url: str


class IssuedReading:
    """Mixin of office views: download of an issued document."""

    @expose("/<int:issued_id>/file")
    def issued_file(self, issued_id: int) -> Any:
        """Download the document as issued, even if void by now."""
        return download(issued_id)


def download(issued_id: int) -> Response:
    """Return the file; 404 if not visible to the reader. Staff access is audited."""
    actor = current_actor()
    document = issuing.find(id_or_404(issued_id), actor)
    number = document.content["number"].replace("/", "-")
    name = f"{document.kind}-{number}-{document.id}.pdf"
    data = issuing.file_of(document.id)
    if actor.is_staff:
        audit.access(
            "issued:read",
            user_id=actor.user_id,
            object_type="issued_document",
            object_id=str(document.id),
            result="read",
            detail=document.kind,
        )
    return printing.pdf_response(data, name)


def rows(documents: Iterable[IssuedDocument]) -> list[IssuedRow]:
    """Return the list rows of the documents in their order, with one query."""
    chosen = list(documents)
    authenticity = document_verification.authenticity_of_each(chosen, utc_now())
    is_staff = current_actor().is_staff
    return [_row(document, authenticity[document.id], is_staff) for document in chosen]


def _row(
    document: IssuedDocument, worth: document_verification.Authenticity, is_staff: bool
) -> IssuedRow:
    url = urls.office_issued_url(document.id) if is_staff else urls.issued_url(document.id)
    return IssuedRow(
        id=document.id,
        kind=document.kind,
        label=str(issuing.title_of(document)),
        number=document.content["number"],
        holder=i18n.in_language(document.content["holder"], ""),
        issued_on=kuwait_date(document.issued_at),
        valid_until=document.valid_until,
        state=worth.state,
        since=worth.since,
        reason=str(VoidReason.label_of(reasons.read(document.void_reason))),
        url=url,
    )
