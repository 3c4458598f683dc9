"""Demo requests for an extract: one approved at the usual fee, one waiting."""

from __future__ import annotations

from collections.abc import Iterator

from clearance.demo.names import candidate
from clearance.demo.stage import Stage, Story, Telling
from clearance.services.flows import Action


def stories(stage: Stage) -> Iterator[Story]:
    """Yield both requests."""
    yield stage.story(_sent(stage, -9), (Action.APPROVE, "reviewer", -7))
    yield _sent(stage, -2)


def _sent(stage: Stage, days: int) -> Telling:
    person = candidate(next(stage.people))
    values = {"name_ar_1": person.names_ar[0], "payer": "مكتب النخلة للتخليص الجمركي"}
    return stage.sent("extract", "general", days, values, choice="private")
