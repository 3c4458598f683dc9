"""What exams bring to the engine: their flow, guards, and the start with a passed candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core.office_setting_types import number
from clearance.exams import (
    flow,
    follow_ups,
    guards,
    lists,
    passes,
    review_warnings,
    seating,
    starts,
)
from clearance.exams.statuses import ExamStatus
from clearance.services.extension import Extension, Job, Trail, Waiting, named_in
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
    waiting=(
        Waiting(
            status=ExamStatus.SEATED,
            step=_l("Confirm attendance"),
            all_of_them=_l("All seats to confirm"),
            last_day=lists.CONFIRM_BY,
        ),
    ),
    follow_ups=(follow_ups.licences_to_apply_for,),
    known=((_l("Exams"), lists.known_of),),
    trail=Trail(
        events={
            "exam:sitting:created": _l("An exam was created"),
            "exam:sitting:changed": _l("An exam was changed"),
            "exam:sitting:announced": _l("An exam was announced"),
            "exam:sitting:closed": _l("An exam was closed"),
            "exam:results:recorded": _l("Results were recorded"),
        },
        accesses={
            "exam:read": _l("An exam was viewed"),
            "exam:final_list": _l("The final list of an exam was downloaded"),
        },
        tables={"exam": _l("Exam")},
    ),
    setting_groups={"exam": _l("Exam")},
    settings=(
        number(passes.VALIDITY_YEARS, "exam", 3, _l("Years a passed exam stays valid"), maximum=50),
        number(
            "exam_waiting_days",
            "exam",
            0,
            _l("Days to wait after failing or missing the exam"),
            _l("0 means no waiting time."),
            minimum=0,
        ),
        number(
            "exam_attempts",
            "exam",
            0,
            _l("Maximum exam attempts per person"),
            _l("0 means no limit."),
            minimum=0,
            maximum=100,
        ),
    ),
    jobs=(Job(seating.daily, seconds=1800),),
    lifts={0: _with_award},
    definitions=Path(__file__).parent / "definitions",
    notices=Path(__file__).parent / "texts",
    views="admin_views.office.exams.views:add_views",
    demo="clearance.demo.stories_exam:stories",
)
