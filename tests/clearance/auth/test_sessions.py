"""Sessions as rows: they rest, expire and end on the server, at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask, session
from flask_login import current_user

from clearance.auth import sessions
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Membership, User, UserSession
from clearance.models.enums import Role, SessionStage
from tests.support import factories

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def open_for(user: User, now: datetime = NOW) -> Actor:
    return factories.session_of(user, now)


def is_alive(actor: Actor, now: datetime = NOW) -> bool:
    return sessions.load_actor(actor.key, now) is not None


@pytest.mark.databases
def test_the_database_keeps_only_the_hash_of_the_key(visit: Flask) -> None:
    actor = open_for(factories.make_agent())
    row = db.session.scalars(sa.select(UserSession)).one()
    assert len(actor.key) >= 22
    assert row.key_hash == sessions.key_hash(actor.key) != actor.key
    assert sessions.load_actor(row.key_hash, NOW) is None


@pytest.mark.parametrize(
    ("role", "idle", "absolute"), [(Role.AGENT, 30, 12), (Role.REVIEWER, 15, 8)]
)
def test_sessions_rest_and_last_as_long_as_the_role_allows(
    visit: Flask, role: Role, idle: int, absolute: int
) -> None:
    user = factories.make_user(role=role)
    actor = open_for(user)
    assert not is_alive(actor, NOW + timedelta(minutes=idle))
    moment = NOW
    while moment + timedelta(minutes=10) < NOW + timedelta(hours=absolute):
        moment += timedelta(minutes=10)
        assert is_alive(actor, moment)
    assert not is_alive(actor, NOW + timedelta(hours=absolute))


@pytest.mark.databases
def test_what_changes_about_a_user_acts_on_the_next_request(visit: Flask) -> None:
    user = factories.make_agent()
    actor = open_for(user)
    assert actor.standings[0].is_general
    db.session.execute(sa.update(Membership).values(is_general=False))
    db.session.commit()
    later = sessions.load_actor(actor.key, NOW)
    assert later is not None
    assert not later.standings[0].is_general
    db.session.execute(sa.update(Membership).values(is_active=False))
    db.session.commit()
    later = sessions.load_actor(actor.key, NOW)
    assert later is not None
    assert later.standings == ()
    user.is_active = False
    db.session.commit()
    assert not is_alive(actor)


@pytest.mark.databases
def test_renewing_gives_a_new_key_and_keeps_the_end(visit: Flask) -> None:
    user = factories.make_agent()
    actor = open_for(user)
    later = NOW + timedelta(minutes=5)
    key = sessions.renew(actor, SessionStage.FULL, later)
    db.session.commit()
    assert not is_alive(actor, later)
    assert sessions.load_actor(key, later) is not None
    assert db.session.scalars(sa.select(UserSession.expires_at)).one() == NOW + timedelta(hours=12)


@pytest.mark.databases
def test_a_user_ends_their_own_session_and_nobody_elses(visit: Flask) -> None:
    user, other = factories.make_agent(), factories.make_agent()
    mine, theirs = open_for(user), open_for(other)
    assert mine.session_id is not None
    assert theirs.session_id is not None
    assert not sessions.end_one(NOW, user_id=user.id, session_id=theirs.session_id)
    assert sessions.end_one(NOW, user_id=user.id, session_id=mine.session_id)
    assert not sessions.end_one(NOW, user_id=user.id, session_id=mine.session_id)
    db.session.commit()
    assert not is_alive(mine)
    assert is_alive(theirs)


def test_all_sessions_but_one_end_together(visit: Flask) -> None:
    user = factories.make_agent()
    here, there, elsewhere = open_for(user), open_for(user), open_for(factories.make_agent())
    assert sessions.end_sessions(NOW, user_id=user.id, but=here.session_id) == 1
    db.session.commit()
    assert [is_alive(each) for each in (here, there, elsewhere)] == [True, False, True]


def test_the_living_sessions_are_listed_last_seen_first(visit: Flask) -> None:
    user = factories.make_agent()
    rested = open_for(user, NOW - timedelta(hours=1))
    first, last = open_for(user, NOW - timedelta(minutes=9)), open_for(user)
    ended = open_for(user)
    assert ended.session_id is not None
    sessions.end_session(NOW, session_id=ended.session_id)
    listed = [each.id for each in sessions.active_sessions(user.id, NOW)]
    assert listed == [last.session_id, first.session_id]
    assert rested.session_id not in listed


def test_only_ones_own_organisation_can_be_chosen(visit: Flask) -> None:
    user = factories.make_agent()
    second, foreign = factories.make_organisation(), factories.make_organisation()
    factories.make_membership(user, second, is_general=False)
    actor = open_for(user)
    assert not sessions.choose_organisation(actor, foreign.id)
    assert sessions.choose_organisation(actor, second.id)
    db.session.commit()
    later = sessions.load_actor(actor.key, NOW)
    assert later is not None
    assert later.standing is not None
    assert later.standing.organisation_id == second.id


def test_entering_forgets_what_the_cookie_held_before(visit: Flask) -> None:
    session["csrf_token"] = "planted"
    key = sessions.open_session(factories.make_agent(), SessionStage.FULL, utc_now())
    db.session.commit()
    sessions.enter(key)
    assert session["csrf_token"] != "planted"
    assert current_user.key == key
    sessions.leave()
    assert not current_user.is_authenticated
    assert key not in str(dict(session))


def test_the_actor_of_a_registration_has_no_user(visit: Flask) -> None:
    registration = factories.make_registration()
    key = sessions.open_session(registration, SessionStage.VERIFY, NOW)
    db.session.commit()
    actor = sessions.load_actor(key, NOW)
    assert actor is not None
    assert (actor.registration_id, actor.user_id) == (registration.id, None)
    assert not actor.is_full
    with pytest.raises(ValueError, match="no user yet"):
        assert actor.id
