"""Subscriptions: what an organisation has, asks for, is given and gives up; each rule refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import (
    DomainError,
    NotFound,
    PermissionDenied,
    ReasonRequired,
    Refused,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.models import (
    Event,
    Grant,
    Membership,
    Notice,
    Request,
    Subscription,
    User,
)
from clearance.models.enums import Role, Status
from clearance.notifications.inbox import text_of
from clearance.organisations import opening, subscription_changes, subscriptions
from clearance.organisations.subscriptions import Entry, Step
from clearance.requests import available_actions, transitions
from clearance.services import registry
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.factories import organisation_of
from tests.support.races import race
from tests.support.rows import count_of

Change = Callable[..., Subscription]


@pytest.fixture
def agent(context: Flask) -> User:
    requests.publish(requests.TRIVIAL, subscription="by_approval", code="guarded", prefix="GU")
    requests.publish(requests.TRIVIAL, subscription="on_request", code="wished", prefix="WI")
    requests.publish(requests.TRIVIAL)
    return factories.make_agent()


def entry(user: User, code: str) -> Entry:
    entries = subscriptions.catalogue(actor_of(user), utc_now())
    return next(each for each in entries if each.code == code)


def take(change: Change, user: User, code: str) -> Subscription:
    """Take a step as the page of this instant shows it, and commit."""
    version = entry(user, code).version
    row = change(organisation_of(user).id, code, actor_of(user), utc_now(), version=version)
    db.session.commit()
    return row


def decide(row: Subscription, officer: User, reason: str = "") -> Subscription:
    """Refuse with that reason, or approve where there is none."""
    row = subscription_changes.decide(
        row.id,
        approve=not reason,
        reason=reason,
        actor=actor_of(officer),
        version=row.version,
        now=utc_now(),
    )
    db.session.commit()
    return row


def told(user: User, event: str, lang: str = "ar") -> list[str]:
    notices = db.session.scalars(
        sa.select(Notice).where(Notice.user_id == user.id, Notice.event == event)
    )
    return [text_of(notice, lang)[1] for notice in notices]


def kinds() -> list[str]:
    found = sa.select(Event.kind).where(Event.kind.startswith("subscription:"))
    return list(db.session.scalars(found.order_by(Event.id)))


# Asking


def test_what_the_service_says_decides_how_it_is_had(agent: User) -> None:
    shown = {
        code: (entry(agent, code).is_held, entry(agent, code).step, entry(agent, code).version)
        for code in ("greeting", "wished", "guarded")
    }
    assert shown == {
        "greeting": (True, Step.LEAVE, 1),
        "wished": (False, Step.ASK, 0),
        "guarded": (False, Step.ASK, 0),
    }
    assert subscriptions.granted_codes(organisation_of(agent).id) == {"greeting"}


def test_on_request_subscribes_at_once_and_by_approval_asks_the_office(agent: User) -> None:
    reviewer = factories.make_staff()
    assert take(subscription_changes.ask, agent, "wished").status == "active"
    assert told(reviewer, "subscription:asked") == []
    row = take(subscription_changes.ask, agent, "guarded")
    assert (row.status, row.decided_at) == ("asked", None)
    assert organisation_of(agent).name_ar in told(reviewer, "subscription:asked")[0]
    assert organisation_of(agent).name_en in told(reviewer, "subscription:asked", "en")[0]
    assert kinds() == ["subscription:subscribed", "subscription:asked"]
    assert subscriptions.granted_codes(organisation_of(agent).id) == {
        "greeting",
        "wished",
    }
    with pytest.raises(Refused):
        requests.make_draft(agent, "guarded")


def test_what_was_asked_can_be_withdrawn_and_asked_again(agent: User) -> None:
    take(subscription_changes.ask, agent, "guarded")
    assert entry(agent, "guarded").step is Step.WITHDRAW
    assert take(subscription_changes.withdraw, agent, "guarded").status == "left"
    assert take(subscription_changes.ask, agent, "guarded").status == "asked"
    assert kinds()[-2:] == ["subscription:withdrawn", "subscription:asked"]


def test_service_for_another_legal_entity_says_so_and_is_refused(agent: User) -> None:
    requests.publish(
        requests.TRIVIAL,
        code="firms",
        prefix="FI",
        legal_entities=["company"],
        subscription="on_request",
    )
    for lang, word in (("ar", "الكيان القانوني"), ("en", "type of organisation")):
        with force_locale(lang):
            shut = entry(agent, "firms").shut
            assert shut is not None and word in str(shut.text)
    assert entry(agent, "firms").step is None
    with pytest.raises(Refused):
        take(subscription_changes.ask, agent, "firms")
    assert count_of(Subscription) == 0


def test_only_the_general_user_of_that_organisation_can_change_anything(agent: User) -> None:
    office = organisation_of(agent)
    additional = factories.make_agent(office, is_general=False, services=("greeting",))
    stranger, officer = factories.make_agent(), factories.make_staff()
    refusal = entry(additional, "wished").refusal
    assert refusal is not None
    with force_locale("en"):
        assert "Only a general user" in str(refusal.text)
    for user in (additional, stranger, officer):
        for change in (
            subscription_changes.ask,
            subscription_changes.withdraw,
            subscription_changes.leave,
        ):
            with pytest.raises(NotFound):
                change(office.id, "greeting", actor_of(user), utc_now(), version=1)
    assert kinds() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (subscription_changes.withdraw, "guarded"),
        (subscription_changes.leave, "guarded"),
        (subscription_changes.ask, "greeting"),
    ],
)
def test_step_that_does_not_lead_on_from_here_changes_nothing(
    agent: User, change: Change, code: str
) -> None:
    with pytest.raises(TransitionNotAllowed):
        take(change, agent, code)
    assert kinds() == []


def test_page_that_is_out_of_date_changes_nothing(agent: User) -> None:
    take(subscription_changes.ask, agent, "guarded")
    with pytest.raises(TransitionNotAllowed):
        subscription_changes.withdraw(
            organisation_of(agent).id, "guarded", actor_of(agent), utc_now(), version=0
        )


# Leaving


def test_leaving_ends_grants_tells_who_had_them_and_keeps_drafts(agent: User) -> None:
    office = organisation_of(agent)
    granted = factories.make_agent(office, is_general=False, services=("greeting",))
    colleague = factories.make_agent(office)
    draft = requests.make_draft(agent, "greeting", words="مرحبا")
    assert [person.id for person in subscription_changes.losing_access(office.id, "greeting")] == [
        granted.id
    ]
    row = take(subscription_changes.leave, agent, "greeting")
    assert (row.status, row.decided_by_id) == ("left", agent.id)
    assert db.session.scalars(sa.select(Grant)).all() == []
    for user in (granted, colleague):
        assert agent.name_in("ar") in told(user, "subscription:left")[0]
    assert told(agent, "subscription:left") == []
    membership = db.session.scalars(
        sa.select(Membership).where(Membership.user_id == granted.id)
    ).one()
    assert membership.version == 2
    change = db.session.scalars(sa.select(Event).where(Event.kind == "member:access:changed")).one()
    assert change.changes == {"services": [["greeting"], []]}
    assert "greeting" not in subscriptions.granted_codes(office.id)
    assert draft.status == Status.DRAFT
    for lang, word in (("ar", "غير مشتركة"), ("en", "not subscribed")):
        with force_locale(lang):
            warnings = available_actions.send_warnings(draft, actor_of(agent), utc_now())
            assert word in str(warnings[0].text)
    with pytest.raises(Refused):
        requests.step(draft, Action.SEND, agent)


def test_leaving_waits_for_open_requests_and_names_them(agent: User) -> None:
    sent = [requests.make_sent(agent, "greeting", words="مرحبا") for _ in range(7)]
    shown = entry(agent, "greeting")
    assert shown.open_requests.count == 7
    assert shown.open_requests.first == tuple((each.id, each.number) for each in sent[:5])
    for lang, word in (("ar", "ما زالت"), ("en", "open requests")):
        with force_locale(lang), pytest.raises(Refused, match=word):
            take(subscription_changes.leave, agent, "greeting")
    db.session.rollback()
    for req in sent:
        requests.step(req, Action.WITHDRAW, agent)
    assert take(subscription_changes.leave, agent, "greeting").status == "left"


def test_automatic_service_that_was_left_is_had_again_at_once(agent: User) -> None:
    take(subscription_changes.leave, agent, "greeting")
    assert entry(agent, "greeting").step is Step.ASK
    opening.subscribe(organisation_of(agent), utc_now())
    assert not entry(agent, "greeting").is_held
    assert take(subscription_changes.ask, agent, "greeting").status == "active"
    assert requests.make_draft(agent, "greeting").status == Status.DRAFT


# Deciding


def test_approval_opens_the_service_and_refusal_gives_the_reason(agent: User) -> None:
    reviewer = factories.make_staff()
    row = decide(take(subscription_changes.ask, agent, "guarded"), reviewer, "ينقص عقد التأسيس.")
    assert (row.status, row.reason, row.decided_by_id) == (
        "refused",
        "ينقص عقد التأسيس.",
        reviewer.id,
    )
    assert "ينقص عقد التأسيس." in told(agent, "subscription:decided")[0]
    assert "Decision: rejected" in told(agent, "subscription:decided", "en")[0]
    assert entry(agent, "guarded").step is Step.ASK
    again = take(subscription_changes.ask, agent, "guarded")
    assert again.reason == ""
    assert decide(again, reviewer).status == "active"
    assert "تمت الموافقة" in told(agent, "subscription:decided")[1]
    assert requests.make_draft(agent, "guarded").status == Status.DRAFT
    assert kinds() == [f"subscription:{each}" for each in ("asked", "refused", "asked", "approved")]


def test_nobody_but_a_reviewer_decides_and_never_for_an_own_organisation(agent: User) -> None:
    row = take(subscription_changes.ask, agent, "guarded")
    own = factories.make_staff()
    factories.make_membership(own, organisation_of(agent))
    others = [factories.make_staff(role) for role in (Role.MANAGER, Role.ADMINISTRATOR)]
    for officer in (*others, own, agent):
        with pytest.raises(PermissionDenied):
            decide(row, officer)
    with pytest.raises(ReasonRequired):
        subscription_changes.decide(
            row.id,
            approve=False,
            reason=" \n",
            actor=actor_of(factories.make_staff()),
            version=row.version,
            now=utc_now(),
        )
    assert row.status == "asked"


def test_decision_is_made_once_and_the_second_officer_learns_of_it(agent: User) -> None:
    row = take(subscription_changes.ask, agent, "guarded")
    first = factories.make_staff(first_name="نورة", last_name="الصباح")
    decide(row, first)
    for lang, word in (("ar", "وافق"), ("en", "approved")):
        with force_locale(lang), pytest.raises(TransitionNotAllowed) as refused:
            decide(row, factories.make_staff(), "لا")
        assert "نورة الصباح" in str(refused.value) and word in str(refused.value)
    assert len(told(agent, "subscription:decided")) == 1


# At the same time


@pytest.mark.databases
def test_twenty_officers_at_once_make_one_decision(agent: User, context: Flask) -> None:
    row_id, version = (row := take(subscription_changes.ask, agent, "guarded")).id, row.version
    officers = [factories.make_staff().id for _ in range(20)]

    def press(number: int) -> None:
        subscription_changes.decide(
            row_id,
            approve=number % 2 == 0,
            reason="لا تكفي الوثائق.",
            actor=actor_of(db.session.get_one(User, officers[number])),
            version=version,
            now=utc_now(),
        )
        db.session.commit()

    results = race(context, len(officers), press)
    assert Counter(type(result) for result in results) == {type(None): 1, TransitionNotAllowed: 19}
    db.session.rollback()
    assert len(told(agent, "subscription:decided")) == 1
    assert len(kinds()) == 2


@pytest.mark.databases
def test_leaving_while_others_send_never_leaves_a_request_behind(
    agent: User, context: Flask
) -> None:
    office_id, agent_id = organisation_of(agent).id, agent.id
    drafts = [requests.make_draft(agent, "greeting", words="مرحبا").id for _ in range(8)]

    def press(number: int) -> str:
        actor = actor_of(db.session.get_one(User, agent_id))
        if number % 3 == 2:
            subscription_changes.leave(office_id, "greeting", actor, utc_now(), version=1)
            db.session.commit()
            return "left"
        req = db.session.get_one(Request, drafts[number - number // 3])
        transitions.perform(req, Action.SEND, actor=actor, now=utc_now(), version=req.version)
        db.session.commit()
        return "sent"

    results = race(context, 12, press)
    assert all(isinstance(result, str | DomainError) for result in results), results
    db.session.rollback()
    is_open = Request.status.in_(registry.current().open_statuses)
    open_count = db.session.scalar(sa.select(sa.func.count()).where(is_open))
    status = db.session.scalar(sa.select(Subscription.status))
    assert open_count == results.count("sent")
    assert (status, open_count) == ("left", 0) or (status == "active" and open_count == 8), results
