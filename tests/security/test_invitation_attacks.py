"""Invitations: what they could tell, to whom they could be sent, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import registration, sign_in
from clearance.auth import rate_limits
from clearance.auth.sessions import actor_of, load_actor
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal, Refused, TooManyTries
from clearance.core.extensions import db
from clearance.models import Delivery, Invitation, Membership, Organisation, Registration, User
from clearance.models.enums import SessionStage
from clearance.organisations import invitation_queries, invitation_responses, membership_changes
from clearance.organisations import invitations as organisation_invitations
from clearance.organisations.invitations import NewMember
from clearance.organisations.members import Access
from tests.support import factories, request_factories
from tests.support.member_factories import (
    World,
    an_added,
    general_of,
    refusal_of,
    subscribed_office,
)
from tests.support.pages import PageClient
from tests.support.races import race
from tests.support.statements import statements_of

NOW = utc_now()
EXAM = Access(False, frozenset({"exam"}))
OWN_PASSWORD = "Sidra-9-Marjan?"


@pytest.fixture
def office(context: Flask) -> Organisation:
    """A clearing office that is subscribed to everything."""
    request_factories.load_services()
    return subscribed_office()


def add(app: Flask, added: NewMember, actor: Actor) -> Invitation:
    with factories.visit(app):
        db.session.rollback()  # as in a request, whose own writing has not begun
        invitation = organisation_invitations.invite(
            added, actor.standings[0].organisation_id, actor, NOW
        )
        db.session.commit()
        number = invitation.id
    return db.session.get_one(Invitation, number)


def commit(work: Callable[[], Any]) -> Any:
    db.session.rollback()
    done = work()
    db.session.commit()
    return done


def proved_signup(invitation: Invitation) -> Registration:
    """The sign-up of an invitation, as it is when both codes have been typed."""
    signup = invitation_queries.signup_of(invitation)
    assert signup is not None
    signup.must_change_password = False
    signup.email_proved_at = signup.mobile_proved_at = NOW
    db.session.commit()
    return signup


# Invitations


@pytest.mark.parametrize("by", ["disabled", "demoted", "by the office"])
def test_an_invitation_lets_nobody_in_once_its_sender_manages_the_users_no_more(
    office: Organisation, app: Flask, by: str
) -> None:
    sender, other, friend = general_of(office), general_of(office), factories.make_agent()
    known, new = add(app, an_added(email=friend.email), sender), add(app, an_added(), sender)
    if by == "by the office":
        db.session.get_one(User, sender.id).is_active = False
        db.session.commit()
    else:
        (target,) = db.session.get_one(User, sender.id).memberships
        wanted = EXAM if by == "demoted" else Access(True, is_active=False)
        change = partial(membership_changes.edit, target.id, wanted, other, NOW, version=1)
        commit(change)
    invited = actor_of(friend)
    assert invitation_queries.open_for(invited, NOW) == []
    refusal = refusal_of(lambda: invitation_responses.accept(known.id, invited, NOW))
    assert "لم يعد يدير" in str(refusal.text)
    signup = proved_signup(new)
    assert registration.complete(signup, NOW) == refusal
    assert [row.is_open for row in invitation_queries.awaited(office.id, NOW)] == [False, False]
    # Whoever manages them now can stand in for it.
    for invitation in (known, new):
        commit(partial(organisation_invitations.resend, invitation.id, other, NOW))
    commit(lambda: invitation_responses.accept(known.id, invited, NOW))
    assert isinstance(commit(lambda: registration.complete(signup, NOW)), User)


def test_sign_ups_of_strangers_do_not_hide_who_was_invited(
    office: Organisation, app: Flask
) -> None:
    added = an_added(password=OWN_PASSWORD)
    add(app, added, general_of(office))
    for _ in range(4):
        factories.make_registration(email=added.email)
    with factories.visit(app):
        done = sign_in.sign_in(added.email, OWN_PASSWORD, ip="10.0.0.9", device=None, now=NOW)
        db.session.commit()
        actor = load_actor(str(done.key), NOW)
    assert actor is not None and actor.stage == SessionStage.PASSWORD


def test_an_invitation_of_an_address_that_became_known_finds_its_owner_when_sent_again(
    office: Organisation, app: Flask
) -> None:
    sender, added = general_of(office), an_added()
    invitation = add(app, added, sender)
    owner = factories.make_agent(email=added.email)
    commit(lambda: organisation_invitations.resend(invitation.id, sender, NOW))
    (found,) = invitation_queries.open_for(actor_of(owner), NOW)
    assert found.id == invitation.id
    assert isinstance(registration.complete(proved_signup(invitation), NOW), Refusal)


@pytest.mark.databases
def test_an_invitation_accepted_many_times_at_once_makes_one_membership(
    office: Organisation, app: Flask
) -> None:
    friend = factories.make_agent()
    invitation = add(app, an_added(email=friend.email), general_of(office))
    number, friend_id, office_id = invitation.id, friend.id, office.id
    db.session.remove()

    def accept(_turn: int) -> str:
        with app.test_request_context(method="POST"):
            actor = actor_of(db.session.get_one(User, friend_id))
            db.session.rollback()
            invitation_responses.accept(number, actor, NOW)
            db.session.commit()
        return "joined"

    results = race(app, 6, accept)
    assert results.count("joined") == 1
    assert all(isinstance(result, Refused) for result in results if result != "joined"), results
    joined = sa.select(Membership).where(
        Membership.user_id == friend_id, Membership.organisation_id == office_id
    )
    assert len(db.session.scalars(joined).all()) == 1


@pytest.mark.databases
def test_two_organisations_adding_one_person_at_once_make_one_user_with_both_to_answer(
    office: Organisation, app: Flask
) -> None:
    other, person = subscribed_office(), an_added()
    invitations = [
        add(app, person, general_of(office)),
        add(app, replace(person, password="Qamar-7-Lulwa!"), general_of(other)),
    ]
    signups = [proved_signup(invitation).id for invitation in invitations]
    offices = {office.id, other.id}
    db.session.remove()

    def finish(turn: int) -> Any:
        with app.test_request_context(method="POST"):
            signup = db.session.get_one(Registration, signups[turn], with_for_update=True)
            made = registration.complete(signup, NOW)
            db.session.commit()
        return type(made).__name__

    assert sorted(race(app, 2, finish)) == ["Refusal", "User"]
    user = db.session.scalars(sa.select(User).where(User.email == person.email)).one()
    (standing,) = actor_of(user).standings
    (left,) = invitation_queries.open_for(actor_of(user), NOW)
    assert {standing.organisation_id, left.organisation_id} == offices


def test_the_given_password_leads_nowhere_but_to_an_own_one_and_its_session_ends_there(
    world: World,
) -> None:
    with world.app.app_context():
        signup = factories.make_registration(must_change_password=True)
        thief, owner = PageClient(world.app, language="en"), PageClient(world.app, language="en")
        for client in (thief, owner):
            factories.sign_in(client, signup, SessionStage.PASSWORD)
    for url in ("/my/", "/my/invitations/", "/verify"):
        assert thief.get(url).url == "/password"
    assert thief.post("/verify/resend", {"channel": "email"}).url == "/password"
    codes = {"email_code": "123456", "mobile_code": "123456"}
    assert thief.post("/verify", codes).url == "/password"
    page = owner.get("/password")
    own = {"new_password": OWN_PASSWORD, "new_password_confirm": OWN_PASSWORD}
    assert owner.submit(page, own, form="#password-form").url == "/verify"
    assert thief.get("/verify").url.startswith("/login")
    with world.app.app_context():
        sent = db.session.scalars(sa.select(Delivery.event).order_by(Delivery.id)).all()
    assert sent == ["code:verify"] * 2


# What whoever adds people could learn, and how much they can add


def test_the_same_person_is_added_three_times_a_day_whether_known_or_not(
    office: Organisation, app: Flask
) -> None:
    sender = general_of(office)
    for mobile in (factories.make_agent().mobile, factories.mobile()):
        for _ in range(3):
            add(app, an_added(mobile=mobile), sender)
        with pytest.raises(TooManyTries):
            add(app, an_added(mobile=mobile), sender)
        db.session.rollback()


def test_an_organisation_does_not_flood_people_by_adding_and_sending_again(
    office: Organisation, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "member_added", "3 per 1 hour")
    sender = general_of(office)
    invitations = [add(app, an_added(), sender).id for _ in range(2)]
    commit(partial(organisation_invitations.resend, invitations[0], sender, NOW))
    for work in (
        partial(organisation_invitations.resend, invitations[1], sender, NOW),
        partial(organisation_invitations.invite, an_added(), office.id, sender, NOW),
    ):
        db.session.rollback()
        with factories.visit(app), pytest.raises(TooManyTries):
            work()
    db.session.rollback()
    assert len(db.session.scalars(sa.select(Delivery)).all()) == 3


def test_sending_again_costs_the_same_whether_the_person_is_unknown_known_or_has_refused(
    office: Organisation, app: Flask
) -> None:
    sender, friend, refuser = general_of(office), factories.make_agent(), factories.make_agent()
    invitations = [
        add(app, an_added(**values), sender)
        for values in ({}, {"email": friend.email}, {"email": refuser.email})
    ]
    commit(lambda: invitation_responses.refuse(invitations[2].id, actor_of(refuser), NOW))
    counts = []
    for invitation in invitations:
        inserts = _count_inserts(
            app, partial(organisation_invitations.resend, invitation.id, sender, NOW)
        )
        counts.append(inserts)
    assert counts == [counts[0]] * 3
    assert counts[0]["delivery"] == 2
    told = sa.select(Delivery.address, Delivery.event).order_by(Delivery.id.desc()).limit(2)
    assert {event for _address, event in db.session.execute(told)} == {
        "account:added",
        "account:invited",
    }


def test_no_more_are_awaited_than_the_list_can_show(
    office: Organisation, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_invitations, "MOST_AWAITED", 1)
    sender = general_of(office)
    first = add(app, an_added(), sender)
    with factories.visit(app):
        assert (
            refusal_of(lambda: organisation_invitations.invite(an_added(), office.id, sender, NOW))
            == organisation_invitations.TOO_MANY_AWAITED
        )
    commit(lambda: organisation_invitations.withdraw(first.id, sender, NOW))
    add(app, an_added(), sender)


def test_an_expired_invitation_opens_nothing_to_whom_it_is_for(
    office: Organisation, app: Flask
) -> None:
    friend, later = factories.make_agent(), NOW + invitation_queries.LIFETIME
    invitation = add(app, an_added(email=friend.email), general_of(office))
    refusal = refusal_of(
        lambda: invitation_responses.accept(invitation.id, actor_of(friend), later)
    )
    assert str(refusal.text) == "انتهت مدة الرد على هذه الدعوة."
    early = NOW - timedelta(hours=1)  # a clock that jumped back
    refusal_of(lambda: invitation_responses.accept(invitation.id, actor_of(friend), early))


def _count_inserts(app: Flask, work: Callable[[], Any]) -> dict[str, int]:
    with statements_of(app, "INSERT INTO") as sent:
        commit(work)
    return Counter(statement.split()[2].strip('"') for statement in sent)
