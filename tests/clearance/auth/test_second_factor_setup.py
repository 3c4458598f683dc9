"""Changing one's second factor: what is asked for, what it ends, whose set-up counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import recovery_codes, second_factor, second_factor_setup, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core import crypto
from clearance.core.actor import Actor
from clearance.core.errors import TooManyTries
from clearance.core.extensions import db
from clearance.models import Event, Notice, User
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.parallel import run_together

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def session_of(user: User) -> Actor:
    return factories.session_of(user, NOW)


def living(key: str) -> Actor:
    actor = sessions.load_actor(key, NOW)
    assert actor is not None
    return actor


def enrolled(actor: Actor) -> tuple[second_factor_setup.Changed, str]:
    """Set an app up for the actor; its secret comes back with what changed."""
    setup = second_factor_setup.begin(actor, NOW)
    changed = second_factor_setup.enable(
        actor, setup, pyotp.TOTP(setup.secret).at(NOW), PASSWORD, NOW
    )
    db.session.commit()
    assert changed is not None
    return changed, setup.secret


def kinds() -> list[str]:
    found = list(db.session.scalars(sa.select(Event.kind).order_by(Event.id)))
    db.session.commit()
    return found


@pytest.mark.databases
def test_setting_an_app_up_gives_spare_codes_tells_and_ends_other_sessions(visit: Flask) -> None:
    user = factories.make_staff()
    actor, other = session_of(user), session_of(user)
    changed, secret = enrolled(actor)
    assert len(changed.spares) == recovery_codes.COUNT
    db.session.refresh(user)
    assert crypto.decrypt(user.totp_secret or "") == secret
    assert second_factor.means_of(user) == "app"
    assert db.session.scalars(sa.select(Notice.event)).all() == ["account:factor:changed"]
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.kind, event.changes) == (
        "account:factor:enrolled",
        {"second_factor": ["email", "app"]},
    )
    assert sessions.load_actor(other.key, NOW) is None
    assert sessions.load_actor(actor.key, NOW) is None, "the session has a new key"
    assert living(changed.key).session_id == actor.session_id


def test_the_code_that_set_the_app_up_opens_nothing_afterwards(visit: Flask) -> None:
    actor = session_of(factories.make_staff())
    changed, secret = enrolled(actor)
    assert not second_factor.check(actor, pyotp.TOTP(secret).at(NOW), NOW)
    later = NOW + timedelta(seconds=30)
    assert second_factor.check(actor, pyotp.TOTP(secret).at(later), later)
    assert second_factor.check(actor, changed.spares[0], later)


def test_setting_up_asks_for_a_right_code_and_the_password(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    setup = second_factor_setup.begin(actor, NOW)
    right, wrong = (pyotp.TOTP(setup.secret).at(NOW + timedelta(minutes=m)) for m in (0, 5))
    assert second_factor_setup.enable(actor, setup, wrong, PASSWORD, NOW) is None
    with pytest.raises(WrongPassword):
        second_factor_setup.enable(actor, setup, right, "wrong", NOW)
    assert not second_factor.uses_totp(actor.id)
    assert kinds() == []


def test_guessing_the_password_is_limited(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    for _ in range(5):
        with pytest.raises(WrongPassword):
            second_factor_setup.disable(actor, "wrong", NOW)
    with pytest.raises(TooManyTries):
        second_factor_setup.disable(actor, PASSWORD, NOW)


def test_a_set_up_is_resumed_in_its_own_session_only_and_for_a_while(visit: Flask) -> None:
    user = factories.make_agent()
    mine, again, foreign = session_of(user), session_of(user), session_of(factories.make_agent())
    setup = second_factor_setup.begin(mine, NOW)
    end = NOW + second_factor_setup.SETUP_LIFETIME
    assert second_factor_setup.resume(mine, setup.token, end).secret == setup.secret
    refused: list[tuple[Actor, str, datetime]] = [
        (again, setup.token, NOW),
        (foreign, setup.token, NOW),
        (mine, setup.token, end + timedelta(seconds=1)),
        (mine, setup.token, NOW - timedelta(minutes=3)),
        (mine, "", NOW),
        (mine, setup.token[::-1], NOW),
        (mine, "é", NOW),
        (mine, crypto.encrypt("[]"), NOW),
        (mine, crypto.encrypt("7"), NOW),
        (mine, crypto.encrypt(setup.secret), NOW),
    ]
    for actor, token, now in refused:
        with pytest.raises(second_factor_setup.SetupExpired):
            second_factor_setup.resume(actor, token, now)
    assert setup.secret not in setup.token
    assert setup.secret not in repr(setup)


def test_a_set_up_serves_once(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    setup = second_factor_setup.begin(actor, NOW)
    code = pyotp.TOTP(setup.secret).at(NOW)
    assert second_factor_setup.enable(actor, setup, code, PASSWORD, NOW)
    db.session.commit()
    with pytest.raises(second_factor_setup.AlreadyDone):
        second_factor_setup.enable(actor, setup, code, PASSWORD, NOW)
    db.session.rollback()
    assert kinds() == ["account:factor:enrolled"]


def test_new_spare_codes_void_the_old_ones_and_leave_the_app(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    first, secret = enrolled(actor)
    actor = living(first.key)
    changed = second_factor_setup.new_spare_codes(actor, PASSWORD, "key", NOW)
    db.session.commit()
    assert not second_factor.check(actor, first.spares[0], NOW)
    assert second_factor.check(actor, changed.spares[0], NOW)
    later = NOW + timedelta(seconds=30)
    assert second_factor.check(actor, pyotp.TOTP(secret).at(later), later)
    with pytest.raises(second_factor_setup.AlreadyDone):
        second_factor_setup.new_spare_codes(actor, PASSWORD, "key", NOW)
    db.session.rollback()
    assert kinds() == ["account:factor:enrolled", "account:factor:spares"]


@pytest.mark.databases
def test_switching_off_asks_for_the_password_and_takes_the_spares_away(visit: Flask) -> None:
    user = factories.make_agent()
    changed, _secret = enrolled(session_of(user))
    actor, other = living(changed.key), session_of(user)
    with pytest.raises(WrongPassword):
        second_factor_setup.disable(actor, "wrong", NOW)
    after = second_factor_setup.disable(actor, PASSWORD, NOW)
    db.session.commit()
    db.session.refresh(user)
    assert (user.totp_secret, user.totp_last_step, user.second_factor) == (None, None, False)
    assert recovery_codes.left(user.id) == 0
    assert sessions.load_actor(other.key, NOW) is None
    assert living(after.key).session_id == actor.session_id


@pytest.mark.parametrize(
    "change",
    [
        lambda actor: second_factor_setup.disable(actor, PASSWORD, NOW),
        lambda actor: second_factor_setup.new_spare_codes(actor, PASSWORD, "", NOW),
    ],
)
def test_without_an_app_there_is_nothing_to_change(
    visit: Flask, change: Callable[[Actor], second_factor_setup.Changed]
) -> None:
    actor = session_of(factories.make_staff())
    with pytest.raises(second_factor_setup.NoApp):
        change(actor)
    db.session.rollback()
    assert kinds() == []


def test_the_address_for_the_app_names_portal_and_person(visit: Flask) -> None:
    actor = session_of(factories.make_staff())
    setup = second_factor_setup.begin(actor, NOW)
    address = second_factor_setup.uri(actor, setup)
    assert address.startswith("otpauth://totp/Clearance:")
    assert setup.secret in address


@pytest.mark.databases
def test_a_set_up_sent_four_times_at_once_counts_once(app: Flask) -> None:
    with factories.visit(app):
        actor = session_of(factories.make_agent())
        setup = second_factor_setup.begin(actor, NOW)
        db.session.remove()
    spares: list[list[str]] = []

    def attempt(number: int) -> None:
        with factories.visit(app):
            code = pyotp.TOTP(setup.secret).at(NOW)
            try:
                changed = second_factor_setup.enable(actor, setup, code, PASSWORD, NOW)
            except second_factor_setup.AlreadyDone:
                db.session.rollback()
            else:
                db.session.commit()
                spares.append(changed.spares if changed else [])

    run_together(attempt, 4)
    with factories.visit(app):
        assert kinds() == ["account:factor:enrolled"]
        assert [second_factor.check(actor, spare[0], NOW) for spare in spares] == [True]
