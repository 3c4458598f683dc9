"""Demo issuance requests: passed candidates, licensed or still waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.demo.stage import Stage, Story, Telling
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.services.flows import Action

SERVICE = "issuance"
LOST = "سقطت البطاقة في رصيف ميناء الشويخ أثناء تفتيش حاوية."


def stories(stage: Stage) -> Iterator[Story]:
    """Yield a story for each passed candidate, leaving one of the second office waiting."""
    yield _ended(stage)
    yield _issued(stage, "general", 1)
    yield _issued(stage, "receiver", 0)
    yield _sent(stage, "general", 2, -2)
    yield stage.story(_sent(stage, "general", 3, -5), (Action.TAKE, "reviewer", -4))
    yield stage.story(_sent(stage, "general", 4, -8), (Action.RETURN, "reviewer2", -6))
    yield _drafted(stage)


def _ended(stage: Stage) -> Story:
    """Rejected, withdrawn and lapsed, so that this candidate waits for a licence again."""
    for days, step in (
        (-85, (Action.REJECT, "reviewer", -82)),
        (-81, (Action.WITHDRAW, "general", -80)),
        (-79, (Action.RETURN, "reviewer2", -76)),
    ):
        yield from stage.story(_sent(stage, "general", 0, days), step)


def _issued(stage: Stage, name: str, place: int) -> Story:
    """Licensed; the card is lost soon after and printed again."""
    issued = stage.story(_sent(stage, name, place, -70), (Action.APPROVE, "reviewer", -65))
    licence_id = (yield from issued).licence_id
    lost = stage.sent("lost_card", name, -40, {"circumstances": LOST}, choice=licence_id)
    yield from stage.story(lost, (Action.APPROVE, "reviewer2", -38))


def _drafted(stage: Stage) -> Story:
    yield from stage.wait(-1)
    candidate_id = _candidate(stage, "general", 5).id
    yield from stage.draft(SERVICE, "general", -1, {}, choice=candidate_id)


def _sent(stage: Stage, name: str, place: int, days: int) -> Telling:
    """Send a request for the office's passed candidate at that place."""
    yield from stage.wait(days)  # nobody has passed before the exam
    req = _candidate(stage, name, place)
    return (yield from stage.sent(SERVICE, name, days, _papers(stage, req), choice=req.id))


def _candidate(stage: Stage, name: str, place: int) -> Request:
    office = stage.office_of(name)
    passed = sa.and_(Request.status == ExamStatus.PASSED, Request.organisation_id == office.id)
    found = sa.select(Request).where(passed).order_by(Request.id).offset(place).limit(1)
    return db.session.scalars(found).one()


def _papers(stage: Stage, candidate: Request) -> dict[str, Any]:
    return {
        "civil_id_expiry": stage.day(1700),
        "passport_no": f"P{candidate.id:07d}",
        "passport_expiry": stage.day(1900),
        "guarantee_no": f"02/209/{candidate.id:06d}/2026",
        "guarantee_expiry": stage.day(1200),
    }
