"""The second factor: an app's codes, codes by e-mail, spare codes; each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import accounts, second_factor, secrets_box, sessions
from clearance.actor import Actor
from clearance.errors import DomainError, PermissionDenied, TooManyTries
from clearance.extensions import db
from clearance.models import AccessEvent, Delivery, Event, Notice, RecoveryCode, User
from clearance.vocabulary import SessionStage
from tests import factories
from tests.gateways import queued_code
from tests.parallel import run_together

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def visit(app: Flask) -> Iterator[Flask]:
    """The application during a POST of a visitor."""
    with factories.visit(app):
        yield app
        db.session.rollback()


def session_of(user: User, stage: SessionStage = SessionStage.FACTOR) -> Actor:
    key = sessions.open_session(user, stage, NOW)
    db.session.commit()
    actor = sessions.load_actor(key, NOW)
    assert actor is not None
    return actor


def staff_with_app() -> User:
    return factories.make_staff(totp_secret=secrets_box.seal(SECRET))


def code_at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def check(actor: Actor, code: str, now: datetime = NOW) -> bool:
    is_right = second_factor.check(actor, code, now)
    db.session.commit()
    return is_right


def start(actor: Actor, now: datetime = NOW) -> None:
    second_factor.start(actor, now)
    db.session.commit()


def sent() -> int:
    count = db.session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    db.session.commit()
    return count or 0


@pytest.mark.databases
def test_an_apps_code_passes_once(visit: Flask) -> None:
    actor = session_of(staff_with_app())
    assert check(actor, code_at(NOW))
    assert not check(actor, code_at(NOW))


@pytest.mark.parametrize(("steps", "passes"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(visit: Flask, steps: int, passes: bool) -> None:
    actor = session_of(staff_with_app())
    assert check(actor, code_at(NOW + steps * STEP)) is passes


def test_a_step_before_the_last_one_used_is_refused(visit: Flask) -> None:
    actor = session_of(staff_with_app())
    assert check(actor, code_at(NOW))
    assert not check(actor, code_at(NOW - STEP))
    assert check(actor, code_at(NOW + STEP))


def test_guessing_an_apps_code_is_limited(visit: Flask) -> None:
    actor = session_of(staff_with_app())
    wrong = f"{(int(code_at(NOW)) + 500_000) % 10**6:06d}"
    for _ in range(20):
        assert not check(actor, wrong)
    with pytest.raises(TooManyTries):
        check(actor, code_at(NOW))
    results = set(
        db.session.scalars(sa.select(AccessEvent.result).where(AccessEvent.kind == "factor:try"))
    )
    assert results == {"wrong"}


@pytest.mark.databases
def test_an_apps_code_sent_ten_times_at_once_passes_once(app: Flask) -> None:
    with factories.visit(app):
        actor = session_of(staff_with_app())
        db.session.remove()
    passed: list[int] = []

    def attempt(number: int) -> None:
        with factories.visit(app):
            if second_factor.check(actor, code_at(NOW), NOW):
                passed.append(number)
            db.session.remove()

    run_together(attempt, 10)
    assert len(passed) == 1


@pytest.mark.databases
def test_without_an_app_a_code_comes_by_email(visit: Flask) -> None:
    user = factories.make_staff()
    actor = session_of(user)
    assert not second_factor.uses_totp(user.id)
    start(actor)
    code = queued_code(user.email)
    db.session.commit()
    assert not check(actor, "000000" if code != "000000" else "111111")
    assert check(actor, code)
    assert not check(actor, code)


def test_beginning_again_within_a_minute_sends_nothing_more(visit: Flask) -> None:
    actor = session_of(factories.make_staff())
    start(actor)
    start(actor, NOW + timedelta(seconds=59))
    assert sent() == 1
    start(actor, NOW + timedelta(seconds=60))
    assert sent() == 2


def test_with_an_app_no_code_is_sent(visit: Flask) -> None:
    user = staff_with_app()
    start(session_of(user))
    assert second_factor.uses_totp(user.id)
    assert sent() == 0


@pytest.mark.databases
def test_passing_opens_the_portal_under_a_new_key(visit: Flask) -> None:
    actor = session_of(staff_with_app())
    assert accounts.pass_factor(actor, "no code", NOW) is None
    key = accounts.pass_factor(actor, code_at(NOW), NOW)
    db.session.commit()
    assert sessions.load_actor(actor.key, NOW) is None
    passed = sessions.load_actor(key or "", NOW)
    assert passed is not None
    assert passed.is_full


def test_the_second_factor_is_of_no_use_at_another_step(visit: Flask) -> None:
    user = factories.make_staff(totp_secret=secrets_box.seal(SECRET), must_change_password=True)
    with pytest.raises(PermissionDenied):
        accounts.pass_factor(session_of(user, SessionStage.PASSWORD), code_at(NOW), NOW)


@pytest.mark.databases
def test_setting_an_app_up_gives_spare_codes_and_tells(visit: Flask) -> None:
    user = factories.make_staff()
    actor = session_of(user, SessionStage.FULL)
    spares = second_factor.enrol(actor, SECRET, code_at(NOW), factories.PASSWORD, NOW)
    db.session.commit()
    assert spares is not None
    assert len(set(spares)) == second_factor.SPARE_CODES
    db.session.refresh(user)
    assert user.totp_secret is not None
    assert SECRET not in user.totp_secret
    hashes = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not set(hashes) & set(spares)
    assert db.session.scalars(sa.select(Notice.event)).all() == ["account:factor:changed"]
    assert db.session.scalars(sa.select(Event.kind)).all() == ["account:factor:enrolled"]
    db.session.commit()
    assert not check(actor, code_at(NOW)), "the code that set it up is used up"
    assert check(actor, spares[0].lower())
    assert not check(actor, spares[0])
    assert check(actor, spares[1])


def test_a_spare_code_of_another_user_fails(visit: Flask) -> None:
    actor = session_of(factories.make_staff(), SessionStage.FULL)
    spares = second_factor.enrol(actor, SECRET, code_at(NOW), factories.PASSWORD, NOW)
    db.session.commit()
    assert spares is not None
    assert not check(session_of(staff_with_app()), spares[0])


def test_setting_up_asks_for_a_right_code_and_the_password(visit: Flask) -> None:
    actor = session_of(factories.make_agent(), SessionStage.FULL)
    wrong = code_at(NOW + 10 * STEP)
    assert second_factor.enrol(actor, SECRET, wrong, factories.PASSWORD, NOW) is None
    with pytest.raises(DomainError):
        second_factor.enrol(actor, SECRET, code_at(NOW), "wrong", NOW)
    assert not second_factor.uses_totp(actor.id)


@pytest.mark.databases
def test_switching_off_asks_for_the_password_and_takes_the_spares_away(visit: Flask) -> None:
    user = factories.make_agent()
    actor = session_of(user, SessionStage.FULL)
    second_factor.enrol(actor, SECRET, code_at(NOW), factories.PASSWORD, NOW)
    db.session.commit()
    with pytest.raises(DomainError):
        second_factor.switch_off(actor, "wrong", NOW)
    second_factor.switch_off(actor, factories.PASSWORD, NOW)
    db.session.commit()
    db.session.refresh(user)
    assert (user.totp_secret, user.second_factor) == (None, False)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode)) == 0


def test_the_address_for_the_app_names_portal_and_person(visit: Flask) -> None:
    actor = session_of(factories.make_staff())
    secret = second_factor.new_secret()
    uri = second_factor.enrolment_uri(actor, secret)
    assert uri.startswith("otpauth://totp/Clearance:")
    assert secret in uri
