"""Steps on one or many requests: confirmation page, execution and results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import redirect, request, url_for
from flask_admin import expose
from sqlalchemy.orm import joinedload

from admin_views.base.access import current_actor, not_found, require
from admin_views.base.form_post import posted_key, posted_version
from admin_views.office.asking import ask, ask_and_take
from admin_views.office.bulk import BulkSteps, Outcome, Row, SelectedRow, posted_outcomes
from admin_views.office.requests import bulk, queues
from clearance.core import i18n, kept
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.reasons import Reason as GivenReason
from clearance.core.request_kind import is_posted
from clearance.models import Licence, Reason, Request
from clearance.models.enums import Role
from clearance.requests import (
    available_actions,
    field_values,
    review_warnings,
    stages,
    timeline,
    transitions,
)
from clearance.services import registry, versions
from clearance.services.decisions import Assignment, OfficeAnswers, Remarks
from clearance.services.document_kinds import kind_names
from clearance.services.flows import Action, Flow, Side, Step, StepName
from clearance.services.schema import Definition
from clearance.transfers import operations as transfer_operations
from forms.fields import CheckField
from forms.request_actions import OfficeQuestion, Place, Question, StepForm, step_form

BULK_ACTIONS = (
    Action.TAKE,
    Action.GIVE_BACK,
    Action.ASSIGN,
    Action.PREAPPROVE,
    Action.APPROVE,
    Action.RETURN,
    Action.REJECT,
)
_SIDES = {Role.REVIEWER: Side.REVIEWER, Role.MANAGER: Side.MANAGER}


def side_of(actor: Actor) -> Side | None:
    """Return the side whose steps the reader takes."""
    return _SIDES.get(Role(actor.role))


def is_offered(name: str, actor: Actor) -> bool:
    """Return whether any service has a step of that name for the reader."""
    side = side_of(actor)
    return name in kept.until_changed(f"steps of {side}", lambda: _actions_of(side))


def _actions_of(side: Side | None) -> frozenset[StepName]:
    flows = (version.definition.steps for version in versions.all_current())
    return frozenset(step.action for flow in flows for step in flow.steps if step.side == side)


def details_url(request_id: int) -> str:
    """Return the URL of a request's review page."""
    return url_for("office_requests.details_view", id=request_id)


class StepRoutes(BulkSteps):
    """Mixin of the request view; `get_one` respects the reader's scope."""

    step_argument = "action"
    bulk_labels: ClassVar[dict[str, Any]] = {name: name.label for name in BULK_ACTIONS}
    get_one: Callable[[Any], Request]
    show_review: Callable[..., Any]

    @expose("/do/<action>", methods=("GET", "POST"))
    @expose("/<int:request_id>/do/<action>", methods=("GET", "POST"))
    def do(self, action: str, request_id: int | None = None) -> Any:
        """Confirm and take a step on one request, or on the chosen ones."""
        if request_id is not None:
            req = self.get_one(request_id)
            return self._do_one(req, _step_for(req, action) or not_found())
        require(is_offered(action, current_actor()) and action in BULK_ACTIONS)
        return self._do_many(registry.current().actions[action])

    # One request

    def _do_one(self, req: Request, step: Step) -> Any:
        places = _places(req) if step.asks is Remarks else ()
        form = _form(step, places, _questions(req, step), {req.team_code})
        actor, now, request_id = current_actor(), utc_now(), req.id
        offer = available_actions.action(req, step.action, actor, now)
        return ask_and_take(
            partial(self._ask, req, step, offer, form),
            form,
            lambda: transitions.perform(
                req,
                step.action,
                actor=actor,
                now=now,
                version=posted_version(),
                reason=form.given_reason(),
                data=form.decisions(),
            ),
            result=details_url(request_id),
            told=lambda event: str(timeline.label_of(event)),
            refused=lambda refusal: self.show_review(
                self.get_one(request_id), alert=str(refusal), status=409
            ),
        )

    def _ask(
        self, req: Request, step: Step, offer: available_actions.AvailableAction, form: StepForm
    ) -> str:
        now, service = utc_now(), versions.for_request(req)
        causes = _effects_of(service, step)
        return ask(
            self.render,
            "office/requests/ask.html",
            form,
            details_url(req.id),
            req=req,
            title=service.title_in(i18n.language()),
            offer=offer,
            final=_final_effects(service, step),
            receiving=transfer_operations.receiving_offices([req]),
            causes=[("", causes)] if causes else [],
            warnings=review_warnings.warnings(req, now) if step.can_complete else (),
            version=request.form.get("version", req.version),
        )

    # Many requests

    def _do_many(self, action: StepName) -> Any:
        if "outcome" in request.form:
            return self._results(posted_outcomes())
        step = _any_step(action)
        chosen = self.chosen_rows()
        if not chosen:
            return redirect(self.return_url(), code=303)
        if not is_posted():
            return self._ask_many(step, chosen)
        form = _form(step, (), _posted_questions(chosen, step), set())
        if "_language" in request.form:
            return self._ask_many(step, chosen, form)
        if not form.validate():
            return self._ask_many(step, chosen, form), 400
        outcomes = bulk.perform_on_each(
            chosen,
            action,
            reason=form.given_reason(),
            decisions_of=form.decisions,
            actor=current_actor(),
            key=posted_key(),
        )
        return self._results(outcomes)

    def _ask_many(
        self, step: Step, chosen: Sequence[SelectedRow], form: StepForm | None = None
    ) -> str:
        actor, now = current_actor(), utc_now()
        read = _read_all([selected.id for selected in chosen])
        requests = [read[selected.id] for selected in chosen]
        offers = available_actions.action_for_each(requests, step.action, actor, now)
        pairs = list(zip(requests, offers, strict=True))
        possible = [req for req, offer in pairs if offer.refusal is None]
        steps = {req.id: _step_for(req, step.action) or step for req in possible}
        if form is None:
            asked = [
                question
                for req in possible
                for question in _questions(req, steps[req.id], several=True)
            ]
            form = _form(step, (), asked, {req.team_code for req in possible})
        final = {
            req.id: _final_effects(versions.for_request(req), steps[req.id]) for req in possible
        }
        rows = [
            Row(
                selected,
                req,
                offer.refusal,
                review_warnings.cautions(req, now)
                if req.id in steps and steps[req.id].can_complete
                else (),
                form.inputs_for(req.id),
                final.get(req.id, ()),
            )
            for selected, (req, offer) in zip(chosen, pairs, strict=True)
        ]
        return ask(
            self.render,
            "office/requests/ask.html",
            form,
            self.return_url(),
            offer=offers[0],
            rows=rows,
            title_of=lambda req: versions.for_request(req).title_in(i18n.language()),
            receiving=transfer_operations.receiving_offices(requests),
            causes=_causes(possible, steps),
        )

    def _results(self, outcomes: Sequence[Outcome] | None) -> Any:
        return self.show_results("office/requests/results.html", outcomes, _read_all)


def _read_all(ids: Sequence[int]) -> dict[int, Request]:
    """Load the chosen requests, already checked for scope, with all that offers need."""
    found = db.session.scalars(
        sa.select(Request)
        .where(Request.id.in_(ids))
        .options(
            joinedload(Request.service_version),
            joinedload(Request.organisation),
            joinedload(Request.created_by),
            joinedload(Request.reviewer),
            joinedload(Request.licence).joinedload(Licence.broker),
        )
    )
    return {req.id: req for req in found}


def _step_of(flow: Flow, name: str, actor: Actor) -> Step | None:
    for step in flow.steps:
        if step.action == name and step.side == side_of(actor):
            return step
    return None


def _step_for(req: Request, name: str) -> Step | None:
    """Return the reader's own step of that name, as it is in the request's stage if it is there."""
    actor = current_actor()
    return _step_of(stages.flow_of(req), name, actor) or _step_of(
        versions.for_request(req).steps, name, actor
    )


def _any_step(action: StepName) -> Step:
    for version in versions.all_current():
        step = _step_of(version.definition.steps, action, current_actor())
        if step is not None:
            return step
    return not_found()


def _form(
    step: Step,
    places: Sequence[Place],
    questions: Sequence[Question],
    teams: Collection[str | None],
) -> StepForm:
    """Return the form of a step. teams: those of the requests, whose members it offers."""
    return step_form(
        needs_reason=step.needs_reason,
        ready=ready_reasons(step.action) if step.needs_reason else (),
        places=places,
        reviewers=queues.reviewers(*teams) if step.asks is Assignment else None,
        questions=questions,
        lang=i18n.language(),
    )


def ready_reasons(action: str) -> list[GivenReason]:
    """Return the canned reasons for a step."""
    rows = db.session.scalars(
        sa.select(Reason)
        .where(Reason.action == action, Reason.is_active.is_(True))
        .order_by(Reason.position, Reason.id)
    )
    return [GivenReason(ready=(row.id, row.text_ar, row.text_en)) for row in rows]


def _questions(req: Request, step: Step, *, several: bool = False) -> list[Question]:
    """Return what the step asks for `req` besides remarks and a reviewer."""
    key, now = req.id if several else None, utc_now()
    return [
        _office_question(req, key)
        if model is OfficeAnswers
        else Question(model, key, req.number or "", model.proposed(req, now))
        for model in versions.for_request(req).decisions(step)
        if model not in (Remarks, Assignment)
    ]


def _office_question(req: Request, key: int | None) -> OfficeQuestion:
    """Return the office's fields of the request's stage, with what was filled in before."""
    specs = stages.asked_fields(req)
    before = {spec.name: field_values.value_of(req, spec) for spec in specs}
    return OfficeQuestion(OfficeAnswers, key, req.number or "", before, specs, i18n.language())


def _posted_questions(chosen: Sequence[SelectedRow], step: Step) -> list[Question]:
    """Return the questions that the posted page asked; rows without an answer are refused."""
    requests = _read_all([selected.id for selected in chosen]).values()
    asked = [
        question
        for req in requests
        for question in _questions(req, _step_for(req, step.action) or step, several=True)
    ]
    return [question for question in asked if _was_asked(question)]


def _was_asked(question: Question) -> bool:
    """Return whether the posted page had the question; boxes that are not ticked are not posted."""
    names = question.inputs()
    boxes = {name for name, field in names.items() if field.field_class is CheckField}
    posted = {name for name in names if name in request.form}
    return posted | boxes == set(names)


def _effects_of(service: Definition, step: Step) -> list[str]:
    """Return what `step` of a request for `service` causes, in the page's language."""
    known = registry.current().effects
    names = service.effects if step.can_complete else ()
    return [str(known[name].words) for name in names if name in known]


def _final_effects(service: Definition, step: Step) -> list[str]:
    """Return what `step` of a request for `service` causes for good, in the page's language."""
    known = registry.current().effects
    names = service.effects if step.can_complete else ()
    return [str(known[name].words) for name in names if name in known and known[name].is_final]


def _causes(requests: Sequence[Request], steps: Mapping[int, Step]) -> list[tuple[str, list[str]]]:
    """Return (service, effects), once for every service. steps: by the request's id."""
    lang, causes = i18n.language(), {}
    for req in requests:
        service = versions.for_request(req)
        if words := _effects_of(service, steps[req.id]):
            causes[req.service_version_id] = (service.title_in(lang), words)
    return list(causes.values())


def _places(req: Request) -> list[Place]:
    service, lang, names = versions.for_request(req), i18n.language(), kind_names()
    shown = field_values.visible(req)
    fields = [Place(spec.name, spec.title(lang)) for spec in service.asked if spec.name in shown]
    kinds = [
        Place(spec.kind, names.get(spec.kind, spec.kind), is_document=True)
        for spec in service.documents_for(shown)
    ]
    return [*fields, *kinds]
