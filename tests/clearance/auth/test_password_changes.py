"""Passwords chosen anew: by a mailed code, by the old one, in place of somebody else's."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import sign_in
from clearance.auth import known_devices, password_changes, rate_limits, sessions
from clearance.auth.passwords import verify_password
from clearance.auth.reauthentication import WrongPassword
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import PermissionDenied, TooManyTries
from clearance.core.extensions import db
from clearance.models import Delivery, Event, Notice, PasswordReset, User
from clearance.models.enums import SessionStage
from clearance.notifications import outbox
from tests.support import factories
from tests.support.gateways import queued_code
from tests.support.parallel import ROUNDS, run_together
from tests.support.rows import count_of
from tests.support.timing import assert_same_time

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NEW = "Sidra-9-Marjan?"


def ask(email: str, now: datetime = NOW) -> str:
    with time_machine.travel(now, tick=False):
        ref = password_changes.ask_reset(email, "ar", now)
    db.session.commit()
    return ref


def mailed_link() -> str:
    """The reference in the newest mail."""
    newest = db.session.scalars(sa.select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()
    found = re.search(r"/reset/confirm\?ref=([\w-]+)", outbox.body_of(newest))
    db.session.commit()
    assert found is not None
    return found[1]


def confirm(ref: str, code: str, new: str = NEW, now: datetime = NOW) -> bool:
    with time_machine.travel(now, tick=False):
        is_done = password_changes.confirm_reset(ref, code, new, now)
    db.session.commit()
    return is_done


def code_of(user: User) -> str:
    code = queued_code(user.email)
    db.session.commit()
    return code


def session_of(user: User, stage: SessionStage = SessionStage.FULL) -> Actor:
    return factories.session_of(user, NOW, stage)


def is_alive(actor: Actor) -> bool:
    return sessions.load_actor(actor.key, NOW) is not None


def has_password(user: User, password: str) -> bool:
    db.session.refresh(user)
    stored = user.password_hash
    db.session.commit()
    return verify_password(stored, password)


def test_the_mail_carries_code_and_a_link_of_its_own(visit: Flask) -> None:
    user = factories.make_agent()
    ref = ask(user.email)
    body = outbox.body_of(db.session.scalars(sa.select(Delivery)).one())
    assert re.search(r"\b[A-Z2-9]{8}\b", body)
    assert mailed_link() != ref
    assert confirm(mailed_link(), code_of(user))


@pytest.mark.parametrize("way", ["page", "link"])
def test_a_code_used_one_way_is_void_the_other_way(visit: Flask, way: str) -> None:
    user = factories.make_agent()
    page = ask(user.email)
    link, code = mailed_link(), code_of(user)
    first, second = (page, link) if way == "page" else (link, page)
    assert confirm(first, code)
    assert not confirm(second, code, "Another-3-Sadaf!")
    assert has_password(user, NEW)


def test_who_asked_cannot_use_up_the_tries_of_the_mailed_link(visit: Flask) -> None:
    user = factories.make_agent()
    page = ask(user.email)
    for _ in range(6):
        assert not confirm(page, "WRONG999")
    assert not confirm(page, code_of(user))
    assert confirm(mailed_link(), code_of(user))


@pytest.mark.databases
def test_the_code_sets_the_password_and_ends_every_session(visit: Flask) -> None:
    user = factories.make_agent(failures_in_a_row=100)
    open_session = session_of(user)
    assert confirm(ask(user.email), code_of(user))
    assert has_password(user, NEW)
    assert not is_alive(open_session)
    assert user.failures_in_a_row == 0
    assert db.session.scalars(sa.select(Notice.event)).all() == ["account:password:changed"]
    assert db.session.scalars(sa.select(Event.kind)).all() == ["account:password:changed"]


def test_a_reset_signs_nobody_in_and_the_new_password_does(visit: Flask) -> None:
    user = factories.make_agent()
    assert confirm(ask(user.email), code_of(user))
    for password, is_in in ((factories.PASSWORD, False), (NEW, True)):
        result = sign_in.sign_in(user.email, password, ip="10.0.0.9", device=None, now=NOW)
        db.session.commit()
        assert (result.key is not None) is is_in


def test_after_a_reset_the_strangers_failures_no_longer_count(visit: Flask) -> None:
    user = factories.make_agent()
    for number in range(5):
        sign_in.sign_in(user.email, "x", ip=f"10.9.0.{number}", device=None, now=NOW)
    assert confirm(ask(user.email), code_of(user))
    result = sign_in.sign_in(user.email, NEW, ip="10.0.0.9", device=None, now=NOW)
    assert result.key is not None


def test_a_code_works_once_and_for_its_own_reference(visit: Flask) -> None:
    user, other = factories.make_agent(), factories.make_agent()
    ref, other_ref = ask(user.email), ask(other.email)
    code = code_of(user)
    assert not confirm(other_ref, code)
    assert not confirm("no-such-reference", code)
    assert not confirm(ref, "WRONG999")
    assert confirm(ref, code)
    assert not confirm(ref, code, "Another-3-Sadaf!")
    assert has_password(user, NEW)
    assert has_password(other, factories.PASSWORD)


def test_a_reset_voids_the_others_of_the_same_user(visit: Flask) -> None:
    user = factories.make_agent()
    first = ask(user.email)
    first_code = code_of(user)
    assert confirm(ask(user.email, NOW), code_of(user))
    assert not confirm(first, first_code, "Another-3-Sadaf!")


def test_after_ten_minutes_the_code_is_void(visit: Flask) -> None:
    user = factories.make_agent()
    ref = ask(user.email)
    assert not confirm(ref, code_of(user), now=NOW + timedelta(minutes=10))


def test_a_weak_password_is_refused_and_the_code_stays_usable(visit: Flask) -> None:
    user = factories.make_agent(first_name="Zubair", last_name="Alqattan")
    ref = ask(user.email)
    code = code_of(user)
    for weak in ("Zubair-Alqattan-1!", "short", "x" * 200):
        with pytest.raises(password_changes.WeakPassword):
            confirm(ref, code, weak)
        db.session.rollback()
    assert confirm(ref, code)


def test_a_weak_password_with_a_wrong_code_tells_nothing(visit: Flask) -> None:
    user = factories.make_agent(first_name="Zubair", last_name="Alqattan")
    assert confirm(ask(user.email), "WRONG999", "Zubair-Alqattan-1!") is False


@pytest.mark.databases
def test_an_unknown_address_gets_a_reference_and_no_message(visit: Flask) -> None:
    known = factories.make_agent()
    gone = factories.make_agent(is_active=False)
    refs = [ask(known.email), ask("nobody@example.com"), ask(gone.email)]
    assert len({len(ref) for ref in refs}) == 1
    assert db.session.scalars(sa.select(Delivery.address)).all() == [known.email]
    assert count_of(PasswordReset) == 6
    db.session.commit()
    assert not confirm(refs[1], "ABCDEFGH")


def mails() -> int:
    count = count_of(Delivery)
    db.session.commit()
    return count or 0


def test_three_mails_an_hour_and_five_a_day_go_out_however_often_is_asked(visit: Flask) -> None:
    user = factories.make_agent()
    for minute in range(6):
        ask(user.email, NOW + timedelta(minutes=minute))
        ask("nobody@example.com", NOW + timedelta(minutes=minute))
    assert mails() == 3
    for hour in range(1, 4):
        ask(user.email, NOW + timedelta(hours=hour))
    assert mails() == 5


@pytest.mark.databases
def test_past_the_mails_the_last_link_lives_anew_whenever_it_is_asked(visit: Flask) -> None:
    user = factories.make_agent()
    for minute in range(3):
        page = ask(user.email, NOW + timedelta(minutes=minute))
        for _ in range(5):
            assert not confirm(page, "WRONG999", now=NOW + timedelta(minutes=minute))
    link, code = mailed_link(), code_of(user)
    late = NOW + timedelta(minutes=40)
    assert not confirm(link, code, now=late)
    empty = ask(user.email, late)
    assert mails() == 3
    assert not confirm(empty, code, now=late)
    assert confirm(link, code, now=late + timedelta(minutes=9))
    assert ask(user.email, late + timedelta(minutes=10))
    assert not confirm(link, code, "Another-3-Sadaf!", now=late + timedelta(minutes=10))


def test_a_known_browser_gets_mails_that_strangers_cannot_use_up(visit: Flask) -> None:
    user = factories.make_agent()
    email, token = user.email, known_devices.token_for(None)
    known_devices.remember(user.id, token, NOW)
    db.session.commit()
    for _ in range(20):  # also the budget of the address that all of them have
        ask(email)
    with pytest.raises(TooManyTries):
        ask(email)
    db.session.rollback()
    sent = mails()
    cookie = {"Cookie": f"{known_devices.COOKIE}={token}"}
    own = {"REMOTE_ADDR": "10.0.0.1"}
    with visit.test_request_context(method="POST", environ_base=own, headers=cookie):
        ask(email)
    assert mails() == sent + 1


@pytest.fixture
def by_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the limit of three mails an hour alone, and the address that asks each round."""
    monkeypatch.setitem(rate_limits.POLICIES, "reset_ip", "")
    monkeypatch.setitem(rate_limits.POLICIES, "reset_account", "3 per 1 hour")


@pytest.mark.databases
@pytest.mark.usefixtures("by_the_hour")
def test_twenty_resets_asked_at_once_send_three_mails(app: Flask) -> None:
    assert mails_of_resets_at_once(app, 20) == 3


@pytest.mark.heavy
@pytest.mark.databases
@pytest.mark.usefixtures("by_the_hour")
def test_twenty_resets_asked_at_once_send_three_mails_every_time(app: Flask) -> None:
    assert [mails_of_resets_at_once(app, 20) for _ in range(ROUNDS)] == [3] * ROUNDS


def mails_of_resets_at_once(app: Flask, times: int) -> int:
    """How many mails go out when so many ask for one address, while the budget's hour ends."""
    with factories.visit(app):
        email = factories.make_agent().email
        for _ in range(3):
            ask(email)
        before = mails()
        db.session.remove()

    def attempt(number: int) -> None:
        with factories.visit(app, ip=f"10.8.0.{number}"):
            password_changes.ask_reset(email, "ar", utc_now())
            db.session.commit()
            db.session.remove()

    with time_machine.travel(NOW + timedelta(hours=1, milliseconds=-20), tick=True):
        run_together(attempt, times)
    with app.app_context():
        return mails() - before


def test_a_reset_proves_the_email_of_an_added_user(visit: Flask) -> None:
    user = factories.make_agent(
        must_change_password=True, email_proved_at=None, mobile_proved_at=None
    )
    assert confirm(ask(user.email), code_of(user))
    db.session.refresh(user)
    assert (user.email_proved_at, user.mobile_proved_at) == (NOW, None)
    assert not user.must_change_password


@pytest.mark.databases
def test_a_reset_sent_ten_times_at_once_counts_once(app: Flask) -> None:
    with factories.visit(app):
        user = factories.make_agent()
        ref = ask(user.email)
        code = code_of(user)
        db.session.remove()
    done: list[int] = []

    def attempt(number: int) -> None:
        with factories.visit(app):
            if password_changes.confirm_reset(ref, code, f"{NEW}-{number}", NOW):
                done.append(number)
            db.session.commit()
            db.session.remove()

    run_together(attempt, 5)
    assert len(done) == 1


# Changing it oneself.


@pytest.mark.databases
def test_a_change_asks_for_the_old_one_and_ends_the_other_sessions(visit: Flask) -> None:
    user = factories.make_agent()
    here, there = session_of(user), session_of(user)
    with pytest.raises(WrongPassword):
        password_changes.change_password(here, "wrong", NEW, NOW)
    assert has_password(user, factories.PASSWORD)
    key = password_changes.change_password(here, factories.PASSWORD, NEW, NOW)
    db.session.commit()
    assert has_password(user, NEW)
    assert not is_alive(there)
    assert not is_alive(here)
    assert sessions.load_actor(key, NOW) is not None
    assert db.session.scalars(sa.select(Notice.event)).all() == ["account:password:changed"]


def test_the_present_password_and_a_weak_one_are_refused(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    for refused in (factories.PASSWORD, "Kuwait@2026"):
        with pytest.raises(password_changes.WeakPassword):
            password_changes.change_password(actor, factories.PASSWORD, refused, NOW)


def test_guessing_the_old_password_is_limited(visit: Flask) -> None:
    actor = session_of(factories.make_agent())
    for _ in range(5):
        with pytest.raises(WrongPassword):
            password_changes.change_password(actor, "wrong", NEW, NOW)
    with pytest.raises(TooManyTries):
        password_changes.change_password(actor, factories.PASSWORD, NEW, NOW)


def test_nobody_chooses_a_first_password_when_none_is_due(visit: Flask) -> None:
    with pytest.raises(PermissionDenied):
        password_changes.choose_password(session_of(factories.make_agent()), NEW, NOW)


def test_a_first_own_password_counts_even_when_no_code_may_go_out(
    make_app: Callable[..., Flask],
) -> None:
    with factories.visit(make_app(limits={"code_sent_ip": "1 per 1 hour"})):
        user = factories.make_agent(
            must_change_password=True, email_proved_at=None, mobile_proved_at=None
        )
        chosen = password_changes.choose_password(session_of(user, SessionStage.PASSWORD), NEW, NOW)
        db.session.commit()
        assert chosen.stage == SessionStage.VERIFY
        assert has_password(user, NEW)
        db.session.remove()
        db.engine.dispose()


@pytest.mark.heavy
def test_known_and_unknown_resets_take_the_same_time_over_100(visit: Flask) -> None:
    user = factories.make_agent()

    def try_as(email: str, number: int) -> None:
        with factories.visit(visit, ip=f"10.4.{number}.1"):
            ask(email, NOW + timedelta(days=2 * number))

    assert_same_time(partial(try_as, user.email), partial(try_as, "nobody@example.com"))
