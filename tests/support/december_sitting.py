"""A sitting of December 2026 and its candidates, for tests that need its dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.exams import seating as exam_seating
from clearance.exams import sittings
from clearance.models import Exam, Notice, Request, User
from tests.support import exam_factories

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)  # 09:00 in Kuwait, a Tuesday
LAST_DAY = date(2026, 12, 10)
HELD_AT = datetime(2026, 12, 20, 7, 0, tzinfo=UTC)
PLAN = sittings.Plan(
    held_at=HELD_AT,
    place_ar="قاعة الاختبارات، الشويخ",
    place_en="Examination Hall, Shuwaikh",
    seats=2,
    confirm_by=LAST_DAY,
)
AFTER_LAST_DAY = datetime(2026, 12, 11, 6, 0, tzinfo=UTC)


def make_sitting(actor: Actor, **changes: Any) -> Exam:
    planned = {"held_at": HELD_AT, "confirm_by": LAST_DAY} | changes
    return exam_factories.make_sitting(actor, now=NOW, **planned)


def make_candidates(number: int, reviewer: User, agent: User | None = None) -> list[Request]:
    return exam_factories.make_candidates(number, reviewer, agent, now=NOW)


def announce(exam: Exam, actor: Actor, now: datetime = NOW) -> exam_seating.Seating:
    return exam_factories.announce(exam, actor, now)


def confirm(req: Request, now: datetime = NOW) -> None:
    exam_factories.confirm(req, now)


def statuses(candidates: list[Request]) -> list[str]:
    found = db.session.execute(sa.select(Request.id, Request.status)).all()
    by_id = {row.id: row.status for row in found}
    return [by_id[candidate.id] for candidate in candidates]


def told(event: str) -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).where(Notice.event == event)))


def hold(actor: Actor, reviewer: User, number: int) -> tuple[Exam, list[Request]]:
    """A sitting with `number` confirmed candidates."""
    exam = make_sitting(actor, seats=number + 1)
    candidates = make_candidates(number, reviewer)
    announce(exam, actor)
    for req in candidates:
        confirm(req)
    return exam, candidates
