"""Flows: every step from every status, for those whose step it is and for all others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound, PermissionDenied, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import EXAM, ExamAction, ExamSide
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, Request
from clearance.models.enums import Role, Status
from clearance.requests import available_actions, transitions
from clearance.services.decisions import Assignment
from clearance.services.flows import STANDARD, Action, Flow, Side, Step, StepName
from clearance.transfers.flow import TRANSFER, TransferAction
from clearance.transfers.statuses import TransferStatus
from tests.support import factories
from tests.support import request_factories as requests

FLOWS = {flow.name: flow for flow in (STANDARD, EXAM, TRANSFER)}
ACTIONS: list[StepName] = [*Action, *ExamAction, *TransferAction]
STATUSES = [*Status, *ExamStatus, *TransferStatus]
CODES = {"standard": "plain", "exam": "exam"}
FINAL = {
    "standard": {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN, Status.LAPSED},
    "transfer": {
        Status.APPROVED,
        Status.REJECTED,
        TransferStatus.DECLINED,
        Status.WITHDRAWN,
        Status.LAPSED,
    },
    "exam": {
        Status.REJECTED,
        Status.WITHDRAWN,
        Status.LAPSED,
        ExamStatus.PASSED,
        ExamStatus.FAILED,
        ExamStatus.ABSENT,
    },
}
RESULTS = {ExamAction.PASS, ExamAction.FAIL, ExamAction.ABSENT}


def reached(flow: Flow) -> set[Status]:
    """Every status that some way from a draft leads to."""
    found, waiting = {Status.DRAFT}, [Status.DRAFT]
    while waiting:
        status = waiting.pop()
        for step in flow.steps:
            if status in step.sources and step.target is not None and step.target not in found:
                found.add(step.target)
                waiting.append(step.target)
    return found


# A transfer needs a broker and two organisations: its steps are in test_transfers.
PLACES = [(name, status) for name in CODES for status in sorted(reached(FLOWS[name]))]


class Scene:
    """A request in a status, and everybody who might take a step."""

    def __init__(self, flow: Flow, status: Status) -> None:
        self.flow, self.status, self.code = flow, status, CODES[flow.name]
        if self.code != "exam":
            requests.publish(requests.TRIVIAL, code=self.code, prefix="PL", flow=flow.name)
        agent, reviewer = factories.make_agent(), factories.make_staff()
        self.exam: Exam = requests.make_exam()
        self.req = self._walk(agent, reviewer)
        self.own = {
            Side.AGENT: actor_of(agent),
            Side.REVIEWER: actor_of(reviewer),
            Side.MANAGER: actor_of(factories.make_staff(Role.MANAGER)),
            Side.PORTAL: None,
        }
        self.spare = actor_of(factories.make_staff())
        self.strangers = [
            actor_of(factories.make_agent()),
            actor_of(factories.make_staff(Role.ADMINISTRATOR)),
        ]

    def _walk(self, agent, reviewer) -> Request:
        options = {"words": "سلام"} if self.code != "exam" else {}
        seat = self.exam if self.code == "exam" else None
        return requests.make_request(
            agent, self.status, code=self.code, reviewer=reviewer, exam=seat, **options
        )

    def now_for(self, action: Action) -> datetime:
        """An instant at which time itself forbids nothing."""
        return self.exam.held_at + timedelta(hours=3) if action in RESULTS else utc_now()

    def attempt(self, action: Action, actor: Actor | None) -> str | DomainError:
        """Try the step and undo it. Returns the new status or the refusal."""
        trial = db.session.begin_nested()
        try:
            transitions.perform(
                self.req,
                action,
                actor=actor,
                now=self.now_for(action),
                version=self.req.version,
                reason="سبب",
                data=[Assignment(reviewer_id=self.spare.id), SeatChoice(exam_id=self.exam.id)],
            )
            return self.req.status
        except DomainError as refusal:
            return refusal
        finally:
            trial.rollback()
            db.session.expire_all()
            assert self.req.status == self.status

    def taker(self, step: Step) -> Actor | None:
        """Who takes the step; what is offered from a sitting is a reviewer's."""
        return self.own[Side.REVIEWER if step.side == ExamSide.SITTING else step.side]

    def path(self, action: Action):
        return self.flow.path(self.status, action, is_taken=self.req.reviewer_id is not None)


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0]}-{place[1]}")
def scene(context: Flask, request: pytest.FixtureRequest) -> Scene:
    requests.load_services()
    name, status = request.param
    return Scene(FLOWS[name], status)


def test_each_step_leads_where_the_table_says_and_no_other_is_possible(scene: Scene) -> None:
    for action in ACTIONS:
        path = scene.path(action)
        if path:
            outcome = scene.attempt(action, scene.taker(path[-1]))
            assert outcome == (path[-1].target or scene.status), action
            continue
        for actor in scene.own.values():
            outcome = scene.attempt(action, actor)
            assert isinstance(outcome, TransitionNotAllowed | NotFound), action


def test_nobody_takes_a_step_that_is_another_sides(scene: Scene) -> None:
    for action in ACTIONS:
        path = scene.path(action)
        if not path:
            continue
        others = [actor for actor in scene.own.values() if actor != scene.taker(path[-1])]
        if action == ExamAction.RELEASE:
            others.remove(None)
        for actor in (*others, *scene.strangers):
            outcome = scene.attempt(action, actor)
            assert isinstance(outcome, PermissionDenied | NotFound), (action, actor)


def test_offers_and_steps_agree(scene: Scene) -> None:
    for side, actor in scene.own.items():
        if actor is None or (scene.status == Status.DRAFT and side != Side.AGENT):
            continue
        offered = {
            each.action: each.refusal is None
            for action in ACTIONS
            for each in available_actions.for_request(scene.req, actor, scene.now_for(action))
            if each.action == action
        }
        possible = {
            action for action in ACTIONS if (p := scene.path(action)) and p[-1].side == side
        }
        assert set(offered) == possible
        for action, is_open in offered.items():
            assert is_open is isinstance(scene.attempt(action, actor), str), action


@pytest.mark.parametrize("flow", FLOWS.values(), ids=lambda flow: flow.name)
def test_flow_ends_where_it_should(flow: Flow) -> None:
    statuses = reached(flow)
    ends = {
        status
        for status in statuses
        if not any(flow.path(status, action, is_taken=True) for action in ACTIONS)
    }
    assert ends == FINAL[flow.name]
    assert statuses - ends - {Status.DRAFT} == flow.open_statuses
    assert flow.on_clock <= flow.open_statuses
    assert {state.status for state in flow.states if state.keeps_claim} <= ends
    assert {state.status for state in flow.states} >= statuses
    assert all(state.next_step for state in flow.states)


@pytest.mark.parametrize("flow", FLOWS.values(), ids=lambda flow: flow.name)
def test_one_row_at_most_answers_for_a_status_and_an_action(flow: Flow) -> None:
    for status in STATUSES:
        for action in ACTIONS:
            rows = [step for step in flow.steps if step.action == action and status in step.sources]
            assert len(rows) <= 1


@pytest.mark.parametrize("flow", FLOWS.values(), ids=lambda flow: flow.name)
def test_what_the_agent_must_understand_needs_a_reason(flow: Flow) -> None:
    for step in flow.steps:
        assert step.needs_reason is (step.action in {Action.RETURN, Action.REJECT})
        assert step.sends is (step.action == Action.SEND)


def test_each_action_has_its_words() -> None:
    assert all(action.label and action.event and action.tone for action in ACTIONS)
