"""Warnings to the reviewer about a candidate's exam; they refuse nothing."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.exams import passes
from clearance.exams.starts import PASSED_CANDIDATES
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.services import versions


def warnings(req: Request, now: datetime) -> list[Refusal]:
    """Warn about a missing or outdated exam, for services that start from passed candidates."""
    if versions.for_request(req).start != PASSED_CANDIDATES.name or not req.civil_id:
        return []
    passed_at = db.session.scalar(
        sa.select(sa.func.max(Request.decided_at)).where(
            Request.civil_id == req.civil_id, Request.status == ExamStatus.PASSED
        )
    )
    if passed_at is None:
        return [Refusal(_l("The portal has no record that this person passed the exam."))]
    last = passes.last_day(passed_at)
    if kuwait_date(now) <= last:
        return []
    return [Refusal(passes.outdated_text(kuwait_date(passed_at), last))]
