"""The flow of exam requests: preliminary approval, nomination, confirmation, result."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.exams import effects as exam_effects
from clearance.exams import facts, passes, starts
from clearance.exams import guards as exam_guards
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.models.enums import Status
from clearance.services import effects as standard_effects
from clearance.services import flows
from clearance.services.flows import Flow, Side, State, Step, StepName, statuses


class ExamAction(StepName):
    """The steps of an exam request besides the standard ones."""

    CONFIRM = "confirm", _l("Confirm attendance"), _l("Attendance was confirmed"), "primary"
    SEAT = "seat", _l("Offer a seat"), _l("The candidate was offered an exam seat")
    RELEASE = (
        "release",
        _l("Release the seat"),
        _l("The seat was released; waiting for the next exam"),
    )
    PASS = "pass", _l("Record as passed"), _l("The exam was passed")
    FAIL = "fail", _l("Record as failed"), _l("The exam was not passed")
    ABSENT = "absent", _l("Record as absent"), _l("The candidate did not attend the exam")


class ExamSide(StrEnum):
    """Where seats are offered: a sitting gives all of its seats, in the order of sending."""

    SITTING = "exam_sitting"


_SEAT = Step(
    ExamAction.SEAT,
    statuses(Status.PREAPPROVED),
    ExamStatus.SEATED,
    ExamSide.SITTING,
    permissions.can_process,
    asks=exam_effects.SeatChoice,
    effects=(exam_effects.take_seat,),
    tells="exam:announced",
    tells_person="exam:announced:candidate",
)
_CONFIRM = Step(
    ExamAction.CONFIRM,
    statuses(ExamStatus.SEATED),
    ExamStatus.CONFIRMED,
    Side.AGENT,
    permissions.acts_for,
    guards=(exam_guards.seat_is_confirmable,),
    effects=(exam_effects.confirm_seat,),
    tells="exam:confirmed",
    tells_person="exam:confirmed:candidate",
)
_RELEASE = Step(
    ExamAction.RELEASE,
    statuses(ExamStatus.SEATED, ExamStatus.CONFIRMED),
    Status.PREAPPROVED,
    Side.REVIEWER,
    permissions.can_process_or_portal,
    effects=(exam_effects.free_seat,),
    tells="exam:released",
    tells_person="exam:released:candidate",
)
_PASS = Step(
    ExamAction.PASS,
    statuses(ExamStatus.CONFIRMED),
    ExamStatus.PASSED,
    Side.REVIEWER,
    permissions.can_process,
    completes=True,
    guards=(exam_guards.exam_has_begun,),
    effects=(exam_effects.note_result, standard_effects.note_decision),
    tells="exam:passed",
    tells_person="exam:passed:candidate",
)


def _leads_on(req: Request) -> bool:
    return bool(starts.services_after_a_pass(req.organisation_id))


def _sitting(req: Request) -> dict[str, Any]:
    """Return what notices say of the sitting that the candidate has a seat in, and of a pass."""
    seat = facts.load_seats([req.id]).get(req.id)
    if seat is None:
        return {}
    values = facts.notice_values(req, seat)
    if req.status == ExamStatus.PASSED and req.decided_at and _leads_on(req):
        values["pass_valid_until"] = passes.last_day(req.decided_at)
    return values


EXAM = Flow(
    "exam",
    (
        *flows.BEFORE_REVIEW,
        _CONFIRM,
        replace(
            flows.WITHDRAW,
            sources=flows.WITHDRAW.sources
            | {Status.PREAPPROVED, ExamStatus.SEATED, ExamStatus.CONFIRMED},
            effects=(exam_effects.free_seat, standard_effects.note_decision),
        ),
        flows.PREAPPROVE,
        flows.RETURN,
        flows.REJECT,
        replace(
            flows.REJECT,
            sources=statuses(Status.PREAPPROVED),
            who=permissions.can_process,
            own=False,
        ),
        _SEAT,
        _RELEASE,
        _PASS,
        *(
            replace(
                _PASS,
                action=action,
                target=target,
                completes=False,
                tells=f"exam:{target}",
                tells_person=f"exam:{target}:candidate",
            )
            for action, target in (
                (ExamAction.FAIL, ExamStatus.FAILED),
                (ExamAction.ABSENT, ExamStatus.ABSENT),
            )
        ),
    ),
    (
        *flows.STATES,
        State(Status.PREAPPROVED, _l("Wait for the next exam to be announced.")),
        State(
            ExamStatus.SEATED,
            _l("Confirm attendance in time, or the seat goes to someone else."),
            awaits_applicant=True,
        ),
        State(
            ExamStatus.CONFIRMED,
            _l("Arrive on time for the exam and bring your civil ID card."),
        ),
        State(
            ExamStatus.PASSED,
            _l("The exam is passed."),
            keeps_claim=True,
        ),
        State(ExamStatus.FAILED, _l("The request is closed. You can apply again.")),
        State(ExamStatus.ABSENT, _l("The request is closed. You can apply again.")),
    ),
    words=_l("Two decisions, an exam and its result"),
    notice_values=_sitting,
)
