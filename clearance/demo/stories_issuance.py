"""Demo issuance requests: passed candidates, licensed or still waiting."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any

from clearance.demo.stage import Stage, Story
from clearance.models import Request
from clearance.services.flows import Action

SERVICE = "issuance"
LOST = "سقطت البطاقة في رصيف ميناء الشويخ أثناء تفتيش حاوية."
_Telling = Generator[datetime, None, Request]


def stories(stage: Stage) -> Iterator[Story]:
    """Yield a story for each passed candidate, leaving one of the second office waiting."""
    yield _ended(stage)
    yield _issued(stage, "general", 1)
    yield _issued(stage, "receiver", 0)
    yield _only_sent(stage)
    yield _taken(stage)
    yield _returned(stage)
    yield _drafted(stage)


def _ended(stage: Stage) -> Story:
    """Rejected, withdrawn and lapsed, so that this candidate waits for a licence again."""
    rejected = yield from _sent(stage, "general", 0, -85)
    yield from stage.rejected(rejected, "reviewer", -82)
    withdrawn = yield from _sent(stage, "general", 0, -81)
    yield from stage.do(withdrawn, Action.WITHDRAW, "general", -80)
    lapsing = yield from _sent(stage, "general", 0, -79)
    yield from stage.returned(lapsing, "reviewer2", -76)


def _issued(stage: Stage, name: str, place: int) -> Story:
    """Licensed; the card is lost soon after and printed again."""
    req = yield from _sent(stage, name, place, -70)
    yield from stage.do(req, Action.APPROVE, "reviewer", -65)
    lost = {"circumstances": LOST}
    again = yield from stage.sent("lost_card", name, -40, lost, choice=req.licence_id)
    yield from stage.do(again, Action.APPROVE, "reviewer2", -38)


def _only_sent(stage: Stage) -> Story:
    yield from _sent(stage, "general", 2, -2)


def _taken(stage: Stage) -> Story:
    req = yield from _sent(stage, "general", 3, -5)
    yield from stage.do(req, Action.TAKE, "reviewer", -4)


def _returned(stage: Stage) -> Story:
    req = yield from _sent(stage, "general", 4, -8)
    yield from stage.returned(req, "reviewer2", -6)


def _drafted(stage: Stage) -> Story:
    yield from stage.wait(-1)
    candidate_id = _candidate(stage, "general", 5).id
    yield from stage.draft(SERVICE, "general", -1, {}, choice=candidate_id)


def _sent(stage: Stage, name: str, place: int, days: int) -> _Telling:
    """Send a request for the office's passed candidate at that place."""
    yield from stage.wait(days)  # nobody has passed before the exam
    req = _candidate(stage, name, place)
    return (yield from stage.sent(SERVICE, name, days, _papers(stage, req), choice=req.id))


def _candidate(stage: Stage, name: str, place: int) -> Request:
    office = stage.office_of(name)
    return [req for req in stage.passed if req.organisation_id == office.id][place]


def _papers(stage: Stage, candidate: Request) -> dict[str, Any]:
    return {
        "civil_id_expiry": stage.day(1700),
        "passport_no": f"P{candidate.id:07d}",
        "passport_expiry": stage.day(1900),
        "guarantee_no": f"02/209/{candidate.id:06d}/2026",
        "guarantee_expiry": stage.day(1200),
    }
