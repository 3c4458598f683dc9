"""Hostile hands on one's own account: strangers who name it, a lent browser, names that escape."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import contact_change, data_archive, data_exports
from clearance.auth import password_changes, second_factor, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import TooManyTries
from clearance.core.extensions import db
from clearance.models import AccessEvent, DataCopy, Document, Notice, User, UserSession
from clearance.models.enums import Channel, SessionStage
from clearance.notifications import notices
from tests.clearance.accounts.test_data_exports import actor_of, ask, fetched, made
from tests.journeys import steps
from tests.journeys.test_own_contact import ask as ask_for_contact
from tests.journeys.test_own_contact import type_code
from tests.journeys.test_own_factor import secret_on
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.gateways import queued_code
from tests.support.pages import PageClient

NEW = "new.address@example.com"
OTHER_PASSWORD = "Sidra-9-Marjan?"


def session_of(user: User, stage: SessionStage = SessionStage.FULL) -> Actor:
    return factories.session_of(user, utc_now(), stage)


def test_strangers_who_name_a_reviewers_email_as_theirs_keep_nobody_out(context: Flask) -> None:
    reviewer = factories.make_staff()
    stranger, began = actor_of(factories.make_agent()), utc_now()
    with factories.visit(context):
        for minute in range(5):
            now = began + timedelta(minutes=minute)
            with time_machine.travel(now, tick=False):
                contact_change.ask(stranger, Channel.EMAIL, reviewer.email, PASSWORD, now)
            db.session.commit()
        with time_machine.travel(now + timedelta(minutes=1)), pytest.raises(TooManyTries):
            contact_change.resend(stranger, Channel.EMAIL, now + timedelta(minutes=1))
        second_factor.start(session_of(reviewer, SessionStage.FACTOR), now)
        db.session.commit()
    assert queued_code(reviewer.email)


def test_what_was_begun_under_the_old_password_ends_with_it(context: Flask) -> None:
    user, now = factories.make_agent(), utc_now()
    with factories.visit(context):
        actor = session_of(user)
        ref = password_changes.ask_reset(user.email, "en", now)
        db.session.commit()
        reset_code = queued_code(user.email)
        contact_change.ask(actor, Channel.EMAIL, NEW, PASSWORD, now)
        db.session.commit()
        code = queued_code(NEW)
        key = password_changes.change_password(actor, PASSWORD, OTHER_PASSWORD, now)
        db.session.commit()
        here = sessions.load_actor(key, now)
        assert here is not None
        assert contact_change.pending(here, Channel.EMAIL, now) is None
        assert contact_change.confirm(here, Channel.EMAIL, code, now) is None
        assert not password_changes.confirm_reset(ref, reset_code, "Marsa-3-Lulu!", now)


def test_wrong_passwords_are_counted_over_all_pages_of_the_account(context: Flask) -> None:
    user, now = factories.make_agent(), utc_now()
    with factories.visit(context):
        actor = session_of(user)
        for _try in range(3):
            with pytest.raises(WrongPassword):
                contact_change.ask(actor, Channel.EMAIL, NEW, "Wrong-7-Password!", now)
        for _try in range(2):
            with pytest.raises(WrongPassword):
                password_changes.change_password(actor, "Wrong-7-Password!", OTHER_PASSWORD, now)
        with pytest.raises(TooManyTries):
            data_exports.ask(actor, PASSWORD, now)


def test_a_sign_up_pending_under_an_address_gets_nothing_once_it_is_anothers(app: Flask) -> None:
    newcomer = PageClient(app, language="en")
    steps.send_registration(newcomer, email=NEW)
    page = steps.sign_in(newcomer, NEW)
    with app.app_context():
        user = factories.make_agent()
    with time_machine.travel(utc_now() + timedelta(minutes=2)):  # one code a minute to an address
        codes = {
            "email_code": steps.code_to(app, NEW),
            "mobile_code": steps.code_to(app, steps.MOBILE_E164),
        }
        client = factories.browser_of(app, user)
        type_code(client, ask_for_contact(client, NEW), steps.code_to(app, NEW))
        page = newcomer.submit(page, codes, form="#verify-form")
    assert "We could not create this account." in page.text
    with app.app_context():
        assert db.session.scalars(sa.select(User.email)).all() == [NEW]


def test_whoever_comes_in_by_a_sign_up_is_not_noted_as_the_addresss_owner(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(email=NEW)
        factories.make_registration(email=NEW, password=OTHER_PASSWORD, is_void=True)
    page = steps.sign_in(PageClient(app, language="en"), NEW, OTHER_PASSWORD)
    assert page.url == "/verify"
    with app.app_context():
        noted = sa.select(AccessEvent.user_id, AccessEvent.result).where(
            AccessEvent.kind == "account:sign_in"
        )
        assert db.session.execute(noted).all() == [(user.id, "accepted_sign_up")]


def test_a_key_from_before_a_change_of_contact_opens_nothing(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent()
    client, thief = PageClient(app, language="en"), PageClient(app)
    stolen = factories.sign_in(client, user)
    type_code(client, ask_for_contact(client, NEW), steps.code_to(app, NEW))
    with thief.http.session_transaction() as cookie:
        cookie.update({"_user_id": stolen, "_fresh": True})
    assert thief.http.get("/my/account/").status_code == 302
    client.get("/my/account/")


def test_who_ends_the_session_they_are_in_is_out_at_the_next_click(app: Flask) -> None:
    with app.app_context():
        client = factories.browser_of(app, factories.make_agent())
        own = db.session.scalar(sa.select(UserSession.id))
        db.session.rollback()
    token = client.csrf_token()
    client.http.post(f"/my/account/sessions/{own}/end", data={"csrf_token": token})
    assert client.http.get("/my/account/").location.startswith("/login?")


def test_staying_signed_in_never_reaches_beyond_the_absolute_limit(app: Flask) -> None:
    with app.app_context():
        client = factories.browser_of(app, factories.make_staff())
    with time_machine.travel(utc_now(), tick=False) as clock:
        token = client.csrf_token()
        headers = {"X-CSRFToken": token, "Accept": "application/json"}
        answers = []
        for _time in range(8 * 60 // 14 + 1):  # staff: 15 minutes of rest, 8 hours in all
            clock.shift(timedelta(minutes=14))
            answers.append(client.http.post("/session/stay", headers=headers).status_code)
    assert answers == [200] * (len(answers) - 1) + [401]


def test_the_secret_of_an_app_being_set_up_stands_on_its_page_alone(app: Flask) -> None:
    with app.app_context():
        client = factories.browser_of(app, factories.make_agent())
    page = client.get("/my/account/factor")
    secret = secret_on(page)
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.url == "/my/account/factor"
    with client.http.session_transaction() as cookie:
        assert secret not in str(dict(cookie))
    assert secret not in str(page.response.headers)
    assert secret_on(client.get("/my/account/factor")) != secret


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_notice_leads_nowhere_outside_the_portal(app: Flask, target: str) -> None:
    with app.app_context():
        user = factories.make_agent()
        notice = Notice(
            user_id=user.id, event="account:verified", params={}, url=target, created_at=utc_now()
        )
        db.session.add(notice)
        db.session.commit()
        number = notice.id
    client = factories.browser_of(app, user)
    token = client.csrf_token()
    answer = client.http.post(f"/my/notices/{number}/open", data={"csrf_token": token})
    assert answer.location == "/my/notices/"
    with app.app_context(), pytest.raises(ValueError, match="outside"):
        notices.notify_user("account:verified", user_id=user.id, now=utc_now(), url=target)


def test_a_copy_of_data_is_fetched_ten_times_an_hour(context: Flask) -> None:
    actor = actor_of(factories.make_agent())
    made(context, actor)
    for _time in range(9):
        assert fetched(context, actor)
    with pytest.raises(TooManyTries):
        fetched(context, actor)


def test_no_copy_is_made_for_somebody_disabled_meanwhile(context: Flask) -> None:
    user = factories.make_agent()
    ask(context, actor_of(user))
    user.is_active = False
    db.session.commit()
    assert data_exports.make_waiting(utc_now()) == 0
    assert db.session.scalars(sa.select(DataCopy.storage_key)).all() == [None]


@pytest.mark.parametrize(
    "label",
    [
        *("../../etc/passwd", "..\\..\\boot.ini", "C:\\x.png", "/etc/passwd", "=cmd|' /C calc'!A0"),
        *("gpj.\u202egnp", "a\r\nb.png", "aux", 'a<b>"c?.png', "\u0639" * 150, ".png"),
    ],
)
def test_every_file_of_the_archive_unpacks_inside_its_folder(label: str) -> None:
    document = Document(id=7, request_id=3, label=label, media_type="image/png")
    path = PurePosixPath(data_archive.path_of(document, None))
    assert path.parts[:2] == ("documents", "draft-3")
    assert len(path.parts) == 3
    assert path.name.startswith("7-")
    assert path.name.endswith(".png")
    assert not set(path.name) & set('\\/<>:"|?*\r\n\u202e')
    assert len(path.name.encode()) < 255
