"""Steps on one or many requests: confirmation page, execution and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from sqlalchemy.orm import joinedload

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import idempotency_owner, posted_key, posted_version
from admin_views.office.requests import bulk, effect_labels, queues
from admin_views.office.requests.bulk import Outcome, SelectedRow
from admin_views.shared.request_parts import kind_names
from clearance.core import i18n, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.licences import granted_expiry
from clearance.models import Licence, Reason, Request
from clearance.models.enums import Role
from clearance.public import form_helpers
from clearance.requests import available_actions, review_warnings, transitions
from clearance.services import effects, versions
from clearance.services.flows import Action, Asks, Flow, Side, Step
from forms.request_actions import Expiry, Place, ReadyReason, StepForm, expiry_name, step_form

# Announcing an exam gives its seats in the order of sending; no request may jump the queue.
NOT_HERE = frozenset({Action.SEAT})
BULK_ACTIONS = (
    Action.TAKE,
    Action.GIVE_BACK,
    Action.ASSIGN,
    Action.PREAPPROVE,
    Action.APPROVE,
    Action.RETURN,
    Action.REJECT,
)
MOST_AT_ONCE = 500
_SIDES = {Role.REVIEWER: Side.REVIEWER, Role.MANAGER: Side.MANAGER}


def side_of(actor: Actor) -> Side | None:
    """Return the side whose steps the reader takes."""
    return _SIDES.get(Role(actor.role))


def is_offered(name: str, actor: Actor) -> bool:
    """Return whether any service has a step of that name for the reader."""
    flows = (version.definition.steps for version in versions.all_current())
    return any(_step_of(flow, name, actor) is not None for flow in flows)


def details_url(request_id: int) -> str:
    """Return the URL of a request's review page."""
    return url_for("office_requests.details_view", id=request_id)


class StepRoutes:
    """Mixin of the request view; `get_one` and `ids_in_scope` respect the reader's scope."""

    get_one: Callable[[Any], Request]
    ids_in_scope: Callable[[Sequence[str]], list[int]]
    render: Callable[..., str]
    return_url: Callable[[], str]
    show_review: Callable[..., Any]

    @expose("/do/<action>", methods=("GET", "POST"))
    @expose("/<int:request_id>/do/<action>", methods=("GET", "POST"))
    def do(self, action: str, request_id: int | None = None) -> Any:
        """Confirm and take a step on one request, or on the chosen ones."""
        if request_id is not None:
            req = self.get_one(request_id)
            return self._do_one(req, _step_or_404(versions.for_request(req).steps, action))
        if not is_offered(action, current_actor()) or action not in BULK_ACTIONS:
            not_found()
        return self._do_many(Action(action))

    def ask_for_many(self, action: Action, ids: Sequence[int]) -> Any:
        """Redirect from the list's bulk action to the confirmation page."""
        return redirect(
            url_for("office_requests.do", action=action, id=ids, url=self.return_url()), code=303
        )

    # One request

    def _do_one(self, req: Request, step: Step) -> Any:
        places = _places(req) if step.asks is Asks.REMARKS else ()
        form = _form(step, places, _expiries(req, step))
        if not form_helpers.is_sent():
            return self._ask(req, step, form)
        if not form.validate():
            return self._ask(req, step, form), 400
        return self._take_step(req, step.action, form)

    def _ask(self, req: Request, step: Step, form: StepForm) -> str:
        now = utc_now()
        service = versions.for_request(req)
        return self.render(
            "office/requests/do.html",
            req=req,
            title=service.title_in(i18n.language()),
            offer=available_actions.action(req, step.action, current_actor(), now),
            form=form,
            causes=effect_labels.of(service, step),
            warnings=review_warnings.warnings(req, now) if step.completes else (),
            version=request.form.get("version", req.version),
            form_key=posted_key() or idempotency.new(),
            back_url=details_url(req.id),
        )

    def _take_step(self, req: Request, action: Action, form: StepForm) -> Any:
        actor, now, request_id = current_actor(), utc_now(), req.id
        owner, key, result = idempotency_owner(actor), posted_key(), details_url(request_id)
        label = available_actions.action(req, action, actor, now).event_label
        try:
            if idempotency.claim(key, owner, result, now) is None:
                transitions.perform(
                    req,
                    action,
                    actor=actor,
                    now=now,
                    version=posted_version(),
                    reason=form.reason_in(bulk.language_of(req)),
                    data=_decision(form),
                )
            db.session.commit()
        except DomainError as refusal:
            db.session.rollback()
            if idempotency.result_of(key, owner) is not None:
                return redirect(result, code=303)  # double click: the first click took the step
            return self.show_review(self.get_one(request_id), alert=str(refusal), status=409)
        flash(str(label), "success")
        return redirect(result, code=303)

    # Many requests

    def _do_many(self, action: Action) -> Any:
        if "outcome" in request.form:
            return self._results(action, [Outcome.read(text) for text in _posted("outcome")])
        step = _any_step(action)
        chosen = self._chosen()
        if not chosen:
            return redirect(self.return_url(), code=303)
        if not is_posted():
            return self._ask_many(step, chosen)
        form = _form(step, (), _posted_expiries(chosen))
        if "_language" in request.form:
            return self._ask_many(step, chosen, form)
        if not form.validate():
            return self._ask_many(step, chosen, form), 400
        outcomes = bulk.perform_on_each(
            chosen,
            action,
            reason_in=form.reason_in,
            decision_of=lambda request_id: _decision(form, request_id),
            actor=current_actor(),
            key=posted_key(),
        )
        return (
            redirect(self.return_url(), code=303)
            if outcomes is None
            else self._results(action, outcomes)
        )

    def _chosen(self) -> list[SelectedRow]:
        """Return the chosen rows within the reader's scope, with the versions shown."""
        if not is_posted():
            ids = self.ids_in_scope(request.args.getlist("id")[:MOST_AT_ONCE])
            versions = dict(
                db.session.execute(
                    sa.select(Request.id, Request.version).where(Request.id.in_(ids))
                ).all()
            )
            return [SelectedRow(request_id, versions[request_id]) for request_id in ids]
        typed = [SelectedRow.read(text) for text in _posted("row")[:MOST_AT_ONCE]]
        visible = set(self.ids_in_scope([str(row.request_id) for row in typed]))
        return [row for row in typed if row.request_id in visible]

    def _ask_many(
        self, step: Step, chosen: Sequence[SelectedRow], form: StepForm | None = None
    ) -> str:
        actor, now = current_actor(), utc_now()
        read = _read_all(chosen)
        requests = [read[row.request_id] for row in chosen]
        offers = available_actions.action_for_each(requests, step.action, actor, now)
        rows = list(zip(chosen, requests, offers, strict=True))
        possible = [req for _row, req, offer in rows if offer.refusal is None]
        if form is None:
            asked = [expiry for req in possible for expiry in _expiries(req, step, several=True)]
            form = _form(step, (), asked)
        return self.render(
            "office/requests/do_many.html",
            action=step.action,
            offer=rows[0][2],
            rows=rows,
            possible=len(possible),
            form=form,
            expiry_name=expiry_name,
            causes=_causes(possible, step),
            cautions={req.id: review_warnings.cautions(req, now) for req in possible}
            if step.completes
            else {},
            form_key=posted_key() or idempotency.new(),
            back_url=self.return_url(),
        )

    def _results(self, action: Action, outcomes: Sequence[Outcome]) -> str:
        return self.render(
            "office/requests/results.html",
            action=action,
            outcomes=outcomes,
            done=sum(1 for outcome in outcomes if outcome.is_done),
            back_url=self.return_url(),
        )


def _read_all(chosen: Sequence[SelectedRow]) -> dict[int, Request]:
    """Load the chosen requests, already checked for scope, with all that offers need."""
    found = db.session.scalars(
        sa.select(Request)
        .where(Request.id.in_([row.request_id for row in chosen]))
        .options(
            joinedload(Request.service_version),
            joinedload(Request.organisation),
            joinedload(Request.reviewer),
            joinedload(Request.licence).joinedload(Licence.broker),
        )
    )
    return {req.id: req for req in found}


def _posted(name: str) -> list[str]:
    return request.form.getlist(name)


def _step_of(flow: Flow, name: str, actor: Actor) -> Step | None:
    for step in flow.steps:
        if step.action == name and step.side == side_of(actor):
            return step
    return None


def _step_or_404(flow: Flow, name: str) -> Step:
    """Return the reader's own step of that name; another role's step is a 404."""
    step = _step_of(flow, name, current_actor())
    return step if step is not None and step.action not in NOT_HERE else not_found()


def _any_step(action: Action) -> Step:
    for version in versions.all_current():
        step = _step_of(version.definition.steps, action, current_actor())
        if step is not None:
            return step
    return not_found()


def _form(step: Step, places: Sequence[Place], expiries: Sequence[Expiry]) -> StepForm:
    return step_form(
        needs_reason=step.needs_reason,
        ready=ready_reasons(step.action) if step.needs_reason else (),
        places=places,
        reviewers=queues.reviewers() if step.asks is Asks.REVIEWER else None,
        expiries=expiries,
        lang=i18n.language(),
    )


def ready_reasons(action: str) -> list[ReadyReason]:
    """Return the canned reasons for a step."""
    rows = db.session.scalars(
        sa.select(Reason)
        .where(Reason.action == action, Reason.is_active.is_(True))
        .order_by(Reason.position, Reason.id)
    )
    return [ReadyReason(reason.id, reason.text_ar, reason.text_en) for reason in rows]


def _expiries(req: Request, step: Step, *, several: bool = False) -> list[Expiry]:
    """Return the expiry date that the step grants to `req`, if it grants one."""
    if not (step.completes and versions.for_request(req).grants_expiry):
        return []
    proposed = granted_expiry.proposed_expiry(req, utc_now())
    return [Expiry(req.id if several else None, req.number or "", proposed)]


def _posted_expiries(chosen: Sequence[SelectedRow]) -> list[Expiry]:
    """Return the dates that the page asked for; the step is refused to rows without one."""
    asked = [row.request_id for row in chosen if expiry_name(row.request_id) in request.form]
    numbers = dict(
        db.session.execute(sa.select(Request.id, Request.number).where(Request.id.in_(asked))).all()
    )
    return [Expiry(key, numbers[key] or "", None) for key in asked]


def _causes(requests: Sequence[Request], step: Step) -> list[tuple[str, list[str]]]:
    """Return (service, effects of the step), once for every service among the requests."""
    services = {req.service_version_id: versions.for_request(req) for req in requests}
    lang = i18n.language()
    causes = [(spec.title_in(lang), effect_labels.of(spec, step)) for spec in services.values()]
    return [(title, words) for title, words in causes if words]


def _places(req: Request) -> list[Place]:
    service, lang, names = versions.for_request(req), i18n.language(), kind_names()
    fields = [Place(spec.name, spec.title(lang)) for spec in service.asked]
    kinds = [
        Place(spec.kind, names.get(spec.kind, spec.kind), is_document=True)
        for spec in service.documents_for(req.broker_type)
    ]
    return [*fields, *kinds]


def _decision(form: StepForm, request_id: int | None = None) -> effects.Decision:
    """Return the step's data. request_id: which of several requests; None for a single one."""
    reviewer = form["reviewer_id"].data if "reviewer_id" in form else None
    return effects.Decision(
        remarks=form.remarks(),
        reviewer_id=int(reviewer) if reviewer else None,
        granted_expiry=form.expiry_granted_to(request_id),
    )
