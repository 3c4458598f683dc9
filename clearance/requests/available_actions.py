"""Available request actions and startable services, with the reason for every refusal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.errors import Refusal
from clearance.models import Request
from clearance.models.enums import Role
from clearance.requests import eligibility, stages
from clearance.requests import timeline as history
from clearance.services import facts, registry
from clearance.services import versions as service_versions
from clearance.services.decisions import Decision
from clearance.services.facts import Case
from clearance.services.flows import Side, Step, StepName
from clearance.services.schema import Definition, Subject
from clearance.services.target import Target

_SIDES = {Role.AGENT: Side.AGENT, Role.REVIEWER: Side.REVIEWER, Role.MANAGER: Side.MANAGER}


@dataclass(frozen=True)
class AvailableAction:
    """A step as a button.

    refusal: why it is unavailable now. asks: what it asks besides a reason. tells: whether the
    applicant gets a notice.
    """

    action: StepName
    label: Any
    refusal: Refusal | None
    needs_reason: bool
    asks: tuple[type[Decision], ...]
    tells: bool
    tone: str
    event_label: Any


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
    flow = stages.flow_of(req)
    found = []
    for action in dict.fromkeys(step.action for step in flow.steps):
        path = flow.path(req.status, action, is_taken=req.reviewer_id is not None)
        if path and path[-1].side == side:
            found.append(_offer(req, action, path, actor, now))
    return found


def action(req: Request, action: str, actor: Actor, now: datetime) -> AvailableAction:
    """Return any one action; impossible ones carry a refusal."""
    return _offer(req, action, _path(req, action), actor, now)


def action_for_each(
    requests: Sequence[Request], action: str, actor: Actor, now: datetime
) -> list[AvailableAction]:
    """Return one action for many requests, in their order; queries grow with organisations only."""
    paths = [_path(req, action) for req in requests]
    checked = [
        req
        for req, path in zip(requests, paths, strict=True)
        if path and eligibility.step_guards(req, path[-1], service_versions.for_request(req))
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
    own = [(version.definition, Target(actor.civil_id)) for version in versions]
    loaded = facts.load(actor, standing.organisation_id if standing else None, now, own)
    return [
        _service_offer(version, loaded, actor)
        for version in versions
        if not _is_hidden(version.definition, loaded)
    ]


def startable_for(
    records: Iterable[int],
    codes: Collection[str],
    actor: Actor,
    now: datetime,
    known: facts.Known = MappingProxyType({}),
) -> dict[tuple[str, int], Refusal | None]:
    """Return (service code, record id) → why no draft can be started now, or None.

    records: ids of what services are about, such as licences. Starting gives the same refusal. The
    number of queries is constant. Codes that are not active services about records, or that only
    other organisations pilot, are skipped. known: facts as `facts.load` takes them.
    """
    services = [
        version.definition
        for version in service_versions.all_current()
        if version.definition.code in codes and version.definition.subject != Subject.PERSON
    ]
    asked = [(service, Target(record_id=key)) for key in records for service in services]
    standing = actor.standing
    organisation_id = standing.organisation_id if standing else None
    loaded = facts.load(actor, organisation_id, now, asked, known=known)
    return {
        (service.code, target.record_id or 0): eligibility.start_refusal(
            service, Case(service, loaded, target)
        )
        for service, target in asked
        if not _is_hidden(service, loaded)
    }


def send_warnings(req: Request, actor: Actor, now: datetime) -> list[Refusal]:
    """Return what prevents sending `req` besides missing fields and documents."""
    service = service_versions.for_request(req)
    return eligibility.send_refusals(service, eligibility.case_of(req, service, actor, now))


def _is_hidden(service: Definition, loaded: facts.Facts) -> bool:
    stop = loaded.stops.get(service.code)
    return stop is not None and stop.hides_on(loaded.today)


def _path(req: Request, action: str) -> tuple[Step, ...]:
    return stages.flow_of(req).path(req.status, action, is_taken=req.reviewer_id is not None)


def _offer(
    req: Request,
    action: str,
    path: tuple[Step, ...],
    actor: Actor,
    now: datetime,
    case: Case | None = None,
) -> AvailableAction:
    last, words = path[-1] if path else None, registry.current().actions[action]
    return AvailableAction(
        action=words,
        label=words.label,
        refusal=_refusal(req, action, path, actor, now, case),
        needs_reason=last.needs_reason if last else False,
        asks=service_versions.for_request(req).decisions(last) if last else (),
        tells=bool(last and last.tells),
        tone=words.tone,
        event_label=(last and last.event or words).event,
    )


def _refusal(
    req: Request,
    action: str,
    path: tuple[Step, ...],
    actor: Actor,
    now: datetime,
    case: Case | None = None,
) -> Refusal | None:
    flow = service_versions.for_request(req).steps
    if not any(step.action == action for step in flow.steps):
        return Refusal(_l("Requests for this service have no such step."))
    if not path:
        return Refusal(
            history.impossible_from(stages.words_of_status(req)),
            _l("Reload the page to see its current status."),
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
    refusal = eligibility.start_refusal(service, Case(service, loaded))
    warning = None
    start = registry.current().starts.get(service.start)
    if start is not None and not start.is_about_chosen and actor.civil_id is not None:
        case = Case(service, loaded, Target(actor.civil_id))
        warning = next(iter(eligibility.subject_refusals(service, case)), None)
    return StartableService(
        code=service.code,
        version_id=version.id,
        definition=service,
        refusal=refusal,
        warning=warning,
        brief=service.description_in(i18n.language()),
    )
