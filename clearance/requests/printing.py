"""The printed request as PDF, with its documents and steps, typeset by typst."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.core.urls import check_url, request_url
from clearance.core.values import isolate
from clearance.files.typesetting import qr_svg, set_pdf
from clearance.models import IssuedDocument, Request
from clearance.models.enums import Status
from clearance.requests import stages
from clearance.requests.field_values import shown_value, visible
from clearance.requests.timeline import TimelineEntry, timeline
from clearance.services import versions
from clearance.services.document_kinds import kind_names
from clearance.services.field_specs import legend
from clearance.services.rows import Table
from clearance.web import downloads

SUMMARY = frozenset({"number"})
# (maximum length, columns): a row has four columns, and longer values span more of them.
PLACES_BY_LENGTH = ((18, 1), (46, 2))
ALL_PLACES = 4


def request_pdf(req: Request, lang: str, reader: Actor) -> bytes:
    """Typeset the request in `lang` ("ar" or "en"); the same row gives the same bytes.

    reader: agents see "the office" instead of staff names. User input is passed as JSON, never as
    markup (security rule 33).
    """
    with force_locale(lang):
        data = _content(req, lang, reader)
    return set_pdf("request.typ", data, req.decided_at or req.sent_at or req.created_at)


def pdf_response(data: bytes, filename: str) -> Response:
    """Return a generated PDF as a download."""
    return downloads.as_attachment(Response(data, mimetype="application/pdf"), filename)


def _content(req: Request, lang: str, reader: Actor) -> dict[str, Any]:
    service = versions.for_request(req)
    settings: Settings = current_app.extensions["settings"]
    return {
        "language": lang,
        "title": service.title_in(lang),
        "number": req.number or str(_("Draft")),
        "portal": str(_("Customs Clearance Portal")),
        "draft": req.status == Status.DRAFT,
        "summary": _summary(req, lang),
        "groups": _groups(req, lang),
        "documents": _documents(req),
        "timeline": _steps(req, reader),
        "qr": qr_svg(settings.base_url + _address(req)),
        "words": _words(),
    }


def _words() -> dict[str, Any]:
    return {
        "draft": _("Draft"),
        "qr": _("Scan to open it in the portal"),
        "emblem": _("Emblem: a dhow between palm leaves"),
        "documents": _("Documents"),
        "no_documents": _("No documents were attached."),
        "document_columns": [
            *("#", _("Document name"), _("Document type")),
            *(_("Upload date"), _("Size")),
        ],
        "timeline": _("Request history"),
        "timeline_columns": [_("Date and time"), _("Step"), _("Done by"), _("Reason")],
    }


def _summary(req: Request, lang: str) -> list[dict[str, str]]:
    facts = [
        (_("Request number"), req.number or _("Assigned when the request is sent")),
        (_("Status"), stages.words_of_status(req)),
        (_("Sent on"), i18n.format_instant(req.sent_at) or "–"),
        (_("Organisation"), req.organisation.name_in(lang)),
        (_("Applicant"), (req.sender or req.created_by).name_in(lang)),
        (_("Decided on"), i18n.format_instant(req.decided_at) or "–"),
    ]
    return [{"label": str(label), "value": isolate(str(value))} for label, value in facts]


def _groups(req: Request, lang: str) -> list[dict[str, Any]]:
    """Return the non-empty fields under their headings, in the definition's order."""
    shown, found = visible(req), []
    for fieldset, specs in versions.for_request(req).fieldsets:
        lines = [(spec, shown_value(req, spec.name, lang)) for spec in specs if spec.name in shown]
        fields = [
            _field(spec.title(lang), value)
            for spec, value in lines
            if value and spec.name not in SUMMARY
        ]
        found.append((legend(fieldset, lang), fields))
    by_office = [_field(label, value) for label, value in stages.office_lines(req, lang)]
    found.append((str(_("Filled in by the office")), by_office))
    return [{"title": title, "fields": fields} for title, fields in found if fields]


def _field(label: str, value: str) -> dict[str, Any]:
    if isinstance(value, Table):
        cells = [[isolate(cell) for cell in row] for row in value.cells]
        return {"label": label, "places": ALL_PLACES, "heads": value.heads, "rows": cells}
    isolated = "\n".join(isolate(line) for line in value.splitlines())
    return {"label": label, "value": isolated, "places": _places(value)}


def _places(value: str) -> int:
    if "\n" in value:
        return ALL_PLACES
    return next((places for most, places in PLACES_BY_LENGTH if len(value) <= most), ALL_PLACES)


def _address(req: Request) -> str:
    """Return the QR code's target: public verification of an issued document, else the request."""
    code = db.session.scalar(
        sa.select(IssuedDocument.check_code)
        .where(IssuedDocument.request_id == req.id, IssuedDocument.voided_at.is_(None))
        .order_by(IssuedDocument.id)
        .limit(1)
    )
    return check_url(code) if code else request_url(req.id)


def _documents(req: Request) -> list[list[str]]:
    kinds = kind_names()
    return [
        [
            str(place),
            isolate(document.label),
            kinds.get(document.kind, document.kind),
            isolate(i18n.format_instant(document.uploaded_at)),
            isolate(i18n.format_size(document.size)),
        ]
        for place, document in enumerate(req.documents, start=1)
    ]


def _given(entry: TimelineEntry) -> list[str]:
    return [f"{label}: {isolate(value)}" for label, value in entry.given]


def _steps(req: Request, reader: Actor) -> list[list[str]]:
    return [
        [
            isolate(i18n.format_instant(entry.at)),
            "\n".join([str(entry.label), *_given(entry)]),
            isolate(entry.actor),
            isolate(entry.reason) if entry.reason else "",
        ]
        for entry in timeline(req, reader)
    ]
