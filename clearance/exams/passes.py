"""How long a passed exam counts: for asking for a licence, and against sitting the exam again."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from clearance.core import office_settings
from clearance.core.clock import kuwait_date, years_after
from clearance.core.extensions import db
from clearance.models import Request
from clearance.models.enums import Status

VALIDITY_YEARS = "exam_validity_years"


def valid_until(passed_on: date, years: int) -> date:
    """The last Kuwait day on which an exam counts that was passed on that day.

    years: as the office has set them. Source: specification section 5, issuance.
    """
    return years_after(passed_on, years)


def release_claim(claim_key: str | None, now: datetime) -> None:
    """Take the claim from a pass that no longer counts, for the request that is being sent.

    Until then the pass keeps it, so that nobody sits an exam again that counts. Flushes.
    """
    held_by = sa.and_(Request.exclusive_key == claim_key, Request.status == Status.PASSED)
    passed_at = db.session.scalar(
        sa.select(Request.decided_at).where(held_by).with_for_update(of=Request)
    )
    if passed_at is None:
        return
    years = int(office_settings.get(VALIDITY_YEARS))
    if valid_until(kuwait_date(passed_at), years) < kuwait_date(now):
        db.session.execute(sa.update(Request).where(held_by).values(exclusive_key=None))
