"""Staff: accepting an invitation, and the second step of signing in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import staff_invitations
from clearance.core import crypto
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import AccessEvent, User
from clearance.models.enums import Role
from tests.journeys import steps
from tests.support import factories
from tests.support.rows import count_of

NEW = "Safina-4-Qamar!"


@pytest.fixture
def reviewer(app: Flask) -> str:
    """The e-mail of a reviewer whose second factor comes by e-mail."""
    with app.app_context():
        return factories.make_staff().email


def invite(app: Flask, email: str = "huda@example.com") -> str:
    with app.test_request_context(method="POST"):
        _, link = staff_invitations.invite_staff(email, Role.REVIEWER, utc_now())
        db.session.commit()
    return "/invitation/" + link.rpartition("/")[2]


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_reviewer_signs_in_with_the_code_of_the_mail(
    app: Flask, reviewer: str, lang: str
) -> None:
    client = steps.browser(app, lang)
    page = steps.sign_in(client, reviewer, url="/login?next=/guide")
    assert page.url == "/login/factor"
    with client.http.session_transaction() as cookie:
        old = cookie["_user_id"]
    page = client.submit(page, {"code": steps.code_to(app, reviewer)}, form="#factor-form")
    assert page.url == "/guide"
    with client.http.session_transaction() as cookie:
        assert cookie["_user_id"] != old


def test_the_office_follows_when_nowhere_else_was_asked_for(app: Flask, reviewer: str) -> None:
    client = steps.browser(app)
    page = steps.sign_in(client, reviewer, url="/login?next=/my/requests/")
    data = {
        "code": steps.code_to(app, reviewer),
        "csrf_token": page.soup.find(attrs={"name": "csrf_token"})["value"],
    }
    assert client.http.post("/login/factor", data=data).location == "/office/"


@pytest.mark.parametrize("path", ["/office/", "/my/", "/verify", "/password"])
def test_before_the_second_step_only_that_step_opens(app: Flask, reviewer: str, path: str) -> None:
    client = steps.browser(app)
    steps.sign_in(client, reviewer)
    assert client.get(path).url == "/login/factor"


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_wrong_code_is_answered_beside_the_field(app: Flask, reviewer: str, lang: str) -> None:
    client = steps.browser(app, lang)
    page = steps.sign_in(client, reviewer)
    right = steps.code_to(app, reviewer)
    wrong = "111111" if right != "111111" else "222222"
    page = client.submit(page, {"code": wrong}, form="#factor-form")
    assert page.error_of("code") == steps.TEXTS[lang]["code"]
    page = client.submit(page, {"code": ""}, form="#factor-form")
    assert page.error_of("code") == steps.TEXTS[lang]["needed"]
    page = client.submit(page, {"code": "12a"}, form="#factor-form")
    assert "6" in page.error_of("code")


def test_an_expired_code_is_refused_and_a_new_one_serves(app: Flask, reviewer: str) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        page = steps.sign_in(client, reviewer, url="/login?next=/guide")
        old = steps.code_to(app, reviewer)
        clock.shift(601)
        page = client.submit(page, {"code": old}, form="#factor-form")
        assert page.error_of("code") == steps.TEXTS["ar"]["code"]
        page = client.submit(page, {}, form="#factor-resend")
        code = steps.code_to(app, reviewer)
        assert code != old
        assert client.submit(page, {"code": code}, form="#factor-form").url == "/guide"


def test_the_code_of_another_reviewer_does_not_serve(app: Flask, reviewer: str) -> None:
    with app.app_context():
        other = factories.make_staff().email
    steps.sign_in(steps.browser(app), other)
    client = steps.browser(app)
    page = steps.sign_in(client, reviewer)
    page = client.submit(page, {"code": steps.code_to(app, other)}, form="#factor-form")
    assert page.error_of("code")


def test_an_app_that_shows_codes_takes_the_place_of_the_mail(app: Flask) -> None:
    secret = pyotp.random_base32()
    with app.app_context():
        email = factories.make_staff(totp_secret=crypto.encrypt(secret), second_factor=True).email
    now = utc_now()
    with time_machine.travel(now, tick=False) as clock:
        client = steps.browser(app, "en")
        page = steps.sign_in(client, email, url="/login?next=/guide")
        assert "authenticator app" in page.text
        assert page.soup.select("#factor-resend") == []
        code = pyotp.TOTP(secret).at(now)
        assert client.submit(page, {"code": code}, form="#factor-form").url == "/guide"
        # A step of the app counts once.
        again = steps.browser(app, "en")
        page = steps.sign_in(again, email)
        page = again.submit(page, {"code": code}, form="#factor-form")
        assert page.error_of("code") == steps.TEXTS["en"]["code"]
        clock.shift(timedelta(seconds=60))
        code = pyotp.TOTP(secret).at(utc_now())
        data = {"code": code, "csrf_token": again.csrf_token()}
        assert again.http.post("/login/factor", data=data).location == "/office/"


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_an_invitation_makes_the_account_with_its_role(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    page = client.get(invite(app))
    assert "huda@example.com" in page.text
    values = {
        "first_name": "هدى",
        "last_name": "العنزي",
        "latin_name": "Huda Alenezi",
        "password": NEW,
        "password_confirm": NEW,
        "accept_terms": "y",
    }
    answer = client.submit(page, values, form="#invitation-form")
    assert answer.url == "/login"
    with app.app_context():
        user = db.session.scalars(sa.select(User)).one()
        assert (user.email, user.role, user.language) == ("huda@example.com", "reviewer", lang)
        assert user.is_proved
        assert user.latin_name == "Huda Alenezi"
    client.submit(page, values, form="#invitation-form", status=404)
    assert steps.sign_in(client, "huda@example.com", NEW).url == "/login/factor"


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", ""),
        ("last_name", ""),
        ("latin_name", ""),
        ("latin_name", "هدى العنزي"),
        ("mobile", "12"),
        ("password", "weak"),
        ("password_confirm", "other"),
        ("accept_terms", None),
    ],
)
def test_an_invitation_answers_a_wrong_value_beside_its_field(
    app: Flask, lang: str, name: str, value: str | None
) -> None:
    client = steps.browser(app, lang)
    page = client.get(invite(app))
    values = {
        "first_name": "هدى",
        "last_name": "العنزي",
        "latin_name": "Huda Alenezi",
        "password": NEW,
        "password_confirm": NEW,
        "accept_terms": "y",
    }
    page = client.submit(page, values | {name: value}, form="#invitation-form")
    error = page.error_of(name)
    assert error
    assert any("\u0600" <= letter <= "\u06ff" for letter in error) == (lang == "ar")
    with app.app_context():
        assert count_of(User) == 0


def test_an_unknown_or_old_invitation_is_not_found(app: Flask) -> None:
    client = steps.browser(app)
    client.get("/invitation/nonsense", status=404)
    with time_machine.travel(utc_now(), tick=False) as clock:
        path = invite(app)
        clock.shift(timedelta(days=8))
        client.get(path, status=404)


def test_the_token_of_an_invitation_stands_in_no_log(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(token: str, now: datetime) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(staff_invitations, "find_invitation", broken)
    with app.app_context():
        agent = factories.make_agent()
    client = factories.browser_of(app, agent, "ar")
    client.get("/invitation/canary-token", status=500)
    assert "fault" in caplog.text
    assert "canary-token" not in caplog.text
    monkeypatch.undo()
    client.get("/invitation/canary-token", status=404)
    with app.app_context():
        kept = db.session.scalars(sa.select(AccessEvent.object_id)).all()
    assert "/invitation/<token>" in kept
    assert not any("canary-token" in line for line in kept)
