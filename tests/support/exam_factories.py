"""Builders of sittings and their candidates for tests: walked by the use cases, committed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams import seating, sittings
from clearance.exams.flow import ExamAction
from clearance.models import Exam, ExamSeat, Request, User
from clearance.models.enums import Status
from tests.support import factories, request_factories


def make_sitting(actor: Actor, *, now: datetime | None = None, **changes: Any) -> Exam:
    """A sitting with two seats, in twenty days, to be confirmed within ten; changes replace it."""
    now = now or utc_now()
    plan = sittings.Plan(
        held_at=(now + timedelta(days=20)).replace(microsecond=0),
        place_ar="قاعة الاختبارات، الشويخ",
        place_en="Examination Hall, Shuwaikh",
        seats=2,
        confirm_by=(now + timedelta(days=10)).date(),
    )
    exam = sittings.make(replace(plan, **changes), actor=actor, now=now)
    db.session.commit()
    return exam


def make_candidates(
    number: int, reviewer: User, agent: User | None = None, *, now: datetime | None = None
) -> list[Request]:
    """Preapproved candidates in the order of sending, a minute apart, three days ago."""
    agent, now = agent or factories.make_agent(), now or utc_now()
    return [
        request_factories.make_request(
            agent,
            Status.PREAPPROVED,
            reviewer=reviewer,
            now=now - timedelta(days=3) + timedelta(minutes=place),
        )
        for place in range(number)
    ]


def announce(exam: Exam, actor: Actor, now: datetime | None = None) -> seating.Seating:
    """Seat the candidates in the order of their sending."""
    done = seating.announce(exam.id, actor=actor, now=now or utc_now())
    db.session.commit()
    return done


def confirm(req: Request, now: datetime | None = None) -> None:
    """Confirm the seat, as the applicant."""
    agent = db.session.get_one(User, req.created_by_id)
    request_factories.step(req, ExamAction.CONFIRM, agent, now=now)


def seat_of(req: Request) -> ExamSeat:
    """The candidate's seat as it is stored now."""
    found = sa.select(ExamSeat).where(ExamSeat.request_id == req.id)
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def status_of(req: Request) -> str:
    """The stored status of the request."""
    return db.session.execute(sa.select(Request.status).where(Request.id == req.id)).scalar_one()
