"""Adding users: the same for known and unknown people, and only what was granted in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import sign_in, verification
from clearance.auth import password_changes
from clearance.auth.passwords import verify_password
from clearance.auth.sessions import actor_of, load_actor
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, TooManyTries
from clearance.core.extensions import db
from clearance.jobs import retention
from clearance.models import (
    Delivery,
    Invitation,
    Membership,
    Notice,
    Organisation,
    Registration,
    Subscription,
    User,
)
from clearance.models.enums import SessionStage
from clearance.organisations import invitation_queries, invitation_responses, invitations
from clearance.organisations.invitation_queries import LIFETIME
from clearance.organisations.invitations import AWAITED_ALREADY, NewMember
from clearance.organisations.members import ALREADY_A_MEMBER, NO_SERVICE, NOT_SUBSCRIBED, Access
from tests.support import factories, request_factories
from tests.support.gateways import queued_code
from tests.support.member_factories import an_added, general_of, refusal_of, subscribed_office

OWN_PASSWORD = "Sidra-9-Marjan?"
NOW = utc_now()


@pytest.fixture
def office(app: Flask) -> Iterator[Organisation]:
    """A clearing office with everything subscribed, during a POST of its general user."""
    with factories.visit(app):
        request_factories.load_services()
        yield subscribed_office()
        db.session.rollback()


def adding(someone: NewMember, actor: Actor, now: datetime = NOW) -> Invitation:
    """Add somebody to the actor's organisation, as in a request whose writing has not begun."""
    assert actor.standing is not None
    db.session.rollback()
    return invitations.invite(someone, actor.standing.organisation_id, actor, now)


def add(someone: NewMember, actor: Actor, now: datetime = NOW) -> Invitation:
    invitation = adding(someone, actor, now)
    db.session.commit()
    return invitation


def commit(work: Callable[[], object]) -> None:
    db.session.rollback()
    work()
    db.session.commit()


def enter(email: str, password: str, now: datetime = NOW) -> Actor | None:
    """Sign in; who that is then."""
    db.session.rollback()
    done = sign_in.sign_in(email, password, ip="10.0.0.9", device=None, now=now)
    db.session.commit()
    return load_actor(done.key, now) if done.key else None


def prove(someone: NewMember, now: datetime = NOW) -> verification.Verified:
    """Sign in with the given password, choose an own one, type both codes."""
    actor = enter(someone.email, someone.password, now)
    assert actor is not None and actor.stage == SessionStage.PASSWORD
    chosen = password_changes.choose_password(actor, OWN_PASSWORD, now)
    db.session.commit()
    assert chosen.stage == SessionStage.VERIFY
    actor = load_actor(chosen.key, now)
    assert actor is not None
    result = verification.verify(
        actor, queued_code(someone.email), queued_code(someone.mobile), now
    )
    db.session.commit()
    return result


def user_of(email: str) -> User | None:
    return db.session.scalar(sa.select(User).where(User.email == email))


def mails_to(address: str) -> list[str]:
    query = sa.select(Delivery.event).where(Delivery.address == address).order_by(Delivery.id)
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


def test_who_is_new_chooses_a_password_proves_both_and_has_what_was_granted(
    office: Organisation,
) -> None:
    someone = an_added()
    invitation = add(someone, general_of(office))
    assert mails_to(someone.email) == ["account:added"]
    assert user_of(someone.email) is None
    result = prove(someone)
    assert result.stage == SessionStage.FULL
    user = user_of(someone.email)
    assert user is not None
    (standing,) = actor_of(user).standings
    assert (standing.organisation_id, standing.is_general) == (office.id, False)
    assert standing.services == {"exam", "renewal"}
    assert verify_password(user.password_hash, OWN_PASSWORD)
    assert user.is_proved
    assert not user.must_change_password
    db.session.refresh(invitation)
    assert invitation.accepted_at is not None
    assert invitation.user_id == user.id
    assert invitation_queries.awaited(office.id, NOW) == []


def test_a_general_user_is_added_with_everything(office: Organisation) -> None:
    someone = an_added(access=Access(True, frozenset({"exam"})))
    add(someone, general_of(office))
    prove(someone)
    user = user_of(someone.email)
    assert user is not None
    (standing,) = actor_of(user).standings
    assert (standing.is_general, standing.services) == (True, frozenset())


def test_the_given_password_opens_nothing_but_the_choice_of_an_own_one(
    office: Organisation,
) -> None:
    someone = an_added()
    add(someone, general_of(office))
    actor = enter(someone.email, someone.password)
    assert actor is not None
    with pytest.raises(password_changes.WeakPassword):
        password_changes.choose_password(actor, someone.password, NOW)
    db.session.rollback()
    password_changes.choose_password(actor, OWN_PASSWORD, NOW)
    db.session.commit()
    assert enter(someone.email, someone.password) is None


def test_what_was_left_meanwhile_is_not_granted(office: Organisation) -> None:
    someone = an_added()
    add(someone, general_of(office))
    subscription = db.session.scalars(
        sa.select(Subscription).where(
            Subscription.organisation_id == office.id, Subscription.service_code == "renewal"
        )
    ).one()
    subscription.status = "left"
    db.session.commit()
    prove(someone)
    user = user_of(someone.email)
    assert user is not None
    assert actor_of(user).standings[0].services == {"exam"}


def test_a_known_e_mail_gets_an_invitation_and_looks_the_same(office: Organisation) -> None:
    actor, known = general_of(office), factories.make_agent()
    stranger, friend = an_added(), an_added(email=known.email)
    add(stranger, actor)
    invitation = add(friend, actor)
    rows = invitation_queries.awaited(office.id, NOW)
    assert [(row.name, row.is_expired, row.can_resend) for row in rows] == [
        ("منيرة الرشيدي", False, True)
    ] * 2
    assert mails_to(known.email) == ["account:invited"]
    (notice,) = db.session.scalars(sa.select(Notice).where(Notice.user_id == known.id))
    assert notice.url == f"/my/invitations/{invitation.id}/"
    # The password that was given opens no account of theirs, nor do codes go out.
    sign_up = enter(known.email, friend.password)
    assert sign_up is not None
    assert sign_up.user_id in (None, known.id)


def test_a_known_civil_number_invites_its_owner_and_the_sign_up_never_completes(
    office: Organisation,
) -> None:
    known = factories.make_agent()
    someone = an_added(civil_id=known.civil_id)
    add(someone, general_of(office))
    assert mails_to(known.email) == ["account:invited"]
    assert mails_to(someone.email) == ["account:added"]
    result = prove(someone)
    assert result.refusal is not None
    assert user_of(someone.email) is None


def test_a_known_mobile_is_told_and_the_sign_up_never_completes(office: Organisation) -> None:
    known = factories.make_agent()
    someone = an_added(mobile=known.mobile)
    add(someone, general_of(office))
    assert mails_to(str(known.mobile)) == ["account:registration:known"]
    actor = enter(someone.email, someone.password)
    assert actor is not None
    password_changes.choose_password(actor, OWN_PASSWORD, NOW)
    db.session.commit()
    assert mails_to(str(known.mobile)) == ["account:registration:known"]  # and no code


def test_staff_are_never_invited_into_an_organisation(office: Organisation) -> None:
    reviewer = factories.make_staff()
    invitation = add(an_added(email=reviewer.email), general_of(office))
    assert invitation.user_id is None
    assert mails_to(reviewer.email) == ["account:registration:known"]


def test_accepting_gives_what_was_granted_once_and_to_nobody_else(office: Organisation) -> None:
    actor, known = general_of(office), factories.make_agent()
    invitation = add(an_added(email=known.email), actor)
    invited, other = actor_of(known), actor_of(factories.make_agent())
    for work in (invitation_responses.accept, invitation_responses.refuse):
        with pytest.raises(NotFound):
            work(invitation.id, other, NOW)
    commit(lambda: invitation_responses.accept(invitation.id, invited, NOW))
    assert actor_of(known).standings[1].services == {"exam", "renewal"}
    refusal = refusal_of(lambda: invitation_responses.accept(invitation.id, invited, NOW))
    assert str(refusal.text) == "سبق قبول هذه الدعوة."
    memberships = db.session.scalars(sa.select(Membership).where(Membership.user_id == known.id))
    assert len(memberships.all()) == 2
    assert actor.user_id is not None
    told = db.session.scalars(sa.select(Notice.event).where(Notice.user_id == actor.user_id))
    assert list(told) == ["account:member:joined"]


def test_a_refusal_stays_between_the_portal_and_who_refuses(office: Organisation) -> None:
    actor, known = general_of(office), factories.make_agent()
    invitation = add(an_added(email=known.email), actor)
    commit(lambda: invitation_responses.refuse(invitation.id, actor_of(known), NOW))
    assert len(invitation_queries.awaited(office.id, NOW)) == 1
    number = invitation.id
    commit(lambda: invitations.resend(number, actor, NOW + timedelta(minutes=2)))
    assert mails_to(known.email) == ["account:invited"]  # the first alone
    refusal_of(lambda: invitation_responses.accept(invitation.id, actor_of(known), NOW))


def test_a_withdrawn_invitation_opens_nothing(office: Organisation) -> None:
    actor, known = general_of(office), factories.make_agent()
    someone = an_added()
    new, old = add(someone, actor), add(an_added(email=known.email), actor)
    signed_in = sign_in.sign_in(someone.email, someone.password, ip="1.1.1.1", device=None, now=NOW)
    db.session.commit()
    for invitation in (new, old):
        commit(lambda each=invitation: invitations.withdraw(each.id, actor, NOW))
    assert load_actor(str(signed_in.key), NOW) is None
    assert enter(someone.email, someone.password) is None
    refusal_of(lambda: invitation_responses.accept(old.id, actor_of(known), NOW))
    assert invitation_queries.awaited(office.id, NOW) == []
    with pytest.raises(NotFound):
        invitations.withdraw(old.id, actor, NOW)


def test_one_withdrawn_between_the_codes_makes_no_user(office: Organisation) -> None:
    actor, someone = general_of(office), an_added()
    invitation = add(someone, actor)
    entered = enter(someone.email, someone.password)
    assert entered is not None
    chosen = password_changes.choose_password(entered, OWN_PASSWORD, NOW)
    db.session.commit()
    at_codes = load_actor(chosen.key, NOW)
    assert at_codes is not None
    commit(lambda: invitations.withdraw(invitation.id, actor, NOW))
    codes = queued_code(someone.email), queued_code(someone.mobile)
    result = verification.verify(at_codes, *codes, NOW)
    db.session.commit()
    assert result.refusal is not None
    assert user_of(someone.email) is None


def test_an_expired_invitation_lives_again_when_sent_again(office: Organisation) -> None:
    actor, someone, later = general_of(office), an_added(), NOW + LIFETIME + timedelta(hours=1)
    invitation = add(someone, actor)
    (row,) = invitation_queries.awaited(office.id, later)
    assert row.is_expired
    assert enter(someone.email, someone.password, later) is None
    number = invitation.id
    commit(lambda: invitations.resend(number, actor, later))
    with pytest.raises(TooManyTries):
        invitations.resend(number, actor, later + timedelta(seconds=5))
    db.session.rollback()
    assert mails_to(someone.email) == ["account:added"] * 2
    assert prove(someone, later).stage == SessionStage.FULL


def test_two_organisations_adding_the_same_person_both_get_an_answer(office: Organisation) -> None:
    other = subscribed_office()
    someone = an_added()
    first = add(someone, general_of(office))
    second = add(replace(someone, password="Qamar-7-Lulwa!"), general_of(other))
    prove(someone)
    user = user_of(someone.email)
    assert user is not None
    db.session.refresh(second)
    assert first.user_id == second.user_id == user.id
    commit(lambda: invitation_responses.accept(second.id, actor_of(user), NOW))
    assert {standing.organisation_id for standing in actor_of(user).standings} == {
        office.id,
        other.id,
    }


def test_a_member_cannot_join_again(office: Organisation) -> None:
    actor, colleague = general_of(office), factories.make_agent()
    one = add(an_added(email=colleague.email), actor)
    two = add(an_added(civil_id=colleague.civil_id), actor)
    commit(lambda: invitation_responses.accept(one.id, actor_of(colleague), NOW))
    refusal = refusal_of(lambda: invitation_responses.accept(two.id, actor_of(colleague), NOW))
    assert refusal == ALREADY_A_MEMBER


def test_what_cannot_be_granted_is_refused(office: Organisation) -> None:
    actor = general_of(office)
    for access, expected in (
        (Access(False, frozenset({"exam", "no-such"})), NOT_SUBSCRIBED),
        (Access(False), NO_SERVICE),
    ):
        someone = an_added(access=access)
        assert refusal_of(lambda one=someone: adding(one, actor)) == expected
    someone = an_added()
    add(someone, actor)
    again = replace(someone, civil_id=factories.civil_id())
    assert refusal_of(lambda: adding(again, actor)) == AWAITED_ALREADY


def test_only_a_general_user_adds_sends_again_or_withdraws(office: Organisation) -> None:
    invitation = add(an_added(), general_of(office))
    for user in (
        factories.make_agent(office, is_general=False, services=("exam",)),
        factories.make_agent(subscribed_office()),
    ):
        actor = actor_of(user)
        db.session.rollback()
        for work in (invitations.resend, invitations.withdraw):
            with pytest.raises(NotFound):
                work(invitation.id, actor, NOW)
            db.session.rollback()
    additional = actor_of(factories.make_agent(office, is_general=False, services=("exam",)))
    db.session.rollback()
    with pytest.raises(NotFound):
        adding(an_added(), additional)


def test_unfinished_sign_ups_and_expired_invitations_are_purged(office: Organisation) -> None:
    add(an_added(), general_of(office))
    retention.purge(NOW + timedelta(days=8))
    assert db.session.scalars(sa.select(Registration)).all() == []
    assert len(db.session.scalars(sa.select(Invitation)).all()) == 1
    db.session.rollback()
    retention.purge(NOW + LIFETIME + timedelta(days=8))
    assert db.session.scalars(sa.select(Invitation)).all() == []
