"""Whether a service may be begun or a request sent: definitions' guards put to the facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clearance.core.actor import Actor
from clearance.core.errors import Refusal
from clearance.models import Request
from clearance.requests import register_snapshot
from clearance.services import facts as facts_of
from clearance.services import guards
from clearance.services.exclusivity import exclusivity_key
from clearance.services.facts import Case, Facts
from clearance.services.flows import Step
from clearance.services.guards import GUARDS, Guard
from clearance.services.schema import Definition, Subject
from clearance.services.versions import for_request as definition_of


def case_of(req: Request, definition: Definition, actor: Actor | None, now: datetime) -> Case:
    """The question that a step of `req` puts to its guards, with the facts loaded."""
    key = own_claim(req, definition)
    facts = facts_of.load(
        actor,
        req.organisation_id,
        now,
        civil_ids=[req.civil_id] if req.civil_id else [],
        claim_keys=[key] if key else [],
        licence_ids=[req.licence_id] if req.licence_id is not None else [],
        request_id=req.id,
        has_parties=definition.steps.has_parties,
    )
    return Case(definition, facts, req.civil_id, key, req.id, req.licence_id)


def cases_of(requests: Iterable[Request], actor: Actor | None, now: datetime) -> dict[int, Case]:
    """The same of many requests by their ids; the facts are loaded once for each organisation.

    Those whose facts are their own alone, a seat or the other side, are left out.
    """
    cases: dict[int, Case] = {}
    by_organisation: dict[int, list[Request]] = {}
    for req in requests:
        steps = definition_of(req).steps
        if not (steps.has_seats or steps.has_parties):
            by_organisation.setdefault(req.organisation_id, []).append(req)
    for organisation_id, together in by_organisation.items():
        keys = {req.id: own_claim(req, definition_of(req)) for req in together}
        facts = facts_of.load(
            actor,
            organisation_id,
            now,
            civil_ids=[req.civil_id for req in together if req.civil_id],
            claim_keys=[key for key in keys.values() if key],
            licence_ids=[req.licence_id for req in together if req.licence_id is not None],
        )
        for req in together:
            cases[req.id] = Case(
                definition_of(req), facts, req.civil_id, keys[req.id], req.id, req.licence_id
            )
    return cases


def own_claim(req: Request, definition: Definition) -> str | None:
    """The key of the claim that `req` has once sent, or None."""
    return exclusivity_key(
        definition.exclusive, req.service_code, civil_id=req.civil_id, licence_id=req.licence_id
    )


def start_case(
    definition: Definition,
    facts: Facts,
    *,
    civil_id: str | None = None,
    licence_id: int | None = None,
) -> Case:
    """The question whether a draft may be begun for this person or licence."""
    key = exclusivity_key(
        definition.exclusive, definition.code, civil_id=civil_id, licence_id=licence_id
    )
    return Case(definition, facts, civil_id, key, licence_id=licence_id)


def start_refusal(definition: Definition, case: Case) -> Refusal | None:
    """Why no draft may be begun, or None.

    Whom or what it is about is chosen before the draft is made, except where the form asks for the
    person: there the claim refuses at sending.
    """
    chosen = definition.start != "broker_type"
    claim: tuple[Guard, ...] = (guards.claim_is_free,) if chosen else ()
    return guards.first_refusal(_ordered(definition, claim, definition.guards.start), case)


def send_guards(definition: Definition) -> tuple[Guard, ...]:
    """Everything that is checked at sending, whatever was checked before."""
    names = dict.fromkeys((*definition.guards.start, *definition.guards.send))
    return _ordered(definition, (guards.claim_is_free,), names)


def approval_guards(definition: Definition) -> tuple[Guard, ...]:
    """What is checked again at the step that completes a request."""
    return _named(definition.guards.approval)


def step_refusal(
    req: Request,
    step: Step,
    definition: Definition,
    actor: Actor | None,
    now: datetime,
    case: Case | None = None,
) -> Refusal | None:
    """Why the step's guards refuse it now, or None: what the button says and the server enforces.

    case: of `req`, where it is loaded already. Besides the guards, a request is completed only on
    the register that it was sent on.
    """
    checks = step.guards
    if step.sends:
        checks += send_guards(definition)
    if step.completes:
        checks += approval_guards(definition)
    refusal = None
    if checks:
        case = case or case_of(req, definition, actor, now)
        refusal = guards.first_refusal(checks, case)
    if refusal is None and step.completes:
        refusal = register_snapshot.change_refusal(req)
    return refusal


def send_refusals(definition: Definition, case: Case) -> list[Refusal]:
    """Every reason why the request cannot be sent now; [] when it can.

    Of what is not the organisation's any more, that is the last one.
    """
    refusals = []
    for each in send_guards(definition):
        refusal = each(case)
        if refusal is not None:
            refusals.append(refusal)
            if each in guards.WHOSE:
                break
    return refusals


def subject_refusals(definition: Definition, case: Case) -> list[Refusal]:
    """What of the person or licence itself stands in the way, the organisation's rights apart."""
    answers = (each(case) for each in send_guards(definition) if each not in guards.UNIVERSAL)
    return [refusal for refusal in answers if refusal is not None]


def _ordered(
    definition: Definition, claim: tuple[Guard, ...], names: Iterable[str]
) -> tuple[Guard, ...]:
    """The guards in their order: the organisation's rights, whose it is, its claim, its state.

    Whose it is holds for every service about a licence, named or not, unless parties agree on it.
    """
    is_ours_alone = definition.subject == Subject.LICENCE and not definition.steps.has_parties
    whose = tuple(guards.WHOSE) if is_ours_alone else ()
    state = tuple(each for each in _named(names) if each not in guards.WHOSE)
    return (*guards.UNIVERSAL, *whose, *claim, *state)


def _named(names: Iterable[str]) -> tuple[Guard, ...]:
    return tuple(GUARDS[name] for name in names)
