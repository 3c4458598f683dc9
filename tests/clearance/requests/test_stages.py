"""Requests that are reviewed in stages, one team after another."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import PermissionDenied, Refused, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.licences.guards import HAS_LICENCE
from clearance.models import Event, Request, Team, TeamMember, User
from clearance.models.enums import Role, Status
from clearance.requests import available_actions, deadlines, drafts, stages
from clearance.requests.timeline import timeline
from clearance.services.decisions import Assignment, OfficeAnswers
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.issued_factories import make_licence
from tests.support.stage_factories import CHECK, SIGN, VISIT, VISITED, publish
from tests.support.steps_taken import act, steps_of

SUNDAY = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def sent(agent: User, crew: int | None = None, **options: Any) -> Request:
    return requests.make_sent(agent, "permit", crew=crew, **options)


def team(code: str, *members: User) -> None:
    """A further team; every other reviewer is in the first one, as the office's page does it."""
    if db.session.get(Team, code) is None:
        db.session.add(Team(code=code, name_ar=code, name_en=code.title()))
    db.session.add_all(TeamMember(team_code=code, user_id=member.id) for member in members)
    db.session.commit()


def place(req: Request) -> tuple[str, str | None, str | None]:
    return req.status, req.stage, req.team_code


# From stage to stage


@pytest.mark.databases
def test_an_approval_moves_the_request_to_the_queue_of_the_next_stage(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, SIGN)
    req = sent(agent)
    assert place(req) == (Status.SUBMITTED, "check", "review")
    act(req, Action.APPROVE, reviewer)
    assert place(req) == (Status.SUBMITTED, "sign", "review")
    assert (req.reviewer_id, req.first_approver_id) == (None, reviewer.id)
    act(req, Action.APPROVE, factories.make_staff())
    assert place(req) == (Status.APPROVED, None, None)
    assert req.decided_at is not None
    assert steps_of(req) == ["send", "take", "approve_stage", "take", "approve"]


def test_one_stage_is_like_the_standard_flow(agent: User, reviewer: User) -> None:
    publish(CHECK)
    req = sent(agent)
    act(req, Action.APPROVE, reviewer)
    assert (req.status, req.first_approver_id) == (Status.APPROVED, None)
    assert steps_of(req) == ["send", "take", "approve"]


def test_a_stage_that_a_later_version_removes_is_gone_through_by_what_is_in_it(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, SIGN)
    req = sent(agent)
    act(req, Action.APPROVE, reviewer)
    publish(CHECK)
    assert place(req) == (Status.SUBMITTED, "sign", "review")
    act(req, Action.APPROVE, factories.make_staff())
    assert place(req) == (Status.APPROVED, None, None)


@pytest.mark.parametrize(
    ("crew", "second"), [(9, "sign"), (10, "visit"), (None, "sign")], ids=["few", "many", "none"]
)
def test_a_stage_whose_condition_does_not_hold_is_skipped(
    agent: User, reviewer: User, crew: int | None, second: str
) -> None:
    publish(CHECK, VISIT, SIGN)
    req = sent(agent, crew)
    act(req, Action.APPROVE, reviewer)
    assert req.stage == second


def test_the_last_stage_that_applies_completes_the_request(agent: User, reviewer: User) -> None:
    publish(CHECK, VISIT)
    req = sent(agent, crew=2)
    act(req, Action.APPROVE, reviewer)
    assert req.status == Status.APPROVED


def test_whoever_approved_an_earlier_stage_does_not_decide_where_another_person_must(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, VISIT, SIGN)
    req, second = sent(agent, crew=12), factories.make_staff()
    manager = factories.make_staff(Role.MANAGER)
    act(req, Action.APPROVE, reviewer)
    act(req, Action.APPROVE, second)
    for person in (reviewer, second):
        for action in (Action.TAKE, Action.APPROVE, Action.REJECT):
            with pytest.raises(PermissionDenied):
                act(req, action, person, reason="سبب")
        with pytest.raises(Refused):
            act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=person.id))
    third = factories.make_staff()
    act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=third.id))
    assert (req.status, req.reviewer_id) == (Status.UNDER_REVIEW, third.id)


def test_only_the_decisions_of_the_stage_can_be_taken(agent: User, reviewer: User) -> None:
    publish(CHECK | {"decisions": ["approve", "return"]}, SIGN)
    req = sent(agent)
    offered = {
        each.action for each in available_actions.for_request(req, actor_of(reviewer), utc_now())
    }
    assert offered == {Action.TAKE, Action.APPROVE, Action.RETURN}
    with pytest.raises(TransitionNotAllowed):
        act(req, Action.REJECT, reviewer, reason="سبب")


def test_a_guard_of_a_stage_is_checked_at_its_approval_alone(agent: User, reviewer: User) -> None:
    publish(
        CHECK,
        SIGN | {"guards": {"approve": ["person_has_no_licence"]}},
        fields=[{"name": "number", "mode": "shown"}, {"name": "civil_id"}],
    )
    req = requests.make_sent(agent, "permit")
    make_licence(civil_id=req.civil_id)
    act(req, Action.APPROVE, reviewer)
    second = factories.make_staff()
    (offer,) = available_actions.action_for_each([req], "approve", actor_of(second), utc_now())
    assert offer.refusal == HAS_LICENCE
    with pytest.raises(Refused):
        act(req, Action.APPROVE, second)


# Corrections


def correct(req: Request, agent: User, **values: Any) -> None:
    drafts.save(req, values, actor_of(agent), utc_now())
    act(req, Action.SEND, agent)


def test_a_corrected_request_returns_to_the_stage_and_the_reviewer_that_asked(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, SIGN)
    req, second = sent(agent), factories.make_staff()
    act(req, Action.APPROVE, reviewer)
    act(req, Action.RETURN, second, reason="سبب")
    assert place(req) == (Status.RETURNED, "sign", None)
    correct(req, agent, name_ar_1="سالم")
    assert place(req) == (Status.SUBMITTED, "sign", "review")
    assert (req.reviewer_id, req.first_approver_id) == (second.id, reviewer.id)


def test_a_correction_that_an_earlier_condition_reads_leads_back_to_that_stage(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, VISIT, SIGN)
    req, second = sent(agent, crew=3), factories.make_staff()
    act(req, Action.APPROVE, reviewer)
    act(req, Action.RETURN, second, reason="سبب")
    correct(req, agent, crew=30)
    assert place(req) == (Status.SUBMITTED, "visit", "review")
    assert (req.reviewer_id, req.first_approver_id) == (None, reviewer.id)


def test_a_stage_decided_on_what_was_corrected_is_decided_again(
    agent: User, reviewer: User
) -> None:
    publish(VISIT, CHECK, SIGN)
    req, second, third = sent(agent, crew=10), factories.make_staff(), factories.make_staff()
    act(req, Action.APPROVE, reviewer)
    act(req, Action.APPROVE, second)
    act(req, Action.RETURN, third, reason="سبب")
    correct(req, agent, crew=11)
    assert (req.stage, req.approvals, req.first_approver_id) == ("visit", {}, None)
    act(req, Action.APPROVE, third)
    assert req.stage == "check"


def test_a_stage_that_no_longer_applies_is_left(agent: User, reviewer: User) -> None:
    publish(CHECK, VISIT, SIGN)
    req, second = sent(agent, crew=10), factories.make_staff()
    act(req, Action.APPROVE, reviewer)
    act(req, Action.RETURN, second, reason="سبب")
    correct(req, agent, crew=1)
    assert req.stage == "sign"


def test_without_a_later_stage_the_one_before_decides_again(agent: User, reviewer: User) -> None:
    publish(CHECK, VISIT)
    req, second = sent(agent, crew=10), factories.make_staff()
    act(req, Action.APPROVE, reviewer)
    act(req, Action.RETURN, second, reason="سبب")
    correct(req, agent, crew=1)
    assert (req.stage, req.approvals) == ("check", {})
    act(req, Action.APPROVE, reviewer)
    assert req.status == Status.APPROVED


# Teams


@pytest.mark.databases
def test_only_members_of_the_team_take_and_decide(agent: User, reviewer: User) -> None:
    publish(CHECK)
    inspector, manager = factories.make_staff(), factories.make_staff(Role.MANAGER)
    team("review", reviewer)
    team("inspection", inspector)
    req = sent(agent)
    for action in (Action.TAKE, Action.APPROVE, Action.REJECT):
        with pytest.raises(PermissionDenied, match="فريق المراجعة"):
            act(req, action, inspector, reason="سبب")
    with pytest.raises(Refused):
        act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=inspector.id))
    act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=reviewer.id))
    assert req.reviewer_id == reviewer.id


def test_each_stage_is_its_own_teams(agent: User, reviewer: User) -> None:
    inspector = factories.make_staff()
    team("review", reviewer)
    team("inspection", inspector)
    publish(CHECK, SIGN | {"team": "inspection"})
    req = sent(agent)
    act(req, Action.APPROVE, reviewer)
    assert req.team_code == "inspection"
    with pytest.raises(PermissionDenied):
        act(req, Action.APPROVE, factories.make_staff())
    act(req, Action.APPROVE, inspector)
    assert req.status == Status.APPROVED


def test_while_there_is_one_team_every_reviewer_is_in_it(context: Any, reviewer: User) -> None:
    assert actor_of(reviewer).teams == {"review"}
    assert actor_of(factories.make_staff(Role.MANAGER)).teams == frozenset()
    team("inspection")
    assert actor_of(reviewer).teams == frozenset()


def test_requests_without_stages_are_every_reviewers(agent: User, reviewer: User) -> None:
    team("inspection")
    req = requests.make_sent(agent)
    act(req, Action.TAKE, reviewer)
    assert place(req) == (Status.UNDER_REVIEW, None, None)


# The clock


def at(number: int) -> datetime:
    return SUNDAY.replace(day=number)


@pytest.mark.databases
def test_each_stage_has_its_own_days(agent: User, reviewer: User) -> None:
    publish(CHECK | {"days": 2}, SIGN | {"days": 1})
    req = sent(agent, now=SUNDAY)
    assert req.due_on == date(2026, 3, 3)
    act(req, Action.TAKE, reviewer, now=at(2))
    assert req.due_on == date(2026, 3, 3)
    act(req, Action.APPROVE, reviewer, now=at(2))
    assert req.due_on == date(2026, 3, 3)  # a day from the second
    act(req, Action.RETURN, factories.make_staff(), now=at(2), reason="سبب")
    assert req.due_on is None
    act(req, Action.SEND, agent, now=at(8))
    assert req.due_on == date(2026, 3, 9)


def test_the_days_of_a_stage_are_not_lengthened_by_pauses_before_it(
    agent: User, reviewer: User
) -> None:
    publish(CHECK, SIGN | {"days": 2})
    req = sent(agent, now=SUNDAY)
    act(req, Action.RETURN, reviewer, now=at(2), reason="سبب")
    act(req, Action.SEND, agent, now=at(10))
    act(req, Action.APPROVE, reviewer, now=at(10))
    assert req.due_on == date(2026, 3, 12)


def test_no_due_date_runs_while_the_clock_is_stopped(agent: User, reviewer: User) -> None:
    publish(CHECK | {"clock": "stopped"}, SIGN)
    req = sent(agent, now=SUNDAY)
    assert (req.due_on, req.team_code) == (None, "review")
    act(req, Action.APPROVE, reviewer, now=at(8))
    assert req.due_on == date(2026, 3, 11)  # the service's three days, from sending, without these
    assert deadlines.tell_late(at(30)) == 1


# What the office fills in


def test_what_the_office_fills_in_is_kept_among_the_answers(agent: User, reviewer: User) -> None:
    publish(CHECK | {"fields": [VISITED]}, SIGN)
    req = sent(agent)
    act(req, Action.APPROVE, reviewer, data=OfficeAnswers(values={"visited_on": date(2026, 3, 4)}))
    assert (req.stage, req.answers["visited_on"]) == ("sign", "2026-03-04")
    assert [value for _spec, value in stages.office_lines(req, "en")] == ["04/03/2026"]
    (entry,) = [each for each in timeline(req, actor_of(reviewer)) if each.given[1:]]
    assert [value for _label, value in entry.given] == ["التدقيق", "04/03/2026"]


@pytest.mark.parametrize("values", [{}, {"visited_on": None}, {"other": date(2026, 3, 4)}])
def test_an_approval_without_what_it_must_fill_in_is_refused(
    agent: User, reviewer: User, values: dict[str, Any]
) -> None:
    publish(CHECK | {"fields": [VISITED]}, SIGN)
    req = sent(agent)
    with pytest.raises(Refused, match="تاريخ المعاينة"):
        act(req, Action.APPROVE, reviewer, data=OfficeAnswers(values=values))
    assert (req.stage, req.answers.get("visited_on")) == ("check", None)


def test_what_a_stage_asks_must_be_answered_even_if_nothing_is_required(
    agent: User, reviewer: User
) -> None:
    publish(CHECK | {"fields": [VISITED | {"required": False}]}, SIGN)
    req = sent(agent)
    with pytest.raises(Refused):
        act(req, Action.APPROVE, reviewer)
    act(req, Action.APPROVE, reviewer, data=OfficeAnswers(values={}))
    assert req.stage == "sign"


def test_fields_of_another_stage_are_not_accepted(agent: User, reviewer: User) -> None:
    publish(CHECK | {"fields": [VISITED]}, SIGN)
    req = sent(agent)
    act(req, Action.APPROVE, reviewer, data=OfficeAnswers(values={"visited_on": date(2026, 3, 4)}))
    late = OfficeAnswers(values={"visited_on": date(2026, 3, 5)})
    act(req, Action.APPROVE, factories.make_staff(), data=late)
    assert (req.status, req.answers["visited_on"]) == (Status.APPROVED, "2026-03-04")


def test_the_applicant_cannot_fill_in_what_is_the_offices(agent: User) -> None:
    publish(CHECK | {"fields": [VISITED]})
    draft = requests.make_draft(agent, "permit")
    drafts.save(draft, {"visited_on": date(2026, 3, 4)}, actor_of(agent), utc_now())
    assert "visited_on" not in draft.answers


def test_a_copy_does_not_take_what_the_office_filled_in(agent: User, reviewer: User) -> None:
    publish(CHECK | {"fields": [VISITED]})
    req = sent(agent, crew=4)
    act(req, Action.APPROVE, reviewer, data=OfficeAnswers(values={"visited_on": date(2026, 3, 4)}))
    copy = drafts.start("permit", actor_of(agent), utc_now(), "private", copy_of=req)
    assert copy.answers == {"crew": 4}


def test_a_later_stage_can_depend_on_what_the_office_fills_in(agent: User, reviewer: User) -> None:
    needed = {
        "name": "needs_visit",
        "type": "bool",
        "label": {"ar": "تلزم معاينة", "en": "A visit is needed"},
    }
    visit = VISIT | {"when": {"field": "needs_visit", "is": True}}
    publish(CHECK | {"fields": [needed]}, visit)
    short, long = sent(agent), sent(factories.make_agent())
    (offer,) = [
        each
        for each in available_actions.for_request(short, actor_of(reviewer), utc_now())
        if each.action == Action.APPROVE
    ]
    assert offer.refusal is None and OfficeAnswers in offer.asks
    act(short, Action.APPROVE, reviewer, data=OfficeAnswers(values={"needs_visit": False}))
    act(long, Action.APPROVE, reviewer, data=OfficeAnswers(values={"needs_visit": True}))
    assert (short.status, long.stage) == (Status.APPROVED, "visit")


# Two approvals, as earlier versions wrote them


def test_two_approvals_are_two_stages(agent: User, reviewer: User) -> None:
    requests.publish(requests.TRIVIAL, code="double", prefix="DB", flow="two_approvals")
    req = requests.make_sent(agent, "double", words="سلام")
    act(req, Action.APPROVE, reviewer)
    assert (req.stage, req.first_approver_id) == ("second", reviewer.id)
    with pytest.raises(PermissionDenied):
        act(req, Action.APPROVE, reviewer)
    act(req, Action.APPROVE, factories.make_staff())
    assert req.status == Status.APPROVED


def test_the_trail_says_in_which_stage_a_step_was_taken(agent: User, reviewer: User) -> None:
    publish(CHECK, SIGN)
    req = sent(agent)
    act(req, Action.APPROVE, reviewer)
    changes = [
        event.changes["stage"]
        for event in db.session.scalars(
            sa.select(Event).where(Event.request_id == req.id).order_by(Event.id)
        )
    ]
    assert changes == [[None, "check"], ["check", "check"], ["check", "sign"]]
