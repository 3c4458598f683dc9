"""Transitions of requests: perform a step of the flow with all its effects, or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, numbering, reasons
from clearance.core.actor import Actor
from clearance.core.constraints import is_violation_of
from clearance.core.errors import (
    BadReason,
    NotFound,
    PermissionDenied,
    ReasonRequired,
    Refused,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.core.urls import office_request_url, request_url
from clearance.core.values import BadValue
from clearance.models import Event, Request
from clearance.models.enums import Status
from clearance.organisations import subscription_locks
from clearance.requests import (
    corrections,
    deadlines,
    eligibility,
    field_values,
    notice_values,
    stages,
    starts,
    statements,
)
from clearance.requests import timeline as history
from clearance.requests.completeness import (
    Incomplete,
    missing,
)
from clearance.requests.locking import lock, lock_records
from clearance.services import guards, messages, registry, versions
from clearance.services.decisions import Decision, Given
from clearance.services.effects import StepContext
from clearance.services.flows import Action, Step
from clearance.services.schema import Definition
from clearance.services.stages import Stage
from clearance.services.target import CONSTRAINT, Target

REASON_MAX_LENGTH = 1000


def perform(
    req: Request,
    action: str,
    *,
    actor: Actor | None,
    now: datetime,
    version: int,
    reason: Reason | str = "",
    data: Decision | Iterable[Decision] = (),
) -> Event:
    """Perform `action` on `req` with its effects, audit event and notices, or nothing. Flushes.

    actor: None for the portal itself. now: aware UTC. version: of the row that the actor saw.
    reason: shown to the applicant, 1-1000 characters if the step needs one. data: the step's other
    inputs. Deciding on an unassigned request also takes it, as a separate event. Returns the event
    of `action`; `req` is reloaded. Raises: NotFound, TransitionNotAllowed (changed meanwhile, or
    impossible from this status), PermissionDenied, BadReason, ReasonRequired, Incomplete, Refused
    (by a guard or constraint). Source: specification section 6; security rules 24, 25, 51-54.
    """
    kept = _cleaned(reason)
    lock(req)
    try:
        with db.session.begin_nested():
            return _perform(req, action, actor, now, version, kept, Given(data))
    except Exception as error:
        db.session.expire(req)  # it may hold values of the savepoint that was rolled back
        if not isinstance(error, IntegrityError):
            raise
        for name, refusal in registry.current().constraints.items():
            if is_violation_of(error, name):
                raise Refused(refusal) from None
        if not is_violation_of(error, CONSTRAINT):
            raise
        case = eligibility.case_of(req, versions.for_request(req), actor, now)
        holder = case.facts.claims.get(case.claim_key or "")
        raise Refused(guards.claimed_by(holder, case)) from None


def lapse_returned(now: datetime) -> int:
    """Lapse all returned requests past their correction deadline. Flushes. Returns how many.

    Requests that are resent concurrently, or whose service is out of order, are skipped.
    """
    missed = Request.returned_at < deadlines.lapse_if_returned_before(now)
    waiting = db.session.scalars(
        sa.select(Request)
        .where(Request.status == Status.RETURNED, missed, versions.in_order())
        .order_by(Request.id)
    ).all()
    lapsed = 0
    for req in waiting:
        try:
            perform(req, Action.LAPSE, actor=None, now=now, version=req.version)
        except (Refused, TransitionNotAllowed):
            continue
        lapsed += 1
    return lapsed


def _cleaned(reason: Reason | str) -> str:
    try:
        return reasons.cleaned(reason, REASON_MAX_LENGTH)
    except BadValue as fault:
        raise BadReason(fault.message) from None


def _perform(
    req: Request,
    action: str,
    actor: Actor | None,
    now: datetime,
    version: int,
    reason: str,
    given: Given,
) -> Event:
    if actor is not None and not permissions.can_act_on(actor, req):
        raise NotFound
    service = versions.for_request(req)
    if service.is_out_of_order:
        raise Refused(eligibility.OUT_OF_ORDER)
    path = stages.flow_of(req, given).path(req.status, action, is_taken=req.reviewer_id is not None)
    if req.version != version:
        raise history.moved_on(req, actor)
    if not path:
        raise TransitionNotAllowed(history.impossible_from(stages.words_of_status(req)))
    for step in path:
        is_asked = step.action == action
        event = _walk(
            req, step, actor, now, reason if is_asked else "", given if is_asked else Given()
        )
    return event


def _walk(
    req: Request, step: Step, actor: Actor | None, now: datetime, reason: str, given: Given
) -> Event:
    """Perform a single step of the flow."""
    refusal = step.who(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if step.needs_reason and not reason:
        raise ReasonRequired
    service = versions.for_request(req)
    if step.sends or step.completes:
        lock_records([req.id])
    if step.sends:
        subscription_locks.lock_shared(req.organisation_id, service, now)
        starts.refresh(req, service)
    _check(req, step, service, actor, now)
    given = _answered(step, service, given, now)
    if step.sends:
        _settle(req, actor, now)
    from_status, values = req.status, service.steps.notice_values(req)
    left, entered = stages.of_request(req), stages.entered(req, step, given)
    _move(req, step, service, now, actor, entered)
    asked = frozenset(spec.name for spec in service.asked)
    kinds = frozenset(spec.kind for spec in service.documents)
    context = StepContext(req, actor, now, given, asked | kinds, asked, reason)
    stages.keep_answers(context, left)
    _carry_out(step, service, context)
    event = audit.record(
        history.kind_of(step.event or step.action),
        obj=req,
        actor_id=actor.id if actor is not None else None,
        at=now,
        organisation_id=step.by(req, actor) if step.by is not None else req.organisation_id,
        request_id=req.id,
        from_status=from_status,
        to_status=req.status,
        reason=reason,
        changes=given.changes() | history.stage_change(left, entered),
    )
    _tell(req, step, service, now, reason, service.steps.notice_values(req) or values)
    return event


def _carry_out(step: Step, service: Definition, context: StepContext) -> None:
    """Run the effects of the step, and of the service if the step completes the request."""
    if step.completes:
        issued = statements.composed(context.req, context.now)
        context = replace(context, statements=issued)
    for effect in step.effects:
        effect(context)
    for name in service.effects if step.completes else ():
        registry.current().effects[name](context)


def _settle(req: Request, actor: Actor | None, now: datetime) -> None:
    """Drop what conditions hide; what a correction drops stays in the trail. Flushes."""
    before = field_values.known(req)
    field_values.settle(req)
    if req.status == Status.RETURNED and actor is not None:
        after = field_values.known(req)
        corrections.record(req, before, after, actor, now)
    db.session.flush()


def _check(
    req: Request, step: Step, service: Definition, actor: Actor | None, now: datetime
) -> None:
    """Check completeness and guards. Raises: Refused, Incomplete."""
    if step.sends and (lacking := missing(req, now)):
        raise Incomplete(lacking)
    refusal = eligibility.step_refusal(req, step, service, actor, now)
    if refusal is not None:
        raise Refused(refusal)


def _answered(step: Step, service: Definition, given: Given, now: datetime) -> Given:
    """Return the answers that the step asks for. Raises: Refused without one, or for a bad one."""
    answers = [given.require(model) for model in service.decisions(step)]
    for answer in answers:
        refusal = answer.refusal(now)
        if refusal is not None:
            raise Refused(refusal)
    return Given(answers)


def _move(
    req: Request,
    step: Step,
    service: Definition,
    now: datetime,
    actor: Actor | None,
    stage: Stage | None,
) -> None:
    """Set the new status and stage of an unchanged row. Raises: TransitionNotAllowed."""
    target = step.target or req.status
    values: dict[str, Any] = {
        "status": target,
        "version": req.version + 1,
        "due_on": deadlines.due_on(req, service, target, now, stage),
        **stages.columns(req, step, stage, actor),
    }
    if step.sends:
        values["number"] = req.number or numbering.next_number(service.prefix, now)
        values["exclusive_key"] = Target.of(req).exclusive_key(service.exclusive, service.code)
        for end in registry.current().claim_ends.values():
            end.release(values["exclusive_key"], now)
        values["subject_seen"] = _snapshot(req)
    elif not service.steps.holds_claim(target):
        values["exclusive_key"] = None
    moved = db.session.execute(
        sa.update(Request)
        .where(Request.id == req.id, Request.status == req.status, Request.version == req.version)
        .values(**values)
        .returning(Request.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if moved is None:
        raise history.moved_on(req, actor)
    db.session.refresh(req)


def _snapshot(req: Request) -> dict[str, Any]:
    """Return what `req` is about as it is now, to tell at the approval what has changed."""
    seen: dict[str, Any] = {}
    for snapshot in registry.current().snapshots:
        seen |= snapshot.take(req)
    return seen


def _tell(
    req: Request,
    step: Step,
    service: Definition,
    now: datetime,
    reason: str,
    values: Mapping[str, Any],
) -> None:
    """Queue the notices of the step in the same transaction, in the service's own words if any."""
    params = notice_values.about(req) | dict(values)
    if reason:
        params["reason"] = reasons.in_both(reason)
    if step.tells:
        own = messages.told(service, step.tells)
        named = messages.fields_named(service, own) if own is not None else ()
        notifications.notify_members(
            step.tells,
            organisation_id=req.organisation_id,
            service_code=req.service_code,
            params=params | notice_values.answers(req, named),
            own=own,
            now=now,
            request_id=req.id,
            url=request_url(req.id),
            person=notice_values.person(req, step.tells_person) if step.tells_person else None,
        )
    if step.tells_reviewer and req.reviewer_id is not None:
        notifications.notify_user(
            step.tells_reviewer,
            user_id=req.reviewer_id,
            params=params,
            now=now,
            request_id=req.id,
            url=office_request_url(req.id),
        )
