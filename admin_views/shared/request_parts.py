"""Shared parts of request pages: history, document kind names and remarks."""

from __future__ import annotations

from typing import Any

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import DocumentKind, Request
from clearance.requests import completeness
from clearance.requests import timeline as request_timeline

TIMELINE_SIGNS: dict[str, str] = {
    "send": "upload",
    "accept": "check",
    "consent": "check",
    "decline": "cross",
    "refuse": "cross",
    "send_link": "message",
    "return": "return",
    "seat": "seat",
    "release": "refresh",
    "take": "clock",
    "give_back": "clock",
    "assign": "users",
}
TIMELINE_TONES: dict[str, str] = {
    "return": "warning",
    "seat": "warning",
    "confirm": "success",
    "accept": "success",
    "consent": "success",
    "approve": "success",
    "preapprove": "success",
    "pass": "success",
    "reject": "danger",
    "decline": "danger",
    "refuse": "danger",
    "fail": "danger",
    "absent": "danger",
}


def timeline(req: Request, reader: Actor) -> list[dict[str, Any]]:
    """Return the request's history for the `ui.timeline` macro, newest first."""
    return [
        {
            "title": str(each.label),
            "at": each.at,
            "who": each.actor,
            "text": each.reason,
            "tone": TIMELINE_TONES.get(each.action or "", "neutral"),
            "sign": TIMELINE_SIGNS.get(each.action or ""),
        }
        for each in reversed(request_timeline.timeline(req, reader))
    ]


def kind_names() -> dict[str, str]:
    """Map document kinds to names in the page's language."""
    lang = i18n.language()
    return {
        each.code: each.name_ar if lang == "ar" else each.name_en
        for each in db.session.query(DocumentKind)
    }


def kind_remarks(req: Request) -> dict[str, str]:
    """Map document kinds to the reviewer's open remarks."""
    return {
        each.document_kind: each.text for each in completeness.remarks(req) if each.document_kind
    }
