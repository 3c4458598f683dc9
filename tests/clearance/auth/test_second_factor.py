"""The second factor at sign-in: an app's codes, codes by e-mail; each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.ctx import RequestContext

from clearance.accounts import sign_in
from clearance.auth import known_devices, password_changes, rate_limits, second_factor, sessions
from clearance.core import crypto
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied, TooManyTries
from clearance.core.extensions import db
from clearance.models import AccessEvent, Delivery, KnownDevice, User
from clearance.models.enums import SessionStage
from tests.support import factories
from tests.support.gateways import queued_code
from tests.support.parallel import run_together
from tests.support.rows import count_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def session_of(user: User, stage: SessionStage = SessionStage.FACTOR) -> Actor:
    return factories.session_of(user, NOW, stage)


def staff_with_app() -> User:
    return factories.make_staff(totp_secret=crypto.encrypt(SECRET))


def code_at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def check(actor: Actor, code: str, now: datetime = NOW) -> bool:
    with time_machine.travel(now, tick=False):
        is_right = second_factor.check(actor, code, now)
    db.session.commit()
    return is_right


def start(actor: Actor, now: datetime = NOW) -> None:
    with time_machine.travel(now, tick=False):
        second_factor.start(actor, now)
    db.session.commit()


def sent() -> int:
    count = count_of(Delivery)
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


def known_browser(app: Flask, actor: Actor, ip: str = "10.0.0.1") -> RequestContext:
    """A POST of a browser that has signed in as the user before."""
    token = known_devices.token_for(None)
    known_devices.remember(actor.id, token, NOW)
    db.session.commit()
    return app.test_request_context(
        method="POST",
        environ_base={"REMOTE_ADDR": ip},
        headers={"Cookie": f"{known_devices.COOKIE}={token}"},
    )


def exhaust(app: Flask, actor: Actor) -> None:
    """Somebody who has the password tries twenty codes."""
    with factories.visit(app, ip="10.9.9.9"):
        for _ in range(20):
            assert not check(actor, "wrong")
        with pytest.raises(TooManyTries):
            check(actor, "wrong")


@pytest.mark.databases
def test_who_has_the_password_keeps_the_owner_out_neither_here_nor_elsewhere(app: Flask) -> None:
    with factories.visit(app):
        actor = session_of(staff_with_app())
        exhaust(app, actor)
        with known_browser(app, actor, ip="10.9.9.9"):
            assert check(actor, code_at(NOW))
        with pytest.raises(TooManyTries) as refused:
            check(actor, code_at(NOW + STEP))
        assert refused.value.retry_after == 30
        assert check(actor, code_at(NOW + STEP), NOW + STEP)


@pytest.mark.databases
def test_codes_that_others_have_sent_only_delay_the_owners(app: Flask) -> None:
    with factories.visit(app):
        actor = session_of(factories.make_staff())
        with factories.visit(app, ip="10.9.9.9"):
            for minute in range(5):
                start(actor, NOW + timedelta(minutes=minute))
        late = NOW + timedelta(minutes=6)
        with pytest.raises(TooManyTries) as refused:
            start(actor, late)
        assert refused.value.retry_after == 30
        with known_browser(app, actor):
            start(actor, late)
        assert sent() == 6


def test_after_a_hundred_wrong_codes_in_a_row_only_a_new_password_helps(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "factor_row", "3 per 10 year")
    with factories.visit(app):
        user = staff_with_app()
        actor = session_of(user)
        for _ in range(3):
            assert not check(actor, "wrong")
        with pytest.raises(second_factor.OnlyReset):
            check(actor, code_at(NOW))
        with known_browser(app, actor):
            assert check(actor, code_at(NOW))
        ref = password_changes.ask_reset(user.email, "en", NOW)
        db.session.commit()
        code = queued_code(user.email)
        db.session.rollback()
        assert password_changes.confirm_reset(ref, code, "Sidra-9-Marjan?", NOW)
        db.session.commit()
        assert check(session_of(user), code_at(NOW + STEP), NOW + STEP)


def test_a_known_browser_that_fails_too_often_in_a_row_is_a_stranger(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "factor_row", "3 per 10 year")
    with factories.visit(app):
        actor = session_of(staff_with_app())
        with known_browser(app, actor):
            for _ in range(3):
                assert not check(actor, "wrong")
            with pytest.raises(second_factor.OnlyReset):
                check(actor, code_at(NOW))
            assert check(actor, code_at(NOW))
        assert not db.session.scalars(sa.select(KnownDevice)).all()


def test_a_try_that_had_to_wait_is_not_one_of_the_hundred(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "factor_row", "25 per 10 year")
    with factories.visit(app):
        actor = session_of(staff_with_app())
        exhaust(app, actor)
        with factories.visit(app, ip="10.9.9.9"):
            for _ in range(10):
                with pytest.raises(TooManyTries):
                    check(actor, "wrong")
            assert check(actor, code_at(NOW + STEP), NOW + STEP)


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
    assert sign_in.pass_factor(actor, "no code", device=None, now=NOW).key is None
    result = sign_in.pass_factor(actor, code_at(NOW), device=None, now=NOW)
    db.session.commit()
    assert known_devices.is_known(actor.id, result.device)
    assert sessions.load_actor(actor.key, NOW) is None
    passed = sessions.load_actor(result.key or "", NOW)
    assert passed is not None
    assert passed.is_full


def test_the_second_factor_is_of_no_use_at_another_step(visit: Flask) -> None:
    user = factories.make_staff(totp_secret=crypto.encrypt(SECRET), must_change_password=True)
    with pytest.raises(PermissionDenied):
        sign_in.pass_factor(
            session_of(user, SessionStage.PASSWORD), code_at(NOW), device=None, now=NOW
        )


def test_what_somebody_proves_themselves_by_follows_from_app_and_role(context: Flask) -> None:
    app_user = factories.make_agent(totp_secret=crypto.encrypt(SECRET), second_factor=True)
    assert second_factor.means_of(app_user) == "app"
    assert second_factor.means_of(factories.make_staff()) == "email"
    assert second_factor.means_of(factories.make_agent()) == "none"
