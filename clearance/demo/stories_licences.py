"""Requests about a licence, in every state that the flow of its service has."""

from __future__ import annotations

from typing import Any

from clearance import several, workflow
from clearance.demo.register import ASKED_FOR
from clearance.demo.stage import Stage
from clearance.models import Request
from clearance.procedures.flows import Action
from clearance.workflow import RemarkInput

LETTER = "letter"
MOBILE_REMARK = "يرجى كتابة رقم هاتف جوال مفعّل للمخلص."
_WORDS: dict[str, dict[str, Any]] = {
    "renewal": {},
    "suspension": {"reason": "سفر المخلص للدراسة خارج البلاد."},
    "cancellation": {"reason": "ترك المخلص العمل في مهنة التخليص."},
    "reactivation": {"reason": "عودة المخلص إلى العمل في المكتب."},
    "lost_card": {"circumstances": "فُقدت المحفظة وبداخلها البطاقة، وقُدم بلاغ بفقدانها."},
    LETTER: {"purpose": "تقديمها إلى بنك", "addressee": "بنك الخليج الأهلي (اسم مختلق)"},
}
# Which licence of general@example.com's office a draft of the service is about.
_DRAFTS = {
    "renewal": "passport-30",
    "suspension": "guarantee-60",
    "cancellation": "expired",
    "reactivation": "suspension-closed",
    "lost_card": "civil_id-60",
    LETTER: LETTER,
}


def play(stage: Stage) -> None:
    """Play what ended long ago, then what was granted, then what is under way."""
    for place, code in enumerate((*ASKED_FOR, LETTER)):
        _ended(stage, code, -95 + place)
    workflow.lapse_returned(stage.at(-12))
    for code in (*ASKED_FOR, LETTER):
        _granted(stage, code)
        _under_way(stage, code)
    _of_the_second_office(stage)
    _together(stage)


def _ended(stage: Stage, code: str, days: int) -> None:
    key = _key(code, "closed")
    stage.rejected(_sent(stage, code, key, days), "reviewer", days + 3)
    stage.do(_sent(stage, code, key, days + 4), Action.WITHDRAW, "general", days + 5)
    stage.returned(_sent(stage, code, key, days + 6), "reviewer2", days + 9)


def _granted(stage: Stage, code: str) -> None:
    stage.approved(_sent(stage, code, _key(code, "closed"), -9), "reviewer", -7)


def _under_way(stage: Stage, code: str) -> None:
    name = "additional" if code == "renewal" else "general"
    _sent(stage, code, _key(code, "sent"), -2, name)
    stage.do(_sent(stage, code, _key(code, "taken"), -4, name), Action.TAKE, "reviewer", -3)
    remark = RemarkInput(MOBILE_REMARK, field="mobile")
    returned = _sent(stage, code, _key(code, "returned"), -8, name)
    stage.returned(returned, "reviewer2", -5, remark)
    draft = {"licence_id": stage.licence(name, _DRAFTS[code]).id}
    stage.draft(code, name, -1, {}, has_documents=False, **draft)


def _of_the_second_office(stage: Stage) -> None:
    granted = _sent(stage, "renewal", "renewal-closed", -14, "receiver")
    stage.approved(granted, "reviewer2", -11)
    _sent(stage, "renewal", "renewal-sent", -1, "receiver")
    _sent(stage, "reactivation", "reactivation-sent", -2, "receiver")
    letter = _sent(stage, LETTER, LETTER, -6, "receiver", language="en")
    stage.approved(letter, "reviewer", -5)


def _together(stage: Stage) -> None:
    """Letters for three brokers at once, with one document for all."""
    keys = ("licence-30", "guarantee-30", "civil_id-30")
    actor, begun = stage.actor("general"), stage.at(-20)
    chosen = [stage.licence("general", key).id for key in keys]
    grid = several.begin(LETTER, chosen, actor, begun, "demo-grid")
    stage.share(grid, "other", "general", begun)
    for req in grid:
        workflow.save(req, _WORDS[LETTER], actor, begun)
        stage.do(req, Action.SEND, "general", -20, hour=11)
        stage.approved(req, "reviewer", -19)


def _key(code: str, stage_name: str) -> str:
    return code if code == LETTER else f"{code}-{stage_name}"


def _sent(
    stage: Stage, code: str, key: str, days: int, name: str = "general", **words: Any
) -> Request:
    values = _WORDS[code] | words
    if code == "renewal":
        values |= _renewed_papers(stage, key)
    return stage.sent(code, name, days, values, licence_id=stage.licence(name, key).id)


def _renewed_papers(stage: Stage, key: str) -> dict[str, Any]:
    """New ends of whatever may end soon."""
    number = sum(key.encode()) % 1000
    return {
        "civil_id_expiry": stage.day(1400),
        "passport_no": f"P{7_000_000 + number}",
        "passport_expiry": stage.day(1800),
        "guarantee_no": f"LG 2519770/{12_000 + number:06d}",
        "guarantee_expiry": stage.day(1300),
    }
