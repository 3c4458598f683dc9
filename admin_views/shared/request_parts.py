"""Shared parts of request pages: history, document kind names and remarks."""

from __future__ import annotations

from typing import Any

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import DocumentKind, Request
from clearance.requests import completeness, eligibility
from clearance.requests import timeline as request_timeline
from clearance.services import versions

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
            "title": str(event.label),
            "at": event.at,
            "who": event.actor,
            "text": event.reason,
            "given": event.given,
            "tone": TIMELINE_TONES.get(event.action or "", "neutral"),
            "sign": TIMELINE_SIGNS.get(event.action or ""),
        }
        for event in reversed(request_timeline.timeline(req, reader))
    ]


def kind_names() -> dict[str, str]:
    """Map document kinds to names in the page's language."""
    lang = i18n.language()
    return {
        kind.code: kind.name_ar if lang == "ar" else kind.name_en
        for kind in db.session.query(DocumentKind)
    }


def kind_remarks(req: Request) -> dict[str, str]:
    """Map document kinds to the reviewer's open remarks."""
    return {
        remark.document_kind: remark.text
        for remark in completeness.remarks(req)
        if remark.document_kind
    }


def next_step(version_id: int, status: str) -> Any:
    """Return what the applicant reads about what happens next."""
    state = versions.get(version_id).steps.state(status)
    if state is None:
        return eligibility.OUT_OF_ORDER.text
    return state.next_step
