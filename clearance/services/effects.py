"""Effects: what a step changes besides the status, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.core.values import clean_lines
from clearance.models import Document, Exam, ExamSeat, Remark, Request, User
from clearance.models.enums import Role, SeatStatus, Status

REMARK_MAX_LENGTH = 1000


@dataclass(frozen=True)
class RemarkInput:
    """A reviewer's remark on one field or one kind of document."""

    text: str
    field: str | None = None
    document_kind: str | None = None


@dataclass(frozen=True)
class Decision:
    """A step's input besides its reason.

    remarks: for a return. reviewer_id: the reviewer to assign. exam_id: the sitting to seat in.
    granted_expiry: the licence's last Kuwait day, granted by an approval.
    """

    remarks: tuple[RemarkInput, ...] = ()
    reviewer_id: int | None = None
    exam_id: int | None = None
    granted_expiry: date | None = None


@dataclass(frozen=True)
class StepContext:
    """The step being performed; the request already has its new status.

    actor: None for the portal. remarkable: fields and document kinds that a remark may name.
    asked: names of the fields the agent fills in. reason: the text given with the step, or "".
    """

    req: Request
    actor: Actor | None
    now: datetime
    decision: Decision = field(default_factory=Decision)
    remarkable: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    reason: str = ""

    @property
    def actor_id(self) -> int:
        """The acting person's id. Raises: ValueError for the portal."""
        if self.actor is None:
            raise ValueError("the portal itself has no id")
        return self.actor.id


Effect = Callable[[StepContext], None]

APPROVAL_EFFECTS: dict[str, Effect] = {}
"""Effects that definitions may list under `on_approval`, by name."""


def approval_effect(function: Effect) -> Effect:
    """Register `function` as an effect for `on_approval` of definitions."""
    APPROVAL_EFFECTS[function.__name__] = function
    return function


# Effects of the steps in services/flows.py.


def note_sender(step: StepContext) -> None:
    """Record the first sender, who may never decide on the request."""
    step.req.sender_id = step.actor_id
    step.req.sent_at = step.now


def lock_documents(step: StepContext) -> None:
    """Lock the documents as sent."""
    db.session.execute(
        sa.update(Document).where(Document.request_id == step.req.id).values(is_locked=True)
    )


def resolve_remarks(step: StepContext) -> None:
    """Settle the open remarks when the request is sent again."""
    db.session.execute(
        sa.update(Remark)
        .where(Remark.request_id == step.req.id, Remark.settled_at.is_(None))
        .values(settled_at=step.now)
    )


def pin_remarks(step: StepContext) -> None:
    """Store the reviewer's remarks and unlock the documents they name.

    Without remarks, unlock all documents. Raises: ValueError for an unknown field or kind.
    """
    step.req.returned_at = step.now
    remarks = [given for given in step.decision.remarks if given.text.strip()]
    for remark in remarks:
        place = remark.field or remark.document_kind
        if place not in step.remarkable or (remark.field and remark.document_kind):
            raise ValueError(f"a remark cannot be pinned to {place}")
        db.session.add(
            Remark(
                request_id=step.req.id,
                field=remark.field,
                document_kind=remark.document_kind,
                text=clean_lines(remark.text, REMARK_MAX_LENGTH),
                author_id=step.actor_id,
                created_at=step.now,
            )
        )
    kinds = {pinned.document_kind for pinned in remarks if pinned.document_kind}
    unlocking = sa.update(Document).where(Document.request_id == step.req.id)
    if remarks:
        unlocking = unlocking.where(Document.kind.in_(kinds))
    db.session.execute(unlocking.values(is_locked=False))


def assign_to_actor(step: StepContext) -> None:
    """Assign the request to the acting reviewer."""
    step.req.reviewer_id = step.actor_id


def unassign(step: StepContext) -> None:
    """Clear the request's reviewer."""
    step.req.reviewer_id = None


def assign(step: StepContext) -> None:
    """Assign the request to the chosen reviewer. Raises: Refused if they cannot decide on it."""
    reviewer_id = step.decision.reviewer_id
    reviewer = db.session.get(User, reviewer_id) if reviewer_id is not None else None
    if reviewer is None or reviewer.role != Role.REVIEWER or not reviewer.is_active:
        raise Refused(Refusal(_l("Choose an active reviewer.")))
    step.req.reviewer_id = None
    policy = permissions.can_decide
    if step.req.first_approver_id is not None and step.req.status == Status.PREAPPROVED:
        policy = permissions.can_decide_second
    if policy(actor_of(reviewer), step.req) is not None:
        raise Refused(
            Refusal(_l("This reviewer cannot decide on the request; choose another one."))
        )
    step.req.reviewer_id = reviewer.id


def note_first_approval(step: StepContext) -> None:
    """Record the first approver and leave the request to another reviewer."""
    step.req.first_approver_id = step.actor_id
    step.req.reviewer_id = None


def forget_first_approval(step: StepContext) -> None:
    """Clear the first approval of a returned request."""
    step.req.first_approver_id = None


def note_decision(step: StepContext) -> None:
    """Record when the request reached its final status."""
    step.req.decided_at = step.now


def take_seat(step: StepContext) -> None:
    """Seat the candidate; a single conditional UPDATE prevents overselling.

    Raises: Refused when the sitting is full, held, unknown or past its last day to confirm.
    """
    taken = db.session.execute(
        sa.update(Exam)
        .where(
            Exam.id == step.decision.exam_id,
            Exam.seats_taken < Exam.seats,
            Exam.held_at > step.now,
            Exam.confirm_by >= kuwait_date(step.now),
        )
        .values(seats_taken=Exam.seats_taken + 1)
        .returning(Exam.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        raise Refused(
            Refusal(_l("This exam has no seat left, or its last day to confirm has passed."))
        )
    seat = db.session.scalar(
        sa.select(ExamSeat).where(ExamSeat.exam_id == taken, ExamSeat.request_id == step.req.id)
    )
    if seat is None:
        seat = ExamSeat(exam_id=taken, request_id=step.req.id, offered_at=step.now)
        db.session.add(seat)
    seat.status, seat.offered_at = SeatStatus.OFFERED, step.now
    seat.confirmed_at = seat.reminded_at = None


def confirm_seat(step: StepContext) -> None:
    """Mark the held seat as confirmed."""
    seat = _held_seat(step.req)
    if seat is not None:
        seat.status, seat.confirmed_at = SeatStatus.CONFIRMED, step.now


def free_seat(step: StepContext) -> None:
    """Release the held seat, if any; its row stays as history."""
    seat = _held_seat(step.req)
    if seat is None:
        return
    seat.status = SeatStatus.RELEASED
    db.session.execute(
        sa.update(Exam)
        .where(Exam.id == seat.exam_id)
        .values(seats_taken=Exam.seats_taken - 1)
        .execution_options(synchronize_session=False)
    )


def note_result(step: StepContext) -> None:
    """Record the result, named by the request's new status, on the seat."""
    seat = _held_seat(step.req)
    if seat is not None:
        seat.result, seat.result_at = str(step.req.status), step.now


def _held_seat(req: Request) -> ExamSeat | None:
    return db.session.scalar(
        sa.select(ExamSeat)
        .where(ExamSeat.request_id == req.id, ExamSeat.status != SeatStatus.RELEASED)
        .order_by(ExamSeat.id.desc())
        .limit(1)
    )
