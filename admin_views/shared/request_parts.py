"""Shared parts of request pages: history and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clearance.core.actor import Actor
from clearance.models import Remark, Request
from clearance.requests import eligibility, remarks
from clearance.requests import timeline as request_timeline
from clearance.requests.remarks import Answered, AnswerState
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
    "approve_stage": "success",
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
    places = remarks.places([each.remark for each in found], versions.for_request(req))
    return [
        ShownRemark(each.remark, each.state, place)
        for each, place in zip(found, places, strict=True)
    ]


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
