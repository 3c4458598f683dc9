"""The stage of a request: what can be done in it, and where a step leads.

A returned request goes back to the stage that returned it. If a correction changed what the
condition of an earlier stage reads, it goes to the first such stage that now applies, which then
decides again, as do those after it.
"""

from __future__ import annotations

from typing import Any

from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal, Refused
from clearance.core.i18n import language
from clearance.models import Request
from clearance.models.enums import Status
from clearance.requests import corrections, field_values
from clearance.services import answers, registry, stages, versions
from clearance.services.answers import written
from clearance.services.decisions import Given, OfficeAnswers
from clearance.services.effects import StepContext
from clearance.services.field_specs import FieldSpec
from clearance.services.flows import Action, Flow, Step
from clearance.services.schema import Definition
from clearance.services.stages import Stage


def of_request(req: Request) -> Stage | None:
    """Return the stage that `req` is in, if any."""
    return versions.for_request(req).stage(req.stage)


def flow_of(req: Request, given: Given | None = None) -> Flow:
    """Return what can be done with `req`, in its stage if it has one.

    given: answers to the step about to be taken; without them it can be open whether an approval
    completes the request.
    """
    definition, stage = versions.for_request(req), of_request(req)
    if stage is None or definition.is_out_of_order:
        return definition.steps
    filled_in = None if given is None else given.get(OfficeAnswers)
    following = _after(stage, _route(req, definition, stage.name, filled_in))
    if given is not None:
        return stage.moving_on if following else stage.completing
    return _flow_before_answers(req, definition, stage)


def visible(req: Request) -> dict[str, Any]:
    """Return the values that count: `field_values.visible`, and those the office filled in."""
    return _visible_in(req, req.stage)


def asked_fields(req: Request) -> tuple[FieldSpec, ...]:
    """Return what the office fills in at the approval of the request's stage."""
    stage = of_request(req)
    return () if stage is None else stage.asked(visible(req))


def office_lines(req: Request, lang: str) -> list[tuple[str, str]]:
    """Return label and value in `lang` of what the office has filled in."""
    fields = versions.for_request(req).office_fields
    values = visible(req) if fields else {}
    lines = [(spec.title(lang), written(spec, values.get(spec.name), lang)) for spec in fields]
    return [(label, value) for label, value in lines if value]


def title_of(row: Any) -> str:
    """Return the title of the stage that a request is in, in the page's language; or "".

    row: a request, or a row with its `stage` and `service_version_id`.
    """
    if row.stage is None:
        return ""
    stage = versions.get(row.service_version_id).stage(row.stage)
    return row.stage if stage is None else stage.title.of(language())


def words_of_status(row: Any) -> str:
    """Return the status in the page's language, with the stage beside it. row: as `title_of`."""
    label, title = str(registry.current().status_label(row.status)), title_of(row)
    return f"{label} – {title}" if title else label


def entered(req: Request, step: Step, given: Given) -> Stage | None:
    """Return the stage that `step`, about to be taken, leads to; None if no stage goes on."""
    definition, stage = versions.for_request(req), of_request(req)
    if not definition.stages or (step.target or req.status) not in definition.steps.open_statuses:
        return None
    if step.sends:
        return _sent_to(req, definition, stage)
    if stage is not None and step.action == Action.APPROVE:
        following = _after(stage, _route(req, definition, stage.name, given.get(OfficeAnswers)))
        return following[0] if following else None
    return stage


def columns(req: Request, step: Step, stage: Stage | None, actor: Actor | None) -> dict[str, Any]:
    """Return the values of the request's columns once `step` has led it to `stage`."""
    if stage is None:
        return {"stage": None, "team_code": None}
    is_moved = stage.name != req.stage
    values: dict[str, Any] = {
        "stage": stage.name,
        "team_code": None if step.target == Status.RETURNED else stage.team,
    }
    if is_moved:
        values |= {"reviewer_id": None} | _approved(req, step, stage, actor)
    return values


def keep_answers(step: StepContext, stage: Stage | None) -> None:
    """Keep what the office filled in at the approval of `stage`. Raises: Refused for a bad value.

    Only the stage's own fields are kept, and those that its conditions hide are emptied.
    """
    given = step.given.get(OfficeAnswers)
    if stage is None or given is None:
        return
    counted = _visible_in(step.req, stage.name)
    asked, today = stage.asked(counted), kuwait_date(step.now)
    for spec in stage.fields:
        value = given.values.get(spec.name) if spec in asked else None
        field_values.keep(step.req, spec, None if value == "" else value)
    for spec in asked:
        fault = answers.fault(spec, field_values.value_of(step.req, spec), today)
        if fault is not None:
            raise Refused(Refusal(f"{spec.title(language())}: {fault}"))


def _visible_in(req: Request, stage: str | None) -> dict[str, Any]:
    """Return the values that count in a stage, which the request may have left."""
    definition = versions.for_request(req)
    _found, values = stages.route(
        definition.stages, field_values.visible(req), _office_values(req, definition), stage
    )
    return values


def _office_values(
    req: Request, definition: Definition, given: OfficeAnswers | None = None
) -> dict[str, Any]:
    kept = {spec.name: field_values.value_of(req, spec) for spec in definition.office_fields}
    return kept | dict(given.values if given is not None else {})


def _route(
    req: Request, definition: Definition, current: str | None, given: OfficeAnswers | None = None
) -> list[Stage]:
    """Return the stages that apply now, and `current` even if it does not."""
    found, _values = stages.route(
        definition.stages,
        field_values.visible(req),
        _office_values(req, definition, given),
        current,
    )
    return found


def _after(stage: Stage, found: list[Stage]) -> list[Stage]:
    return found[found.index(stage) + 1 :]


def _flow_before_answers(req: Request, definition: Definition, stage: Stage) -> Flow:
    """Return the flow in `stage` while what the office fills in is not known."""
    later = definition.stages[definition.stages.index(stage) + 1 :]
    open_names = {spec.name for each in (stage, *later) for spec in each.fields}
    values = visible(req)
    certain = possible = False
    for each in later:
        is_open = each.when is not None and bool(each.when.fields & open_names)
        possible = possible or is_open or each.applies(values)
        certain = certain or (not is_open and each.applies(values))
    if certain:
        return stage.moving_on
    return stage.undecided if possible else stage.completing


def _sent_to(req: Request, definition: Definition, stage: Stage | None) -> Stage | None:
    """Return the stage that the request is sent to: the first, or one that is to go on."""
    found = _route(req, definition, None)
    if stage is None:
        return found[0]
    place = {each.name: number for number, each in enumerate(definition.stages)}
    changed = corrections.places_changed_now(req)
    for each in found:
        if place[each.name] >= place[stage.name]:
            return each
        if each.when is not None and each.when.fields & changed:
            return each
    return found[-1]


def _approved(req: Request, step: Step, stage: Stage, actor: Actor | None) -> dict[str, Any]:
    """Return who has approved the stages before `stage`, to which the request moves."""
    definition, known = versions.for_request(req), dict(req.approvals)
    if step.action == Action.APPROVE and actor is not None and req.stage is not None:
        known[req.stage] = actor.id
    earlier = definition.stages[: definition.stages.index(stage)]
    approvals = {each.name: known[each.name] for each in earlier if each.name in known}
    first = next(iter(approvals.values()), None)
    return {"approvals": approvals, "first_approver_id": first}
