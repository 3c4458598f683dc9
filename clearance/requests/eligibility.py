"""Whether a service may be started or a request moved on, by the guards of its definition."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask_babel import lazy_gettext as _l

from clearance.core.actor import Actor
from clearance.core.errors import Refusal
from clearance.models import Request
from clearance.services import facts as facts_of
from clearance.services import guards, opening, registry, versions
from clearance.services.facts import Case
from clearance.services.flows import Action, Step
from clearance.services.guards import Check
from clearance.services.schema import Definition, Subject
from clearance.services.target import Target

OUT_OF_ORDER = Refusal(
    _l("This service is out of order."),
    _l("The office must correct it. Your data is kept."),
)


def case_of(req: Request, definition: Definition, actor: Actor | None, now: datetime) -> Case:
    """Return the guards' input for a step of `req`, with the facts loaded."""
    target = Target.of(req)
    facts = facts_of.load(actor, req.organisation_id, now, [(definition, target)], [req.id])
    return Case(definition, facts, target, req.id, req.status)


def cases_of(requests: Iterable[Request], actor: Actor | None, now: datetime) -> dict[int, Case]:
    """Return request id → `case_of`, loading the facts once per organisation.

    Skips requests that another organisation takes part in, whose facts cannot be shared.
    """
    cases: dict[int, Case] = {}
    by_organisation: dict[int, list[Request]] = {}
    for req in requests:
        if not versions.for_request(req).steps.has_parties:
            by_organisation.setdefault(req.organisation_id, []).append(req)
    for organisation_id, together in by_organisation.items():
        asked = [(versions.for_request(req), Target.of(req)) for req in together]
        ids = [req.id for req in together]
        facts = facts_of.load(actor, organisation_id, now, asked, ids)
        for req, (definition, target) in zip(together, asked, strict=True):
            cases[req.id] = Case(definition, facts, target, req.id, req.status)
    return cases


def start_refusal(definition: Definition, case: Case) -> Refusal | None:
    """Return why no draft may be started, or None.

    Where the form itself asks for the person, exclusivity is only checked at sending.
    """
    if definition.is_out_of_order:
        return OUT_OF_ORDER
    start = registry.current().starts[definition.start]
    claim: tuple[Check, ...] = (guards.claim_is_free,) if start.is_about_chosen else ()
    return guards.first_refusal(_ordered(definition, claim, definition.guards.start), case)


def send_guards(definition: Definition) -> tuple[Check, ...]:
    """Return all guards checked at sending, including those of the start."""
    names = dict.fromkeys((*definition.guards.start, *definition.guards.send))
    return _ordered(definition, (guards.claim_is_free,), names)


def approval_guards(definition: Definition) -> tuple[Check, ...]:
    """Return the guards checked at the step that completes a request."""
    return _named(definition.guards.approval)


def step_guards(req: Request, step: Step, definition: Definition) -> tuple[Check, ...]:
    """Return the guards checked at the step, those of the request's stage among them."""
    checks, stage = step.guards, definition.stage(req.stage)
    if step.sends:
        checks += send_guards(definition)
    if stage is not None and step.action == Action.APPROVE:
        checks += _named(stage.guards.approve)
    if step.completes:
        checks += approval_guards(definition)
    return checks


def step_refusal(
    req: Request,
    step: Step,
    definition: Definition,
    actor: Actor | None,
    now: datetime,
    case: Case | None = None,
) -> Refusal | None:
    """Return why the step is refused now, or None; for both the button and the server's check.

    case: of `req`, if already loaded. A completing step is also refused if the register has
    changed since the request was sent.
    """
    checks = step_guards(req, step, definition)
    refusal = None
    if checks:
        case = case or case_of(req, definition, actor, now)
        refusal = guards.first_refusal(checks, case)
    if refusal is None and step.completes:
        refusal = _completion_refusal(req, definition)
    return refusal


def _completion_refusal(req: Request, definition: Definition) -> Refusal | None:
    known = registry.current()
    if not set(definition.effects) <= set(known.effects):
        return OUT_OF_ORDER
    refusals = (snapshot.change_refusal(req) for snapshot in known.snapshots)
    return next((refusal for refusal in refusals if refusal is not None), None)


def send_refusals(definition: Definition, case: Case) -> list[Refusal]:
    """Return all reasons why the request cannot be sent now; [] if it can.

    If the subject is no longer the organisation's, that is the last reason.
    """
    refusals = []
    for check in send_guards(definition):
        refusal = check(case)
        if refusal is not None:
            refusals.append(refusal)
            if check in _ownership_guards():
                break
    return refusals


def subject_refusals(definition: Definition, case: Case) -> list[Refusal]:
    """Return refusals about the person or record; not of the organisation's rights or the day."""
    answers = (check(case) for check in send_guards(definition) if check not in _GENERAL)
    return [refusal for refusal in answers if refusal is not None]


def _ordered(
    definition: Definition, claim: tuple[Check, ...], names: Iterable[str]
) -> tuple[Check, ...]:
    """Return guards in order: the organisation's rights, the day, ownership, exclusivity, state.

    Ownership is checked for every record, even if not named, except by services with parties.
    """
    is_ours_alone = definition.subject != Subject.PERSON and not definition.steps.has_parties
    ownership = _ownership_guards()
    state = tuple(check for check in _named(names) if check not in ownership)
    return (*_GENERAL, *(ownership if is_ours_alone else ()), *claim, *state)


def _is_open(case: Case) -> Refusal | None:
    """Require a day on which the service is open, by its newest version; corrections need none."""
    if case.is_correction:
        return None
    service = case.service
    if case.request_id is not None:  # of a draft, which may have an earlier version
        newest = {each.definition.code: each.definition for each in versions.all_current()}
        service = newest.get(service.code, service)
    return opening.refusal(service, case.facts.today)


_GENERAL: tuple[Check, ...] = (*guards.UNIVERSAL, _is_open)


def _ownership_guards() -> tuple[Check, ...]:
    return tuple(guard for guard in registry.current().guards.values() if guard.is_ownership)


def _named(names: Iterable[str]) -> tuple[Check, ...]:
    known = registry.current().guards
    return tuple(known.get(name, _unknown) for name in names)


def _unknown(case: Case) -> Refusal:
    """Refuse in place of a guard that is gone."""
    return OUT_OF_ORDER
