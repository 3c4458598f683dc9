"""Shared parts of request pages: history, document kind names and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import DocumentKind, Remark, Request
from clearance.requests import eligibility, remarks
from clearance.requests import timeline as request_timeline
from clearance.requests.remarks import Answered, AnswerState
from clearance.services import versions
from clearance.services.schema import Definition

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


@dataclass(frozen=True)
class ShownRemark:
    """A reviewer's remark as shown. place: label of the field or document."""

    remark: Remark
    state: AnswerState
    place: str

    @property
    def is_answered(self) -> bool:
        """Whether the applicant has answered it."""
        return self.state != AnswerState.OPEN


def shown_remarks(req: Request, found: Sequence[Answered]) -> list[ShownRemark]:
    """Return remarks on `req` for its pages."""
    service, names, lang = versions.for_request(req), kind_names(), i18n.language()
    return [
        ShownRemark(each.remark, each.state, _place(each.remark, service, names, lang))
        for each in found
    ]


def _place(remark: Remark, service: Definition, names: dict[str, str], lang: str) -> str:
    field = service.field(remark.field) if remark.field else None
    code = remark.document_kind or remark.field or ""
    return field.title(lang) if field is not None else names.get(code, code)


def kind_remarks(req: Request) -> dict[str, str]:
    """Map document kinds to the reviewer's open remarks."""
    return {
        remark.document_kind: remark.text
        for remark in remarks.unsettled(req)
        if remark.document_kind
    }


def next_step(version_id: int, status: str) -> Any:
    """Return what the applicant reads about what happens next."""
    state = versions.get(version_id).steps.state(status)
    if state is None:
        return eligibility.OUT_OF_ORDER.text
    return state.next_step
