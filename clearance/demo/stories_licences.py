"""Demo requests about a licence, in every state that their service's flow has."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any
from zlib import crc32

from clearance.demo.register import ASKED_FOR
from clearance.demo.stage import Stage, Story
from clearance.models import Request
from clearance.requests import batch, drafts
from clearance.services.decisions import RemarkInput
from clearance.services.flows import Action

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
# Which licence of general@example.com's office a draft of the service concerns.
_DRAFTS = {
    "renewal": "passport-30",
    "suspension": "guarantee-60",
    "cancellation": "expired",
    "reactivation": "suspension-closed",
    "lost_card": "civil_id-60",
    LETTER: LETTER,
}
_GRID = ("licence-30", "guarantee-30", "civil_id-30")
_Telling = Generator[datetime, None, Request]


def stories(stage: Stage) -> Iterator[Story]:
    """Yield closed, granted and pending requests for each service; then the grid."""
    for place, code in enumerate((*ASKED_FOR, LETTER)):
        name = "additional" if code == "renewal" else "general"
        yield _closed(stage, code, -95 + place)
        yield _only_sent(stage, code, "sent", -2, name)
        yield _taken(stage, code, name)
        yield _returned(stage, code, name)
        yield _drafted(stage, code, name)
    yield _granted(stage, "renewal", "renewal-closed", -14, "receiver")
    yield _only_sent(stage, "renewal", "sent", -1, "receiver")
    yield _only_sent(stage, "reactivation", "sent", -2, "receiver")
    yield _granted(stage, LETTER, LETTER, -6, "receiver", language="en")
    yield _together(stage)


def _closed(stage: Stage, code: str, days: int) -> Story:
    """Rejected, withdrawn, lapsed and finally granted: all about one licence."""
    key = _key(code, "closed")
    rejected = yield from _sent(stage, code, key, days)
    yield from stage.rejected(rejected, "reviewer", days + 3)
    withdrawn = yield from _sent(stage, code, key, days + 4)
    yield from stage.do(withdrawn, Action.WITHDRAW, "general", days + 5)
    lapsing = yield from _sent(stage, code, key, days + 6)
    yield from stage.returned(lapsing, "reviewer2", days + 9)
    yield from _granted(stage, code, key, -9)


def _granted(
    stage: Stage, code: str, key: str, days: int, name: str = "general", **words: Any
) -> Story:
    req = yield from _sent(stage, code, key, days, name, **words)
    yield from stage.do(req, Action.APPROVE, "reviewer", days + 2)


def _only_sent(stage: Stage, code: str, stage_name: str, days: int, name: str) -> Story:
    yield from _sent(stage, code, _key(code, stage_name), days, name)


def _taken(stage: Stage, code: str, name: str) -> Story:
    req = yield from _sent(stage, code, _key(code, "taken"), -4, name)
    yield from stage.do(req, Action.TAKE, "reviewer", -3)


def _returned(stage: Stage, code: str, name: str) -> Story:
    req = yield from _sent(stage, code, _key(code, "returned"), -8, name)
    yield from stage.returned(req, "reviewer2", -5, RemarkInput(MOBILE_REMARK, field="mobile"))


def _drafted(stage: Stage, code: str, name: str) -> Story:
    licence_id = stage.licence(name, _DRAFTS[code]).id
    yield from stage.draft(code, name, -1, {}, has_documents=False, choice=licence_id)


def _together(stage: Stage) -> Story:
    """Letters for three brokers at once, with one document for all."""
    now = yield from stage.wait(-20)
    actor = stage.actor("general")
    chosen = [stage.licence("general", key).id for key in _GRID]
    grid = batch.create_drafts(LETTER, chosen, actor, now, "demo-grid")
    stage.share(grid, "other", "general", now)
    for req in grid:
        drafts.save(req, _WORDS[LETTER], actor, now)
    for req in grid:
        yield from stage.do(req, Action.SEND, "general", -20, hour=11)
    for req in grid:
        yield from stage.do(req, Action.APPROVE, "reviewer", -19)


def _key(code: str, stage_name: str) -> str:
    return code if code == LETTER else f"{code}-{stage_name}"


def _sent(
    stage: Stage, code: str, key: str, days: int, name: str = "general", **words: Any
) -> _Telling:
    values = _WORDS[code] | words
    if code == "renewal":
        values |= _renewed_papers(stage, key)
    return stage.sent(code, name, days, values, choice=stage.licence(name, key).id)


def _renewed_papers(stage: Stage, key: str) -> dict[str, Any]:
    """Return new expiry dates for everything that may expire soon."""
    number = crc32(key.encode()) % 100_000
    return {
        "civil_id_expiry": stage.day(1400),
        "passport_no": f"P{7_000_000 + number}",
        "passport_expiry": stage.day(1800),
        "guarantee_no": f"LG 2519770/{12_000 + number:06d}",
        "guarantee_expiry": stage.day(1300),
    }
