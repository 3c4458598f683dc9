"""What exams bring to the engine: their flow, guards, and the start with a passed candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clearance.exams import flow, guards, passes, review_warnings, seating, starts
from clearance.services.extension import Extension, Job, named_in
from clearance.services.guards import Guard


def _with_award(document: dict[str, Any]) -> dict[str, Any]:
    """Rename the sign that schema 0 called after the exam."""
    sign = document.get("sign", "services")
    return document | {"sign": {"exam": "award"}.get(sign, sign)}


EXTENSION = Extension(
    name="exams",
    needs=("licences",),
    flows=(flow.EXAM,),
    guards=named_in(guards, Guard),
    starts=(starts.PASSED_CANDIDATES,),
    claim_ends=(passes.CLAIM_END,),
    warnings=(review_warnings.warnings,),
    jobs=(Job(seating.daily, seconds=1800),),
    lifts={0: _with_award},
    definitions=Path(__file__).parent / "definitions",
    notices=Path(__file__).parent / "texts",
)
