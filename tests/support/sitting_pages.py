"""Sittings as their pages show them, for tests of the office."""

from __future__ import annotations

from contextvars import Context
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import has_app_context
from flask.testing import FlaskClient

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Exam, Request, User
from tests.support.exam_factories import announce, confirm, make_candidates, make_sitting

LANGUAGES = ("ar", "en")


class RealBrowser(FlaskClient):
    """Sends requests outside the test's own context and transaction, as a real browser would."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if has_app_context():
            db.session.commit()  # on SQLite the test's transaction would hold the only writer
        kwargs.setdefault("buffered", True)
        return Context().run(super().open, *args, **kwargs)


def new_values(**values: Any) -> dict[str, Any]:
    """What a reviewer types for a new sitting, in thirty days."""
    day = (utc_now() + timedelta(days=30)).date()
    return {
        "held_on": day.isoformat(),
        "held_time": "09:30",
        "confirm_by": (day - timedelta(days=5)).strftime("%d/%m/%Y"),
        "place_ar": "قاعة الشويخ",
        "place_en": "Shuwaikh Hall",
        "seats": "٢٥",
    } | values


def announced(reviewer: User, candidates: int, *, confirmed: int) -> tuple[Exam, list[Request]]:
    exam = make_sitting(actor_of(reviewer), seats=candidates)
    found = make_candidates(candidates, reviewer)
    announce(exam, actor_of(reviewer))
    for req in found[:confirmed]:
        confirm(req)
    return exam, found


def held(reviewer: User, number: int) -> tuple[Exam, list[Request]]:
    """A sitting whose `number` candidates confirmed and which was held an hour ago."""
    exam, candidates = announced(reviewer, number, confirmed=number)
    past = utc_now() - timedelta(hours=1)
    db.session.execute(
        sa.update(Exam)
        .where(Exam.id == exam.id)
        .values(held_at=past, confirm_by=past.date() - timedelta(days=3))
    )
    db.session.commit()
    return exam, candidates


def details(exam: Exam) -> str:
    return f"/office/exams/details/?id={exam.id}"
