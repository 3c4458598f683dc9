"""Demo requests about a licence, in every state that their service's flow has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

from clearance.demo import stories_office, stories_subscriptions
from clearance.demo.register import ASKED_FOR
from clearance.demo.stage import Stage, Story, Telling
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


def stories(stage: Stage) -> Iterator[Story]:
    """Yield requests in every state for each service, the grid, and what the office does."""
    for place, code in enumerate((*ASKED_FOR, LETTER)):
        name = "additional" if code == "renewal" else "general"
        taken, returned = _key(code, "taken"), _key(code, "returned")
        yield _closed(stage, code, -95 + place)
        yield _sent(stage, code, _key(code, "sent"), -2, name)
        yield stage.story(_sent(stage, code, taken, -4, name), (Action.TAKE, "reviewer", -3))
        yield stage.story(
            _sent(stage, code, returned, -8, name),
            (Action.RETURN, "reviewer2", -5),
            remarks=[RemarkInput(MOBILE_REMARK, field="mobile")],
        )
        choice = stage.licence(name, _DRAFTS[code]).id
        yield stage.draft(code, name, -1, {}, has_documents=False, choice=choice)
    renewed = _sent(stage, "renewal", "renewal-closed", -14, "receiver")
    yield stage.story(renewed, (Action.APPROVE, "reviewer", -12))
    yield _sent(stage, "renewal", "renewal-sent", -1, "receiver")
    yield _sent(stage, "reactivation", "reactivation-sent", -2, "receiver")
    letter = _sent(stage, LETTER, LETTER, -6, "receiver", language="en")
    yield stage.story(letter, (Action.APPROVE, "reviewer", -4))
    yield _together(stage)
    yield stories_office.story(stage)
    yield from stories_subscriptions.stories(stage)


def _closed(stage: Stage, code: str, days: int) -> Story:
    """Rejected, withdrawn, lapsed and finally granted: all about one licence."""
    for start, step in (
        (days, (Action.REJECT, "reviewer", days + 3)),
        (days + 4, (Action.WITHDRAW, "general", days + 5)),
        (days + 6, (Action.RETURN, "reviewer2", days + 9)),
        (-9, (Action.APPROVE, "reviewer", -7)),
    ):
        yield from stage.story(_sent(stage, code, _key(code, "closed"), start), step)


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
        yield from stage.do(req, Action.SEND, "general", -20)
    for req in grid:
        yield from stage.do(req, Action.APPROVE, "reviewer", -19)


def _key(code: str, stage_name: str) -> str:
    return code if code == LETTER else f"{code}-{stage_name}"


def _sent(
    stage: Stage, code: str, key: str, days: int, name: str = "general", **words: Any
) -> Telling:
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
