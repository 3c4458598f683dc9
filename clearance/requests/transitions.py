"""Transitions of requests: perform a step of the flow with all its effects, or none of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, numbering
from clearance.core.actor import Actor
from clearance.core.clock import KUWAIT, kuwait_date
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
from clearance.core.urls import office_request_url, request_url
from clearance.core.values import BadValue, clean_lines
from clearance.exams import passes
from clearance.licences import granted_expiry
from clearance.licences import guards as licence_guards
from clearance.models import Event, Request
from clearance.models.enums import Status
from clearance.organisations import subscription_locks
from clearance.requests import deadlines, eligibility, prefill, register_snapshot
from clearance.requests import timeline as history
from clearance.requests.completeness import (
    Incomplete,
    missing,
)
from clearance.requests.locking import lock
from clearance.services import guards, versions
from clearance.services.effects import APPROVAL_EFFECTS, Decision, StepContext
from clearance.services.exclusivity import CONSTRAINT
from clearance.services.facts import SeatFact, load_seat
from clearance.services.flows import Action, Side, Step
from clearance.services.schema import Definition

REASON_MAX_LENGTH = 1000


def perform(
    req: Request,
    action: Action,
    *,
    actor: Actor | None,
    now: datetime,
    version: int,
    reason: str = "",
    data: Decision | None = None,
) -> Event:
    """Perform `action` on `req` with its effects, audit event and notices, or nothing. Flushes.

    actor: None for the portal itself. now: aware UTC. version: of the row that the actor saw.
    reason: shown to the applicant, 1-1000 characters if the step needs one. data: the step's other
    inputs. Deciding on an unassigned request also takes it, as a separate event. Returns the event
    of `action`; `req` is reloaded. Raises: NotFound, TransitionNotAllowed (changed meanwhile, or
    impossible from this status), PermissionDenied, BadReason, ReasonRequired, Incomplete, Refused
    (by a guard or constraint). Source: specification section 6; security rules 24, 25, 51-54.
    """
    reason = _cleaned(reason)
    lock(req)
    try:
        with db.session.begin_nested():
            return _perform(req, action, actor, now, version, reason, data or Decision())
    except Exception as error:
        db.session.expire(req)  # it may hold values of the savepoint that was rolled back
        if not isinstance(error, IntegrityError):
            raise
        if any(is_violation_of(error, name) for name in licence_guards.ONE_LICENCE):
            raise Refused(licence_guards.HAS_LICENCE) from None
        if not is_violation_of(error, CONSTRAINT):
            raise
        case = eligibility.case_of(req, versions.for_request(req), actor, now)
        holder = case.facts.claims.get(case.claim_key or "")
        raise Refused(guards.claimed_by(holder, case)) from None


def lapse_returned(now: datetime) -> int:
    """Lapse all returned requests past their correction deadline. Flushes. Returns how many.

    Requests that are resent concurrently are skipped.
    """
    missed = Request.returned_at < deadlines.lapse_if_returned_before(now)
    waiting = db.session.scalars(
        sa.select(Request).where(Request.status == Status.RETURNED, missed).order_by(Request.id)
    ).all()
    lapsed = 0
    for req in waiting:
        try:
            perform(req, Action.LAPSE, actor=None, now=now, version=req.version)
        except TransitionNotAllowed:
            continue
        lapsed += 1
    return lapsed


def _cleaned(reason: str) -> str:
    try:
        return clean_lines(reason, REASON_MAX_LENGTH)
    except BadValue as fault:
        raise BadReason(fault.message) from None


def _perform(
    req: Request,
    action: Action,
    actor: Actor | None,
    now: datetime,
    version: int,
    reason: str,
    decision: Decision,
) -> Event:
    if actor is not None and not permissions.can_act_on(actor, req):
        raise NotFound
    path = versions.for_request(req).steps.path(
        req.status, action, is_taken=req.reviewer_id is not None
    )
    if req.version != version:
        raise history.moved_on(req, actor)
    if not path:
        raise TransitionNotAllowed(history.impossible_from(req.status))
    for step in path:
        is_asked = step.action == action
        event = _walk(req, step, actor, now, reason if is_asked else "", decision)
    return event


def _walk(
    req: Request, step: Step, actor: Actor | None, now: datetime, reason: str, decision: Decision
) -> Event:
    """Perform a single step of the flow."""
    refusal = step.who(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if step.needs_reason and not reason:
        raise ReasonRequired
    service = versions.for_request(req)
    if step.sends or step.completes:
        register_snapshot.lock(req)
    if step.sends:
        subscription_locks.lock_shared(req.organisation_id, service, now)
        prefill.refresh(req, service)
    _check(req, step, service, actor, now)
    granted = _granted(step, service, decision, now)
    from_status, seat = req.status, _seat(req, service)
    _move(req, step, service, now, actor, granted)
    asked = frozenset(spec.name for spec in service.asked)
    kinds = frozenset(spec.kind for spec in service.documents)
    context = StepContext(req, actor, now, decision, asked | kinds, asked, reason)
    for effect in step.effects:
        effect(context)
    for name in service.on_approval if step.completes else ():
        APPROVAL_EFFECTS[name](context)
    event = audit.record(
        history.kind_of(step.action),
        obj=req,
        actor_id=actor.id if actor is not None else None,
        at=now,
        organisation_id=_acting_organisation(req, step, actor),
        request_id=req.id,
        from_status=from_status,
        to_status=req.status,
        reason=reason,
        changes=_changes(req, decision, granted),
    )
    _tell(req, step, service, now, reason, _seat(req, service) or seat)
    return event


def _check(
    req: Request, step: Step, service: Definition, actor: Actor | None, now: datetime
) -> None:
    """Check completeness and guards. Raises: Refused, Incomplete."""
    if step.sends and (lacking := missing(req, now)):
        raise Incomplete(lacking)
    refusal = eligibility.step_refusal(req, step, service, actor, now)
    if refusal is not None:
        raise Refused(refusal)


def _granted(step: Step, service: Definition, decision: Decision, now: datetime) -> date | None:
    """Return the expiry date granted by the step, or None. Raises: Refused."""
    if not (step.completes and service.grants_expiry):
        return None
    refusal = granted_expiry.grant_refusal(decision.granted_expiry, now)
    if refusal is not None:
        raise Refused(refusal)
    return decision.granted_expiry


def _acting_organisation(req: Request, step: Step, actor: Actor | None) -> int | None:
    """Return the acting organisation: the applicant's, or the other party's of a transfer."""
    is_others = step.side is Side.OTHER_PARTY
    if step.side is Side.EITHER_PARTY and actor is not None:
        is_others = actor.standing_in(req.organisation_id) is None
    return req.other_organisation_id if is_others else req.organisation_id


def _seat(req: Request, service: Definition) -> SeatFact | None:
    return load_seat(req.id) if service.steps.has_seats else None


def _move(
    req: Request,
    step: Step,
    service: Definition,
    now: datetime,
    actor: Actor | None,
    granted: date | None,
) -> None:
    """Set the new status if the row has not changed since. Raises: TransitionNotAllowed."""
    target = step.target or Status(req.status)
    values: dict[str, Any] = {
        "status": target,
        "version": req.version + 1,
        "due_on": deadlines.due_on(req, service, target, now),
    }
    if step.sends:
        values["number"] = req.number or numbering.next_number(service.prefix, now)
        values["exclusive_key"] = eligibility.own_claim(req, service)
        passes.release_claim(values["exclusive_key"], now)
        values["subject_seen"] = register_snapshot.take(req)
    elif not service.steps.holds_claim(target):
        values["exclusive_key"] = None
    if granted is not None:
        values["granted_expiry"] = granted
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


def _changes(req: Request, decision: Decision, granted: date | None) -> dict[str, Any]:
    """Return the event's changes besides the status: new reviewer, exam, granted expiry."""
    changes: dict[str, Any] = {}
    if decision.reviewer_id is not None:
        changes["reviewer_id"] = [None, req.reviewer_id]
    if decision.exam_id is not None:
        changes["exam_id"] = [None, decision.exam_id]
    if granted is not None:
        changes["granted_expiry"] = [None, granted.isoformat()]
    return changes


def _tell(
    req: Request,
    step: Step,
    service: Definition,
    now: datetime,
    reason: str,
    seat: SeatFact | None,
) -> None:
    """Queue the notices of the step in the same transaction."""
    params = _told(req, service, reason, seat)
    if step.tells:
        notifications.notify_members(
            step.tells,
            organisation_id=req.organisation_id,
            service_code=req.service_code,
            params=params,
            now=now,
            request_id=req.id,
            url=request_url(req.id),
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


def _told(req: Request, service: Definition, reason: str, seat: SeatFact | None) -> dict[str, Any]:
    """Return the params of a step's notices."""
    params: dict[str, Any] = {
        "number": req.number,
        "service": {"ar": service.title.ar, "en": service.title.en},
    }
    if reason:
        params["reason"] = reason
    if seat is not None:
        params |= {
            "date": kuwait_date(seat.held_at),
            "time": seat.held_at.astimezone(KUWAIT).strftime("%H:%M"),
            "place": {"ar": seat.place_ar, "en": seat.place_en},
            "confirm_by": seat.confirm_by,
        }
    return params
