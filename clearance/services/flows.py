"""Flows: tables of steps between statuses, with their permissions, guards and effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.auth.permissions import Policy
from clearance.licences import guards as licence_guards
from clearance.models.enums import OPEN_STATUSES, Status
from clearance.services import effects, guards
from clearance.services.effects import Effect
from clearance.services.guards import Guard
from clearance.transfers import effects as transfer_effects
from clearance.transfers import guards as transfer_guards


class Action(StrEnum):
    """The steps of all flows."""

    SEND = "send"
    ACCEPT = "accept"
    DECLINE = "decline"
    CONSENT = "consent"
    REFUSE = "refuse"
    SEND_LINK = "send_link"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    TAKE = "take"
    GIVE_BACK = "give_back"
    ASSIGN = "assign"
    PREAPPROVE = "preapprove"
    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    SEAT = "seat"
    RELEASE = "release"
    PASS = "pass"  # noqa: S105 - the step that passes a candidate
    FAIL = "fail"
    ABSENT = "absent"
    LAPSE = "lapse"


class Side(StrEnum):
    """The party that a step is offered to. The broker has no account."""

    AGENT = "agent"
    OTHER_PARTY = "other_party"
    EITHER_PARTY = "either_party"
    BROKER = "broker"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    PORTAL = "portal"


class Asks(StrEnum):
    """Input that a step needs besides a reason (fields of `effects.Decision`)."""

    NOTHING = ""
    REMARKS = "remarks"
    REVIEWER = "reviewer"
    EXAM = "exam"
    EXPIRY = "expiry"


@dataclass(frozen=True)
class Step:
    """One row of a flow's table.

    target: None when the status stays. sends: requires a complete request, and gives it its number
    and exclusive key. own: the request must be assigned to the actor; an unassigned one is taken
    first, as a separate step. completes: runs the definition's `on_approval` effects. tells: notice
    event for the organisation's members; tells_reviewer: for the request's reviewer.
    """

    action: Action
    sources: frozenset[Status]
    target: Status | None
    side: Side
    who: Policy
    needs_reason: bool = False
    sends: bool = False
    own: bool = False
    completes: bool = False
    asks: Asks = Asks.NOTHING
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    tells: str = ""
    tells_reviewer: str = ""


@dataclass(frozen=True)
class Flow:
    """The steps of a kind of request.

    on_the_clock: statuses in which the office's processing time runs. keeps_claim: final statuses
    that still exclude other requests. has_seats: requests get seats in exams. has_parties: another
    organisation and the broker must consent.
    """

    name: str
    steps: tuple[Step, ...]
    on_the_clock: frozenset[Status] = frozenset({Status.SUBMITTED, Status.UNDER_REVIEW})
    keeps_claim: frozenset[Status] = frozenset()
    has_seats: bool = False
    has_parties: bool = False

    def step(self, status: str, action: Action) -> Step | None:
        """Return the row for `action` from `status`, or None."""
        for row in self.steps:
            if row.action == action and status in row.sources:
                return row
        return None

    def path(self, status: str, action: Action, *, is_taken: bool) -> tuple[Step, ...]:
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
        return status in OPEN_STATUSES or status in self.keeps_claim


def _from(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


_SEND_AGAIN = Step(
    Action.SEND,
    _from(Status.RETURNED),
    Status.SUBMITTED,
    Side.AGENT,
    permissions.acts_for,
    sends=True,
    effects=(effects.lock_documents, effects.resolve_remarks),
    tells="request:sent",
)
_SEND = replace(
    _SEND_AGAIN,
    sources=_from(Status.DRAFT),
    effects=(effects.note_sender, effects.lock_documents),
)
_WITHDRAW = Step(
    Action.WITHDRAW,
    _from(Status.SUBMITTED, Status.UNDER_REVIEW, Status.RETURNED),
    Status.WITHDRAWN,
    Side.AGENT,
    permissions.acts_for,
    effects=(effects.note_decision,),
    tells="request:withdrawn",
)
_TAKE = Step(
    Action.TAKE,
    _from(Status.SUBMITTED),
    Status.UNDER_REVIEW,
    Side.REVIEWER,
    permissions.can_take,
    effects=(effects.assign_to_actor,),
)
_GIVE_BACK = Step(
    Action.GIVE_BACK,
    _from(Status.UNDER_REVIEW),
    Status.SUBMITTED,
    Side.REVIEWER,
    permissions.is_its_reviewer,
    effects=(effects.unassign,),
)
_ASSIGN = Step(
    Action.ASSIGN,
    _from(Status.SUBMITTED, Status.UNDER_REVIEW),
    Status.UNDER_REVIEW,
    Side.MANAGER,
    permissions.can_assign,
    asks=Asks.REVIEWER,
    effects=(effects.assign,),
    tells_reviewer="office:assigned",
)
_PREAPPROVE = Step(
    Action.PREAPPROVE,
    _from(Status.UNDER_REVIEW),
    Status.PREAPPROVED,
    Side.REVIEWER,
    permissions.can_decide,
    own=True,
    tells="request:preapproved",
)
_APPROVE = Step(
    Action.APPROVE,
    _from(Status.UNDER_REVIEW),
    Status.APPROVED,
    Side.REVIEWER,
    permissions.can_decide,
    own=True,
    completes=True,
    effects=(effects.note_decision,),
    tells="request:approved",
)
_RETURN = Step(
    Action.RETURN,
    _from(Status.UNDER_REVIEW),
    Status.RETURNED,
    Side.REVIEWER,
    permissions.can_decide,
    needs_reason=True,
    own=True,
    asks=Asks.REMARKS,
    effects=(effects.pin_remarks,),
    tells="request:returned",
)
_REJECT = Step(
    Action.REJECT,
    _from(Status.UNDER_REVIEW),
    Status.REJECTED,
    Side.REVIEWER,
    permissions.can_decide,
    needs_reason=True,
    own=True,
    effects=(effects.note_decision,),
    tells="request:rejected",
)
_LAPSE = Step(
    Action.LAPSE,
    _from(Status.RETURNED),
    Status.LAPSED,
    Side.PORTAL,
    permissions.is_portal,
    effects=(effects.note_decision,),
    tells="request:lapsed",
)
_BEFORE_REVIEW = (_SEND, _SEND_AGAIN, _TAKE, _GIVE_BACK, _ASSIGN, _LAPSE)

STANDARD = Flow("standard", (*_BEFORE_REVIEW, _WITHDRAW, _APPROVE, _RETURN, _REJECT))


def _second(step: Step, **changes: Any) -> Step:
    """Return the step as in the second approval, by a different reviewer than the first."""
    in_second: dict[str, Any] = {
        "sources": _from(Status.PREAPPROVED),
        "who": permissions.can_decide_second,
    }
    return replace(step, **(in_second | changes))


TWO_APPROVALS = Flow(
    "two_approvals",
    (
        *_BEFORE_REVIEW,
        replace(_WITHDRAW, sources=_WITHDRAW.sources | {Status.PREAPPROVED}),
        replace(_PREAPPROVE, effects=(effects.note_first_approval,), tells=""),
        _RETURN,
        _REJECT,
        _second(_TAKE, who=permissions.can_take_second, target=None),
        _second(_GIVE_BACK, who=permissions.is_its_reviewer, target=None),
        _second(_ASSIGN, who=permissions.can_assign, target=None),
        _second(_APPROVE),
        _second(_RETURN, effects=(effects.pin_remarks, effects.forget_first_approval)),
        _second(_REJECT),
    ),
    on_the_clock=_from(Status.SUBMITTED, Status.UNDER_REVIEW, Status.PREAPPROVED),
)

_SEAT = Step(
    Action.SEAT,
    _from(Status.PREAPPROVED),
    Status.SEATED,
    Side.REVIEWER,
    permissions.can_process,
    asks=Asks.EXAM,
    effects=(effects.take_seat,),
    tells="exam:announced",
)
_CONFIRM = Step(
    Action.CONFIRM,
    _from(Status.SEATED),
    Status.CONFIRMED,
    Side.AGENT,
    permissions.acts_for,
    guards=(guards.seat_is_confirmable,),
    effects=(effects.confirm_seat,),
    tells="exam:confirmed",
)
_RELEASE = Step(
    Action.RELEASE,
    _from(Status.SEATED, Status.CONFIRMED),
    Status.PREAPPROVED,
    Side.REVIEWER,
    permissions.can_process_or_portal,
    effects=(effects.free_seat,),
    tells="exam:released",
)
_PASS = Step(
    Action.PASS,
    _from(Status.CONFIRMED),
    Status.PASSED,
    Side.REVIEWER,
    permissions.can_process,
    completes=True,
    guards=(guards.exam_has_begun,),
    effects=(effects.note_result, effects.note_decision),
    tells="exam:passed",
)

EXAM = Flow(
    "exam",
    (
        *_BEFORE_REVIEW,
        replace(
            _WITHDRAW,
            sources=_WITHDRAW.sources | {Status.PREAPPROVED, Status.SEATED, Status.CONFIRMED},
            effects=(effects.free_seat, effects.note_decision),
        ),
        _PREAPPROVE,
        _RETURN,
        _REJECT,
        replace(_REJECT, sources=_from(Status.PREAPPROVED), who=permissions.can_process, own=False),
        _SEAT,
        _CONFIRM,
        _RELEASE,
        _PASS,
        replace(
            _PASS, action=Action.FAIL, target=Status.FAILED, completes=False, tells="exam:failed"
        ),
        replace(
            _PASS, action=Action.ABSENT, target=Status.ABSENT, completes=False, tells="exam:absent"
        ),
    ),
    keeps_claim=_from(Status.PASSED),
    has_seats=True,
)


_UNANSWERED = _from(Status.AWAITING_OTHER_PARTY, Status.AWAITING_BROKER)
_ACCEPT = Step(
    Action.ACCEPT,
    _from(Status.AWAITING_OTHER_PARTY),
    Status.AWAITING_BROKER,
    Side.OTHER_PARTY,
    permissions.can_respond_to_transfer,
    guards=(
        transfer_guards.answer_is_in_time,
        licence_guards.licence_is_active,
        transfer_guards.broker_is_with_a_party,
        transfer_guards.other_organisation_may_hold_licences,
        transfer_guards.broker_can_be_asked,
    ),
    effects=(transfer_effects.note_acceptance,),
)
_CONSENT = Step(
    Action.CONSENT,
    _from(Status.AWAITING_BROKER),
    Status.SUBMITTED,
    Side.BROKER,
    permissions.is_portal,
    guards=(transfer_guards.answer_is_in_time, transfer_guards.broker_is_with_a_party),
    effects=(transfer_effects.record_broker_consent,),
)

TRANSFER = Flow(
    "transfer",
    (
        replace(
            _SEND,
            target=Status.AWAITING_OTHER_PARTY,
            effects=(*_SEND.effects, transfer_effects.ask_other_party),
        ),
        _SEND_AGAIN,
        _ACCEPT,
        replace(
            _ACCEPT,
            action=Action.DECLINE,
            target=Status.DECLINED,
            guards=(),
            effects=(effects.note_decision, transfer_effects.record_decline),
        ),
        _CONSENT,
        replace(
            _CONSENT,
            action=Action.REFUSE,
            target=Status.DECLINED,
            guards=(),
            effects=(effects.note_decision, transfer_effects.note_brokers_refusal),
        ),
        Step(
            Action.SEND_LINK,
            _from(Status.AWAITING_BROKER),
            None,
            Side.EITHER_PARTY,
            permissions.is_transfer_party,
            guards=(*_CONSENT.guards, transfer_guards.broker_can_be_asked),
            effects=(transfer_effects.ask_broker,),
        ),
        replace(
            _LAPSE,
            sources=_UNANSWERED,
            effects=(effects.note_decision, transfer_effects.record_no_response),
            tells="",
        ),
        replace(
            _WITHDRAW,
            sources=_WITHDRAW.sources | _UNANSWERED,
            effects=(*_WITHDRAW.effects, transfer_effects.close),
        ),
        _TAKE,
        _GIVE_BACK,
        _ASSIGN,
        _APPROVE,
        _RETURN,
        replace(_REJECT, effects=(*_REJECT.effects, transfer_effects.close)),
        replace(_LAPSE, effects=(*_LAPSE.effects, transfer_effects.close)),
    ),
    has_parties=True,
)


def _by_name(flows: Iterable[Flow]) -> dict[str, Flow]:
    return {flow.name: flow for flow in flows}


FLOWS: dict[str, Flow] = _by_name((STANDARD, TWO_APPROVALS, EXAM, TRANSFER))

BY_BROKER = frozenset({Action.CONSENT, Action.REFUSE})

ACTION_LABELS: dict[Action, Any] = {
    Action.SEND: _l("Send"),
    Action.ACCEPT: _l("Accept the transfer"),
    Action.DECLINE: _l("Decline the transfer"),
    Action.CONSENT: _l("Consent to the transfer"),
    Action.REFUSE: _l("Refuse the transfer"),
    Action.SEND_LINK: _l("Send the broker a new link"),
    Action.WITHDRAW: _l("Withdraw"),
    Action.CONFIRM: _l("Confirm attendance"),
    Action.TAKE: _l("Take"),
    Action.GIVE_BACK: _l("Give back"),
    Action.ASSIGN: _l("Assign"),
    Action.PREAPPROVE: _l("Approve provisionally"),
    Action.APPROVE: _l("Approve"),
    Action.RETURN: _l("Return for completion"),
    Action.REJECT: _l("Reject"),
    Action.SEAT: _l("Nominate for an exam"),
    Action.RELEASE: _l("Release the seat"),
    Action.PASS: _l("Record as passed"),
    Action.FAIL: _l("Record as failed"),
    Action.ABSENT: _l("Record as absent"),
    Action.LAPSE: _l("Let lapse"),
}

EVENT_LABELS: dict[Action, Any] = {
    Action.SEND: _l("The request was sent"),
    Action.ACCEPT: _l("The other organisation accepted the transfer"),
    Action.DECLINE: _l("The other organisation declined the transfer"),
    Action.CONSENT: _l("The broker consented to the transfer"),
    Action.REFUSE: _l("The broker refused the transfer"),
    Action.SEND_LINK: _l("The broker was sent a new link"),
    Action.WITHDRAW: _l("The request was withdrawn"),
    Action.CONFIRM: _l("Attendance was confirmed"),
    Action.TAKE: _l("Review began"),
    Action.GIVE_BACK: _l("The request went back to the queue"),
    Action.ASSIGN: _l("The request was assigned to a reviewer"),
    Action.PREAPPROVE: _l("The request was approved provisionally"),
    Action.APPROVE: _l("The request was approved"),
    Action.RETURN: _l("The request was returned for completion"),
    Action.REJECT: _l("The request was rejected"),
    Action.SEAT: _l("The candidate was nominated for an exam"),
    Action.RELEASE: _l("The seat was released; the next exam is awaited"),
    Action.PASS: _l("The exam was passed"),
    Action.FAIL: _l("The exam was not passed"),
    Action.ABSENT: _l("The candidate did not attend the exam"),
    Action.LAPSE: _l("The request lapsed without being completed in time"),
}

ACTION_TONES: dict[Action, str] = {
    **dict.fromkeys(Action, "normal"),
    Action.SEND: "primary",
    Action.ACCEPT: "primary",
    Action.DECLINE: "danger",
    Action.CONSENT: "primary",
    Action.REFUSE: "danger",
    Action.CONFIRM: "primary",
    Action.APPROVE: "primary",
    Action.PREAPPROVE: "primary",
    Action.WITHDRAW: "danger",
    Action.REJECT: "danger",
}
