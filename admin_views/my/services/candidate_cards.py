"""Cards of candidates who passed the exam, with the date until which the pass is valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from admin_views.base.access import current_actor
from admin_views.my.brokers.cards import PAGE_SIZE, Asked, CardPage
from clearance.core import i18n, name_folding, values
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.exams import starts
from clearance.models import Exam, ExamSeat, Request
from clearance.models.enums import SeatStatus


def page(code: str, wanted: Asked) -> CardPage:
    """Return a page of the organisation's passed candidates, most recent first."""
    offers = [
        offer
        for offer in starts.startable_candidates(code, current_actor(), utc_now())
        if _fits(offer.request, wanted.search)
    ]
    number = min(wanted.page, max(0, -(-len(offers) // PAGE_SIZE) - 1))
    shown = offers[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
    return CardPage(_cards(shown), len(offers), number, wanted)


def _fits(req: Request, typed: str) -> bool:
    """Return whether the search matches a request number, civil number or words of the name."""
    compact = values.ascii_digits(typed).replace(" ", "")
    if any(char.isdigit() for char in compact):
        return (req.civil_id or "").startswith(compact) or req.number == compact.upper()
    return all(word.is_in(req.name_folded) for word in name_folding.typed_words(typed))


def _cards(offers: Sequence[starts.StartableCandidate]) -> list[dict[str, Any]]:
    lang = i18n.language()
    held = _exam_days([offer.request.id for offer in offers])
    return [
        {
            "id": offer.request.id,
            "name": offer.request.name_in(lang),
            "civil_id": mask_civil_id(offer.request.civil_id or ""),
            "number": offer.request.number,
            "held_at": held.get(offer.request.id),
            "counts_until": offer.counts_until,
            "refusal": offer.refusal,
        }
        for offer in offers
    ]


def _exam_days(request_ids: Sequence[int]) -> dict[int, Any]:
    """Map request ids to the time of their exam sitting."""
    rows = db.session.execute(
        sa.select(ExamSeat.request_id, Exam.held_at)
        .join(Exam, Exam.id == ExamSeat.exam_id)
        .where(ExamSeat.request_id.in_(request_ids), ExamSeat.status != SeatStatus.RELEASED)
        .order_by(ExamSeat.id)
    )
    return {request_id: held_at for request_id, held_at in rows}
