"""Issuance requests of the demo world: passed candidates become brokers, or not yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clearance import workflow
from clearance.demo.stage import Stage
from clearance.models import Request
from clearance.procedures.flows import Action

SERVICE = "issuance"
LOST = "سقطت البطاقة في رصيف ميناء الشويخ أثناء تفتيش حاوية."


def play(stage: Stage, candidates: list[Request]) -> None:
    """Ask for those who passed; of each office's last nothing was asked, so that one waits."""
    of_nakhla = (each for each in candidates if each.organisation_id == stage.cast.nakhla.id)
    of_bahr = (each for each in candidates if each.organisation_id == stage.cast.bahr.id)
    _closed(stage, next(of_nakhla))
    _issued(stage, "general", next(of_nakhla))
    _issued(stage, "receiver", next(of_bahr))
    _open(stage, of_nakhla)


def _closed(stage: Stage, candidate: Request) -> None:
    """Rejected, withdrawn and lapsed, so that this candidate waits for a licence again."""
    stage.rejected(_sent(stage, "general", candidate, -85), "reviewer", -82)
    stage.do(_sent(stage, "general", candidate, -81), Action.WITHDRAW, "general", -80)
    stage.returned(_sent(stage, "general", candidate, -79), "reviewer2", -76)
    workflow.lapse_returned(stage.at(-12))


def _issued(stage: Stage, name: str, candidate: Request) -> None:
    """Licensed; the card is lost soon after and printed again."""
    req = stage.approved(_sent(stage, name, candidate, -70), "reviewer", -65)
    card = {"circumstances": LOST}
    lost = stage.sent("lost_card", name, -40, card, licence_id=req.licence_id)
    stage.approved(lost, "reviewer2", -38)


def _open(stage: Stage, candidates: Iterator[Request]) -> None:
    _sent(stage, "general", next(candidates), -2)
    stage.do(_sent(stage, "general", next(candidates), -5), Action.TAKE, "reviewer", -4)
    stage.returned(_sent(stage, "general", next(candidates), -8), "reviewer2", -6)
    stage.draft(SERVICE, "general", -1, {}, candidate_id=next(candidates).id)


def _sent(stage: Stage, name: str, candidate: Request, days: int) -> Request:
    return stage.sent(SERVICE, name, days, _values(stage, candidate), candidate_id=candidate.id)


def _values(stage: Stage, candidate: Request) -> dict[str, Any]:
    return {
        "civil_id_expiry": stage.day(1700),
        "passport_no": f"P{candidate.id:07d}",
        "passport_expiry": stage.day(1900),
        "guarantee_no": f"02/209/{candidate.id:06d}/2026",
        "guarantee_expiry": stage.day(1200),
    }
