"""Offers: nothing is greyed without a reason, and the reason is the server's own."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from flask import current_app
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.flow import ExamAction
from clearance.models import Subscription, User
from clearance.models.enums import Role, Status
from clearance.requests import available_actions, drafts
from clearance.requests.available_actions import StartableService
from clearance.services.decisions import Assignment, Remarks
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.statements import statements_of


def offered(user: User) -> dict[str, StartableService]:
    return {
        service.code: service
        for service in available_actions.startable_services(actor_of(user), utc_now())
    }


def counting_queries() -> AbstractContextManager[list[str]]:
    return statements_of(current_app, "SELECT")


@pytest.mark.databases
def test_general_user_is_offered_the_service_without_a_word(agent: User) -> None:
    offer = offered(agent)["exam"]
    assert (offer.refusal, offer.warning) == (None, None)
    assert offer.brief == offer.definition.description.ar


def test_each_reason_stands_on_the_service_that_it_keeps_away(agent: User) -> None:
    requests.publish(requests.TRIVIAL, subscription="by_approval")
    office = factories.organisation_of(agent)
    company = factories.make_agent(factories.make_organisation(legal_entity="company"))
    ungranted = factories.make_agent(office, is_general=False, services=("greeting",))
    with force_locale("en"):
        told = {
            "company": str(offered(company)["exam"].refusal.text),
            "ungranted": str(offered(ungranted)["exam"].refusal.text),
            "unsubscribed": str(offered(agent)["greeting"].refusal.text),
        }
    assert "type of organisation" in told["company"]
    assert "not have access" in told["ungranted"]
    assert "not subscribed" in told["unsubscribed"]
    db.session.add(
        Subscription(
            organisation_id=office.id,
            service_code="greeting",
            status="active",
            asked_at=utc_now(),
        )
    )
    db.session.commit()
    assert offered(agent)["greeting"].refusal is None


def test_open_exam_of_the_user_warns_but_others_may_be_entered(agent: User) -> None:
    req = requests.make_sent(agent, civil_id=agent.civil_id)
    offer = offered(agent)["exam"]
    assert offer.refusal is None
    assert offer.warning is not None and offer.warning.url.endswith(f"id={req.id}")


def test_number_of_queries_does_not_grow_with_services(agent: User) -> None:
    actor = actor_of(agent)
    with counting_queries() as few:
        shipped = len(available_actions.startable_services(actor, utc_now()))
    for number in range(6):
        letter = chr(ord("A") + number)
        requests.publish(requests.TRIVIAL, code=f"more_{number}", prefix=f"M{letter}")
    with counting_queries() as many:
        assert len(available_actions.startable_services(actor, utc_now())) == shipped + 6
    assert len(many) == len(few)


def test_decision_on_anothers_request_is_shown_with_the_name(agent: User) -> None:
    reviewer = factories.make_staff(first_name="نورة", last_name="الصباح")
    req = requests.make_request(agent, Status.UNDER_REVIEW, reviewer=reviewer)
    seen = available_actions.for_request(req, actor_of(factories.make_staff()), utc_now())
    decision = next(each for each in seen if each.action == Action.PREAPPROVE)
    assert decision.refusal is not None and "نورة الصباح" in str(decision.refusal.text)
    own = available_actions.for_request(req, actor_of(reviewer), utc_now())
    assert {each.action for each in own if each.refusal is None} == {
        Action.GIVE_BACK,
        Action.PREAPPROVE,
        Action.RETURN,
        Action.REJECT,
    }


def test_offer_tells_what_its_step_asks_for(agent: User) -> None:
    req = requests.make_sent(agent)
    reviewer, manager = factories.make_staff(), factories.make_staff(Role.MANAGER)
    asked = {
        each.action: (each.needs_reason, each.asks)
        for person in (reviewer, manager)
        for each in available_actions.for_request(req, actor_of(person), utc_now())
    }
    assert asked == {
        Action.TAKE: (False, ()),
        Action.ASSIGN: (False, (Assignment,)),
        Action.PREAPPROVE: (False, ()),
        Action.RETURN: (True, (Remarks,)),
        Action.REJECT: (True, ()),
    }


def test_administrator_is_offered_nothing(agent: User) -> None:
    req = requests.make_sent(agent)
    assert (
        available_actions.for_request(
            req, actor_of(factories.make_staff(Role.ADMINISTRATOR)), utc_now()
        )
        == []
    )


def test_impossible_step_has_an_offer_that_says_why(agent: User) -> None:
    req = requests.make_request(agent, Status.WITHDRAWN)
    with force_locale("en"):
        offer = available_actions.action(req, ExamAction.CONFIRM, actor_of(agent), utc_now())
        assert offer.refusal is not None
        assert "Withdrawn" in str(offer.refusal.text)


def test_form_is_warned_of_what_would_refuse_its_sending(agent: User) -> None:
    earlier = requests.make_sent(agent)
    draft = requests.make_draft(agent, civil_id=earlier.civil_id)
    warnings = available_actions.send_warnings(draft, actor_of(agent), utc_now())
    assert [warning.url for warning in warnings] == [f"/my/requests/details/?id={earlier.id}"]
    drafts.save(draft, {"civil_id": factories.civil_id()}, actor_of(agent), utc_now())
    assert available_actions.send_warnings(draft, actor_of(agent), utc_now()) == []
