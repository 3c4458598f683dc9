"""What a reader can do now: steps of a request and services, each refused one with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance import definition, eligibility, i18n
from clearance import timeline as history
from clearance.actor import Actor
from clearance.definition import Definition
from clearance.errors import Refusal
from clearance.models import Request
from clearance.procedures import facts, guards
from clearance.procedures.claims import claim_key
from clearance.procedures.flows import (
    ACTION_LABELS,
    ACTION_TONES,
    EVENT_LABELS,
    Action,
    Asks,
    Side,
    Step,
)
from clearance.vocabulary import Role

_SIDES = {Role.AGENT: Side.AGENT, Role.REVIEWER: Side.REVIEWER, Role.MANAGER: Side.MANAGER}


@dataclass(frozen=True)
class Offer:
    """One step as a button: refusal tells why it cannot be pressed now. asks: see `flows.Asks`."""

    action: Action
    label: Any
    refusal: Refusal | None
    needs_reason: bool
    asks: str
    tone: str
    event_label: Any


@dataclass(frozen=True)
class ServiceOffer:
    """One service for the chosen organisation.

    refusal: why it cannot be begun. warning: what stands in the way for the user as a person.
    brief: what it is for, in the page's language.
    """

    code: str
    version_id: int
    definition: Definition
    refusal: Refusal | None
    warning: Refusal | None
    brief: str


def offers(req: Request, actor: Actor, now: datetime) -> list[Offer]:
    """The steps that lead on from where `req` is and that are the reader's side to take."""
    side = _SIDES.get(Role(actor.role))
    service = definition.of(req)
    found = []
    for action in Action:
        path = service.steps.path(req.status, action, is_taken=req.reviewer_id is not None)
        if path and path[-1].side == side:
            found.append(_offer(req, action, path, actor, now))
    return found


def offer(req: Request, action: Action, actor: Actor, now: datetime) -> Offer:
    """One step, whichever; where it does not lead on from here, the refusal says so."""
    path = definition.of(req).steps.path(req.status, action, is_taken=req.reviewer_id is not None)
    return _offer(req, action, path, actor, now)


def service_offers(actor: Actor, now: datetime) -> list[ServiceOffer]:
    """Every service with whether the actor may begin it for the chosen organisation.

    The number of queries does not grow with the services.
    """
    versions = definition.all_current()
    standing = actor.standing
    own = {
        version.id: key
        for version in versions
        if (
            key := claim_key(
                version.definition.exclusive,
                version.definition.code,
                civil_id=actor.civil_id,
                licence_id=None,
            )
        )
    }
    loaded = facts.load(
        actor,
        standing.organisation_id if standing else None,
        now,
        civil_ids=[actor.civil_id] if actor.civil_id else [],
        claim_keys=own.values(),
    )
    return [_service_offer(version, loaded, actor) for version in versions]


def send_warnings(req: Request, actor: Actor, now: datetime) -> list[Refusal]:
    """What would keep `req` from being sent besides what is missing in it."""
    service = definition.of(req)
    return eligibility.send_refusals(service, eligibility.case_of(req, service, actor, now))


def _offer(
    req: Request, action: Action, path: tuple[Step, ...], actor: Actor, now: datetime
) -> Offer:
    last = path[-1] if path else None
    return Offer(
        action=action,
        label=ACTION_LABELS[action],
        refusal=_refusal(req, path, actor, now),
        needs_reason=last.needs_reason if last else False,
        asks=last.asks if last else Asks.NOTHING,
        tone=ACTION_TONES[action],
        event_label=EVENT_LABELS[action],
    )


def _refusal(req: Request, path: tuple[Step, ...], actor: Actor, now: datetime) -> Refusal | None:
    if not path:
        return Refusal(
            history.impossible_from(req.status), _l("Reload the page to see where it stands.")
        )
    for step in path:
        refusal = step.who(actor, req)
        if refusal is not None:
            return refusal
    step = path[-1]
    if not step.guards and not step.sends:
        return None
    service = definition.of(req)
    case = eligibility.case_of(req, service, actor, now)
    checks = (*step.guards, *(eligibility.send_guards(service) if step.sends else ()))
    return guards.first_refusal(checks, case)


def _service_offer(version: definition.Version, loaded: facts.Facts, actor: Actor) -> ServiceOffer:
    service = version.definition
    refusal = eligibility.start_refusal(service, eligibility.start_case(service, loaded))
    warning = None
    if service.start == "broker_type" and actor.civil_id is not None:
        case = eligibility.start_case(service, loaded, civil_id=actor.civil_id)
        warning = next(iter(eligibility.subject_refusals(service, case)), None)
    return ServiceOffer(
        code=service.code,
        version_id=version.id,
        definition=service,
        refusal=refusal,
        warning=warning,
        brief=service.description_in(i18n.language()),
    )
