"""Available request actions and startable services, with the reason for every refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, Refusal
from clearance.core.extensions import db
from clearance.models import Licence, Request
from clearance.models.enums import Role, Status
from clearance.requests import eligibility
from clearance.requests import timeline as history
from clearance.services import facts
from clearance.services import versions as service_versions
from clearance.services.exclusivity import exclusivity_key
from clearance.services.facts import Case, Facts
from clearance.services.flows import (
    ACTION_LABELS,
    ACTION_TONES,
    EVENT_LABELS,
    Action,
    Asks,
    Side,
    Step,
)
from clearance.services.schema import Definition

MOST_CANDIDATES = 1000
_SIDES = {Role.AGENT: Side.AGENT, Role.REVIEWER: Side.REVIEWER, Role.MANAGER: Side.MANAGER}


@dataclass(frozen=True)
class AvailableAction:
    """A step as a button. refusal: why it is unavailable now. asks: see `flows.Asks`."""

    action: Action
    label: Any
    refusal: Refusal | None
    needs_reason: bool
    asks: str
    tone: str
    event_label: Any


@dataclass(frozen=True)
class StartableCandidate:
    """A passed exam request. refusal: why no draft can be started for the candidate.

    counts_until: last Kuwait day on which the candidate's latest pass is valid.
    """

    request: Request
    refusal: Refusal | None
    counts_until: date | None


@dataclass(frozen=True)
class StartableService:
    """A service for the chosen organisation.

    refusal: why it cannot be started. warning: an obstacle concerning the user personally.
    brief: its description in the page's language.
    """

    code: str
    version_id: int
    definition: Definition
    refusal: Refusal | None
    warning: Refusal | None
    brief: str


def for_request(req: Request, actor: Actor, now: datetime) -> list[AvailableAction]:
    """Return the actions possible from the request's status that belong to the actor's side."""
    side = _SIDES.get(Role(actor.role))
    service = service_versions.for_request(req)
    found = []
    for action in Action:
        path = service.steps.path(req.status, action, is_taken=req.reviewer_id is not None)
        if path and path[-1].side == side:
            found.append(_offer(req, action, path, actor, now))
    return found


def action(req: Request, action: Action, actor: Actor, now: datetime) -> AvailableAction:
    """Return any one action; impossible ones carry a refusal."""
    path = service_versions.for_request(req).steps.path(
        req.status, action, is_taken=req.reviewer_id is not None
    )
    return _offer(req, action, path, actor, now)


def action_for_each(
    requests: Sequence[Request], action: Action, actor: Actor, now: datetime
) -> list[AvailableAction]:
    """Return one action for many requests, in their order; queries grow with organisations only."""
    paths = [
        service_versions.for_request(req).steps.path(
            req.status, action, is_taken=req.reviewer_id is not None
        )
        for req in requests
    ]
    checked = [
        req for req, path in zip(requests, paths, strict=True) if path and path[-1].completes
    ]
    cases = eligibility.cases_of(checked, actor, now)
    return [
        _offer(req, action, path, actor, now, cases.get(req.id))
        for req, path in zip(requests, paths, strict=True)
    ]


def startable_services(actor: Actor, now: datetime) -> list[StartableService]:
    """Return every service and whether the actor may start it for the chosen organisation.

    The number of queries does not grow with the services.
    """
    versions = service_versions.all_current()
    standing = actor.standing
    own = {
        version.id: key
        for version in versions
        if (
            key := exclusivity_key(
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


def startable_licences(
    codes: Sequence[str], licences: Sequence[Licence], actor: Actor, now: datetime
) -> dict[tuple[str, int], Refusal | None]:
    """Return (service code, licence id) → why no draft can be started now, or None.

    Starting gives the same refusal. The number of queries is constant. Codes that are not active
    services about licences are skipped.
    """
    services = {
        version.definition.code: version.definition
        for version in service_versions.all_current()
        if version.definition.start == "broker_card"
    }
    asked = [services[code] for code in codes if code in services]
    keys = {
        key
        for service in asked
        for licence in licences
        if (
            key := exclusivity_key(
                service.exclusive, service.code, civil_id=None, licence_id=licence.id
            )
        )
    }
    standing = actor.standing
    loaded = facts.load(
        actor,
        standing.organisation_id if standing else None,
        now,
        claim_keys=keys,
        licence_ids=[licence.id for licence in licences],
    )
    return {
        (service.code, licence.id): eligibility.start_refusal(
            service, eligibility.start_case(service, loaded, licence_id=licence.id)
        )
        for service in asked
        for licence in licences
    }


def startable_candidates(code: str, actor: Actor, now: datetime) -> list[StartableCandidate]:
    """Return the chosen organisation's passed candidates, newest request first.

    The number of queries is constant. Raises: NotFound for a service that does not start from a
    passed candidate.
    """
    service = service_versions.current(code).definition
    standing = actor.standing
    if service.start != "passed_candidates":
        raise NotFound
    if standing is None:
        return []
    newest = _newest_passes(standing.organisation_id)
    keys = (
        exclusivity_key(service.exclusive, code, civil_id=civil_id, licence_id=None)
        for civil_id in newest
    )
    loaded = facts.load(
        actor,
        standing.organisation_id,
        now,
        civil_ids=list(newest),
        claim_keys=[key for key in keys if key],
    )
    return [_candidate_offer(req, service, loaded) for req in newest.values()]


def _newest_passes(organisation_id: int) -> dict[str, Request]:
    """Return civil number → the organisation's newest passed request for it, newest first."""
    passed = db.session.scalars(
        sa.select(Request)
        .where(Request.organisation_id == organisation_id, Request.status == Status.PASSED)
        .order_by(Request.created_at.desc(), Request.id.desc())
        .limit(MOST_CANDIDATES)
    )
    found: dict[str, Request] = {}
    for req in passed:
        if req.civil_id:
            found.setdefault(req.civil_id, req)
    return found


def _candidate_offer(req: Request, service: Definition, loaded: Facts) -> StartableCandidate:
    case = eligibility.start_case(service, loaded, civil_id=req.civil_id)
    passed_on = loaded.passed.get(req.civil_id or "")
    counts_until = loaded.pass_counts_until(passed_on) if passed_on is not None else None
    return StartableCandidate(req, eligibility.start_refusal(service, case), counts_until)


def send_warnings(req: Request, actor: Actor, now: datetime) -> list[Refusal]:
    """Return what prevents sending `req` besides missing fields and documents."""
    service = service_versions.for_request(req)
    return eligibility.send_refusals(service, eligibility.case_of(req, service, actor, now))


def _offer(
    req: Request,
    action: Action,
    path: tuple[Step, ...],
    actor: Actor,
    now: datetime,
    case: Case | None = None,
) -> AvailableAction:
    last = path[-1] if path else None
    return AvailableAction(
        action=action,
        label=ACTION_LABELS[action],
        refusal=_refusal(req, path, actor, now, case),
        needs_reason=last.needs_reason if last else False,
        asks=_asks(req, last),
        tone=ACTION_TONES[action],
        event_label=EVENT_LABELS[action],
    )


def _asks(req: Request, step: Step | None) -> str:
    if step is None:
        return Asks.NOTHING
    grants = step.completes and service_versions.for_request(req).grants_expiry
    return Asks.EXPIRY if grants else step.asks


def _refusal(
    req: Request,
    path: tuple[Step, ...],
    actor: Actor,
    now: datetime,
    case: Case | None = None,
) -> Refusal | None:
    if not path:
        return Refusal(
            history.impossible_from(req.status), _l("Reload the page to see where it stands.")
        )
    for step in path:
        refusal = step.who(actor, req)
        if refusal is not None:
            return refusal
    return eligibility.step_refusal(
        req, path[-1], service_versions.for_request(req), actor, now, case
    )


def _service_offer(
    version: service_versions.Version, loaded: facts.Facts, actor: Actor
) -> StartableService:
    service = version.definition
    refusal = eligibility.start_refusal(service, eligibility.start_case(service, loaded))
    warning = None
    if service.start == "broker_type" and actor.civil_id is not None:
        case = eligibility.start_case(service, loaded, civil_id=actor.civil_id)
        warning = next(iter(eligibility.subject_refusals(service, case)), None)
    return StartableService(
        code=service.code,
        version_id=version.id,
        definition=service,
        refusal=refusal,
        warning=warning,
        brief=service.description_in(i18n.language()),
    )
