"""Effects: what a step changes besides the status, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.auth.permissions import Policy
from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.core.values import clean_lines
from clearance.models import Document, Remark, Request, User
from clearance.models.enums import Role
from clearance.services.decisions import Assignment, Decision, Given, Remarks
from clearance.services.needs import ANY, Needs
from clearance.services.statements import Composed

REMARK_MAX_LENGTH = 1000


@dataclass(frozen=True)
class StepContext:
    """The step being performed; the request already has its new status.

    actor: None for the portal. given: answers to what the step asks. remarkable: fields and
    document kinds that a remark may name. asked: names of the fields the agent fills in. reason:
    the text given with the step, or "". statements: those that a completed request gets.
    """

    req: Request
    actor: Actor | None
    now: datetime
    given: Given = field(default_factory=Given)
    remarkable: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    reason: str = ""
    statements: tuple[Composed, ...] = ()

    @property
    def actor_id(self) -> int:
        """The acting person's id. Raises: ValueError for the portal."""
        if self.actor is None:
            raise ValueError("the portal itself has no id")
        return self.actor.id


StepEffect = Callable[[StepContext], None]


@dataclass(frozen=True)
class Effect:
    """An effect that definitions may list under `on_approval`.

    words: what it causes, as the reviewer reads it. needs: what a definition must have to name it.
    asks: what the approval asks of the reviewer for it. is_final: no later request undoes it.
    """

    function: StepEffect
    words: Any
    needs: Needs = ANY
    asks: type[Decision] | None = None
    is_final: bool = False

    @property
    def name(self) -> str:
        """Its name in definitions."""
        return self.function.__name__

    def __call__(self, step: StepContext) -> None:
        """Carry it out."""
        self.function(step)


def approval_effect(
    *,
    words: Any,
    needs: Needs = ANY,
    asks: type[Decision] | None = None,
    is_final: bool = False,
) -> Callable[[StepEffect], Effect]:
    """Make the decorated function an effect for `on_approval`; see `Effect`."""
    return lambda function: Effect(function, words, needs, asks, is_final)


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
    asked = step.given.get(Remarks) or Remarks()
    remarks = [given for given in asked.remarks if given.text.strip()]
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


def assigning(policy: Policy) -> StepEffect:
    """Return the effect that assigns the request to the chosen reviewer.

    policy: who can decide on it. The effect raises Refused for anybody else.
    """

    def assign(step: StepContext) -> None:
        reviewer = db.session.get(User, step.given.require(Assignment).reviewer_id)
        if reviewer is None or reviewer.role != Role.REVIEWER or not reviewer.is_active:
            raise Refused(Refusal(_l("Choose an active reviewer.")))
        step.req.reviewer_id = None
        if policy(actor_of(reviewer), step.req) is not None:
            raise Refused(
                Refusal(_l("This reviewer cannot decide on the request. Choose another one."))
            )
        step.req.reviewer_id = reviewer.id

    return assign


assign = assigning(permissions.can_decide)


def note_decision(step: StepContext) -> None:
    """Record when the request reached its final status."""
    step.req.decided_at = step.now
