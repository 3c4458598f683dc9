"""Flows: tables of steps between statuses, with their permissions, guards and effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.auth.permissions import Policy
from clearance.core.actor import Actor
from clearance.models import Request
from clearance.models.enums import Labelled, Status
from clearance.services import effects
from clearance.services.decisions import Assignment, Decision, Remarks
from clearance.services.effects import StepEffect
from clearance.services.guards import Check

PORTAL_NAME = _l("The portal")


class StepName(StrEnum):
    """Base of the names of steps, with their words.

    label: of the button. event: of the timeline entry. tone: of the button. taken_by: who took a
    step that no user took.
    """

    label: Any
    event: Any
    tone: str
    taken_by: Any

    def __new__(
        cls, code: str, label: Any, event: Any, tone: str = "normal", taken_by: Any = PORTAL_NAME
    ) -> Self:
        """Make a member of its code and words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.event = label, event
        member.tone, member.taken_by = tone, taken_by
        return member


class Action(StepName):
    """The steps of the standard flows; other flows add their own."""

    SEND = "send", _l("Send"), _l("The request was sent"), "primary"
    WITHDRAW = "withdraw", _l("Withdraw"), _l("The request was withdrawn"), "danger"
    TAKE = "take", _l("Take"), _l("Review started")
    GIVE_BACK = "give_back", _l("Release"), _l("The request went back to the queue")
    ASSIGN = "assign", _l("Assign"), _l("The request was assigned to a reviewer")
    PREAPPROVE = (
        "preapprove",
        _l("Give preliminary approval"),
        _l("The request was given preliminary approval"),
        "primary",
    )
    APPROVE = "approve", _l("Approve"), _l("The request was approved"), "primary"
    APPROVE_STAGE = "approve_stage", _l("Approve"), _l("A stage was approved"), "primary"
    RETURN = (
        "return",
        _l("Ask for corrections"),
        _l("Corrections were requested"),
    )
    REJECT = "reject", _l("Reject"), _l("The request was rejected"), "danger"
    LAPSE = (
        "lapse",
        _l("Close (no response)"),
        _l("The request was closed because it was not completed in time"),
    )


class Side(StrEnum):
    """The party that a step is offered to. Flows may add parties, as enums of their own."""

    AGENT = "agent"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    PORTAL = "portal"


@dataclass(frozen=True)
class Step:
    """One row of a flow's table.

    target: None when the status stays. sends: requires a complete request, and gives it its number
    and exclusive key. own: the request must be assigned to the actor; an unassigned one is taken
    first, as a separate step. completes: runs the definition's `on_approval` effects. asks: what
    the actor is asked besides a reason. by: the organisation whose step it is, by default the
    requesting one. tells: notice event for the organisation's members; tells_person: for the person
    whom the request is about, with the members'; tells_reviewer: for the request's reviewer.
    """

    action: StepName
    sources: frozenset[Labelled]
    target: Labelled | None
    side: StrEnum
    who: Policy
    needs_reason: bool = False
    sends: bool = False
    own: bool = False
    completes: bool = False
    may_complete: bool = False
    event: StepName | None = None
    asks: type[Decision] | None = None
    guards: tuple[Check, ...] = ()
    effects: tuple[StepEffect, ...] = ()
    by: Callable[[Request, Actor | None], int | None] | None = None
    tells: str = ""
    tells_person: str = ""
    tells_reviewer: str = ""

    @property
    def can_complete(self) -> bool:
        """Whether it completes the request, or may do so."""
        return self.completes or self.may_complete


@dataclass(frozen=True)
class State:
    """What a status means in a flow.

    next_step: what the applicant reads about what happens next. on_clock: the office's processing
    time runs. awaits_applicant: the applicant's side has to act. keeps_claim: the request still
    excludes others though it is decided.
    """

    status: Labelled
    next_step: Any
    on_clock: bool = False
    awaits_applicant: bool = False
    keeps_claim: bool = False


@dataclass(frozen=True)
class Flow:
    """The steps of a kind of request, and what its statuses mean.

    words: how requests are decided. notice_values: what the notices of its steps name besides
    number, service and reason.
    has_parties: another organisation takes part, so that the licence need not be the applicant's.
    """

    name: str
    steps: tuple[Step, ...]
    states: tuple[State, ...]
    words: Any = ""
    notice_values: Callable[[Request], Mapping[str, Any]] = lambda req: {}
    has_parties: bool = False

    def state(self, status: str) -> State | None:
        """Return what `status` means here, or None for one of another flow."""
        return next((state for state in self.states if state.status == status), None)

    @property
    def on_clock(self) -> frozenset[str]:
        """Statuses in which the office's processing time runs."""
        return frozenset(state.status for state in self.states if state.on_clock)

    @property
    def open_statuses(self) -> frozenset[str]:
        """Statuses of a sent request that steps lead on from."""
        return frozenset(source for step in self.steps for source in step.sources) - {Status.DRAFT}

    def step(self, status: str, action: str) -> Step | None:
        """Return the row for `action` from `status`, or None."""
        for row in self.steps:
            if row.action == action and status in row.sources:
                return row
        return None

    def path(self, status: str, action: str, *, is_taken: bool) -> tuple[Step, ...]:
        """Return the rows to perform for `action`: usually one, none when it is impossible.

        is_taken: whether the request has a reviewer. If a step with `own` finds it unassigned or
        queued, TAKE comes first.
        """
        step = self.step(status, action)
        if step is not None and (is_taken or not step.own):
            return (step,)
        take = self.step(status, Action.TAKE)
        after = self.step(take.target or status, action) if take is not None else None
        if take is not None and after is not None and after.own:
            return (take, after)
        return (step,) if step is not None else ()

    def holds_claim(self, status: str) -> bool:
        """Return whether a request in `status` still excludes others."""
        state = self.state(status)
        return status in self.open_statuses or (state is not None and state.keeps_claim)


def statuses(*listed: Labelled) -> frozenset[Labelled]:
    """Return a step's sources."""
    return frozenset(listed)


SEND_AGAIN = Step(
    Action.SEND,
    statuses(Status.RETURNED),
    Status.SUBMITTED,
    Side.AGENT,
    permissions.acts_for,
    sends=True,
    effects=(effects.lock_documents, effects.resolve_remarks),
    tells="request:sent",
)
SEND = replace(
    SEND_AGAIN,
    sources=statuses(Status.DRAFT),
    effects=(effects.note_sender, effects.lock_documents),
)
WITHDRAW = Step(
    Action.WITHDRAW,
    statuses(Status.SUBMITTED, Status.UNDER_REVIEW, Status.RETURNED),
    Status.WITHDRAWN,
    Side.AGENT,
    permissions.acts_for,
    effects=(effects.note_decision,),
    tells="request:withdrawn",
)
TAKE = Step(
    Action.TAKE,
    statuses(Status.SUBMITTED),
    Status.UNDER_REVIEW,
    Side.REVIEWER,
    permissions.can_take,
    effects=(effects.assign_to_actor,),
)
GIVE_BACK = Step(
    Action.GIVE_BACK,
    statuses(Status.UNDER_REVIEW),
    Status.SUBMITTED,
    Side.REVIEWER,
    permissions.is_its_reviewer,
    effects=(effects.unassign,),
)
ASSIGN = Step(
    Action.ASSIGN,
    statuses(Status.SUBMITTED, Status.UNDER_REVIEW),
    Status.UNDER_REVIEW,
    Side.MANAGER,
    permissions.can_assign,
    asks=Assignment,
    effects=(effects.assign,),
    tells_reviewer="office:assigned",
)
PREAPPROVE = Step(
    Action.PREAPPROVE,
    statuses(Status.UNDER_REVIEW),
    Status.PREAPPROVED,
    Side.REVIEWER,
    permissions.can_decide,
    own=True,
    tells="request:preapproved",
)
APPROVE = Step(
    Action.APPROVE,
    statuses(Status.UNDER_REVIEW),
    Status.APPROVED,
    Side.REVIEWER,
    permissions.can_decide,
    own=True,
    completes=True,
    effects=(effects.note_decision,),
    tells="request:approved",
)
RETURN = Step(
    Action.RETURN,
    statuses(Status.UNDER_REVIEW),
    Status.RETURNED,
    Side.REVIEWER,
    permissions.can_decide,
    needs_reason=True,
    own=True,
    asks=Remarks,
    effects=(effects.pin_remarks,),
    tells="request:returned",
)
REJECT = Step(
    Action.REJECT,
    statuses(Status.UNDER_REVIEW),
    Status.REJECTED,
    Side.REVIEWER,
    permissions.can_decide,
    needs_reason=True,
    own=True,
    effects=(effects.note_decision,),
    tells="request:rejected",
)
LAPSE = Step(
    Action.LAPSE,
    statuses(Status.RETURNED),
    Status.LAPSED,
    Side.PORTAL,
    permissions.is_portal,
    effects=(effects.note_decision,),
    tells="request:lapsed",
)
BEFORE_REVIEW = (SEND, SEND_AGAIN, TAKE, GIVE_BACK, ASSIGN, LAPSE)

STATES = (
    State(Status.DRAFT, _l("Complete the form and send the request to the office.")),
    State(
        Status.SUBMITTED,
        _l("A reviewer will take the request and check it."),
        on_clock=True,
    ),
    State(
        Status.UNDER_REVIEW,
        _l("A reviewer is checking the request. We will notify you of the outcome."),
        on_clock=True,
    ),
    State(
        Status.RETURNED,
        _l("Make the corrections the reviewer asked for and send the request again."),
        awaits_applicant=True,
    ),
    State(Status.APPROVED, _l("There is nothing left to do.")),
    State(Status.REJECTED, _l("The request is closed. The history below shows why.")),
    State(Status.WITHDRAWN, _l("The request is closed because it was withdrawn.")),
    State(Status.LAPSED, _l("The request is closed because it was not completed in time.")),
)
"""States that most flows have."""

STANDARD = Flow(
    "standard",
    (*BEFORE_REVIEW, WITHDRAW, APPROVE, RETURN, REJECT),
    STATES,
    words=_l("One decision"),
)
