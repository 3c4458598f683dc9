"""Validity of a passed exam, which entitles to a licence and excludes another exam."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from clearance.core import i18n, office_settings
from clearance.core.clock import kuwait_date, years_after
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.services.extension import ClaimEnd
from clearance.services.facts import Facts, RequestFact

VALIDITY_YEARS = "exam_validity_years"


def valid_until(passed_on: date, years: int) -> date:
    """Return the last Kuwait day on which an exam passed on `passed_on` is valid.

    years: the office's setting. Source: specification section 5, issuance.
    """
    return years_after(passed_on, years)


def last_day(passed_at: datetime) -> date:
    """Return the last Kuwait day on which an exam passed at that instant is valid now."""
    return valid_until(kuwait_date(passed_at), int(office_settings.get(VALIDITY_YEARS)))


def outdated_text(passed_on: date, last_day: date) -> Any:
    """Return the sentence about a pass that is no longer valid."""
    return _(
        "The exam was passed on %(passed)s. The pass was valid until %(day)s.",
        passed=i18n.format_day(passed_on),
        day=i18n.format_day(last_day),
    )


def release_claim(claim_key: str | None, now: datetime) -> None:
    """Clear the exclusive key of an expired pass, for the request being sent to take. Flushes."""
    held_by = sa.and_(Request.exclusive_key == claim_key, Request.status == ExamStatus.PASSED)
    passed_at = db.session.scalar(
        sa.select(Request.decided_at).where(held_by).with_for_update(of=Request)
    )
    if passed_at is None:
        return
    if last_day(passed_at) < kuwait_date(now):
        db.session.execute(sa.update(Request).where(held_by).values(exclusive_key=None))


def counts_until(passed_on: date, facts: Facts) -> date:
    """Return the last Kuwait day on which an exam passed on that day is valid."""
    return valid_until(passed_on, int(facts.settings[VALIDITY_YEARS]))


def _last_day(holder: RequestFact, facts: Facts) -> date | None:
    if holder.decided_at is None:
        return None
    return counts_until(kuwait_date(holder.decided_at), facts)


CLAIM_END = ClaimEnd(ExamStatus.PASSED, _last_day, release_claim)
