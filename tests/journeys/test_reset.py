"""Setting a forgotten password again, alike for known and unknown addresses."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import rate_limits
from clearance.auth.passwords import verify_password
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Delivery, Notice, PasswordReset, User, UserSession
from clearance.notifications import outbox
from tests.journeys import steps
from tests.support import factories
from tests.support.costs import count_hashes
from tests.support.pages import Page, PageClient, without_chance
from tests.support.rows import count_of

NEW = "Safina-4-Qamar!"


@pytest.fixture
def email(app: Flask) -> str:
    """The e-mail of a proved agent."""
    with app.app_context():
        return factories.make_agent().email


def ask(client: PageClient, email: str, *, status: int = 200) -> Page:
    page = client.get("/reset")
    values = {"email": email, "captcha": steps.image_text(client.app, page)}
    return client.submit(page, values, form="#reset-form", status=status)


def confirm(client: PageClient, page: Page, code: str, **changes: Any) -> Page:
    return send(client, page, code=code, **changes)


def send(client: PageClient, page: Page, **changes: Any) -> Page:
    values = {
        "captcha": steps.image_text(client.app, page),
        "new_password": NEW,
        "new_password_confirm": NEW,
    }
    return client.submit(page, values | changes, form="#reset-confirm-form")


def has_password(app: Flask, email: str, password: str) -> bool:
    with app.app_context():
        stored = db.session.scalar(sa.select(User.password_hash).where(User.email == email))
    return verify_password(str(stored), password)


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_forgotten_password_is_set_again_by_the_mailed_code(
    app: Flask, email: str, lang: str
) -> None:
    client = steps.browser(app, lang)
    page = ask(client, email)
    page = client.get(page.link(steps.TEXTS[lang]["ok"]))
    assert page.url.startswith("/reset/confirm?ref=")
    assert page.h1 == steps.TEXTS[lang]["reset"]
    page = confirm(client, page, steps.code_to(app, email))
    assert page.url == "/login"
    assert page.soup.select_one(".alert-success")
    assert has_password(app, email, NEW)
    with app.app_context():
        assert db.session.scalar(sa.select(Notice.event)) == "account:password:changed"
    page = steps.sign_in(client, email, NEW, url="/login?next=/guide")
    assert page.url == "/guide"


def test_a_reset_ends_every_session_and_signs_nobody_in(app: Flask, email: str) -> None:
    other = steps.browser(app)
    steps.sign_in(other, email, url="/login?next=/guide")
    client = steps.browser(app)
    page = client.get(ask(client, email).link(steps.TEXTS["ar"]["ok"]))
    confirm(client, page, steps.code_to(app, email))
    assert other.get("/verify").url.startswith("/login")
    assert client.get("/verify").url.startswith("/login")
    with app.app_context():
        assert db.session.scalar(sa.select(UserSession.ended_at)) is not None


def test_the_mail_carries_the_link_and_the_code(app: Flask, email: str) -> None:
    client = steps.browser(app)
    asked = ask(client, email)
    with app.app_context():
        refs = db.session.scalars(sa.select(PasswordReset.ref)).all()
        delivery = db.session.scalars(sa.select(Delivery)).one()
        body = outbox.body_of(delivery)
        (ref,) = [each for each in refs if f"/reset/confirm?ref={each}" in body]
        assert ref not in asked.url
        assert ref not in delivery.body


@pytest.mark.databases
def test_known_and_unknown_addresses_are_answered_alike(app: Flask, email: str) -> None:
    answers, pages = [], []
    for address in (email, "nobody@example.com"):
        client = PageClient(app, language="ar")
        page = client.get("/reset")
        data = {
            "email": address,
            "captcha": steps.image_text(app, page),
            "captcha_ref": page.soup.find(attrs={"name": "captcha_ref"})["value"],
            "csrf_token": page.soup.find(attrs={"name": "csrf_token"})["value"],
        }
        response = client.http.post("/reset", data=data)
        ref = response.location.partition("ref=")[2]
        status, headers, body = without_chance(response)
        headers = [(name, value.replace(ref, "")) for name, value in headers]
        answers.append((status, headers, body.decode().replace(ref, "")))
        confirmation = client.get(f"/reset/sent?ref={ref}").text
        answer = confirm(client, client.get(f"/reset/confirm?ref={ref}"), "ABCDEFGH")
        pages.append((confirmation, answer.error_of("code"), answer.status))
    assert answers[0] == answers[1]
    assert pages[0] == pages[1]
    with app.app_context():
        addresses = db.session.scalars(sa.select(Delivery.address)).all()
        assert addresses == [email]


def test_a_wrong_code_costs_one_hash_for_known_and_unknown(
    app: Flask, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for address in (email, "nobody@example.com"):
        client = steps.browser(app)
        page = client.get(ask(client, address).link(steps.TEXTS["ar"]["ok"]))
        with monkeypatch.context() as patch:
            counter = count_hashes(patch)
            confirm(client, page, "ABCDEFGH")
            counts.append(counter["hashes"])
    assert counts == [1, 1]


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_wrong_expired_reused_and_foreign_codes_are_refused(
    app: Flask, email: str, lang: str
) -> None:
    with app.app_context():
        other = factories.make_agent().email
    client = steps.browser(app, lang)
    wrong = steps.TEXTS[lang]["code"]
    with time_machine.travel(utc_now(), tick=False) as clock:
        ask(client, other)
        page = client.get(ask(client, email).link(steps.TEXTS[lang]["ok"]))
        page = confirm(client, page, "ABCDEFGH")
        assert page.error_of("code") == wrong
        page = confirm(client, page, steps.code_to(app, other))
        assert page.error_of("code") == wrong
        code = steps.code_to(app, email)
        assert confirm(client, page, code).url == "/login"
        page = client.get(page.url)
        assert confirm(client, page, code).error_of("code") == wrong
        clock.shift(61)
        page = client.get(ask(client, email).link(steps.TEXTS[lang]["ok"]))
        clock.shift(601)
        page = client.get(page.url)
        assert confirm(client, page, steps.code_to(app, email)).error_of("code") == wrong
    assert has_password(app, email, NEW)


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", ""),
        ("code", "12"),
        ("captcha", "wrong"),
        ("captcha", ""),
        ("new_password", ""),
        ("new_password", "weak"),
        ("new_password", "Kuwait@2026"),
        ("new_password_confirm", "Safina-5-Qamar!"),
    ],
)
def test_a_wrong_value_is_answered_beside_its_field(
    app: Flask, email: str, lang: str, name: str, value: str
) -> None:
    client = steps.browser(app, lang)
    page = client.get(ask(client, email).link(steps.TEXTS[lang]["ok"]))
    page = send(client, page, **{"code": steps.code_to(app, email), name: value})
    error = page.error_of(name)
    assert error
    assert any("\u0600" <= letter <= "\u06ff" for letter in error) == (lang == "ar")
    for secret in ("code", "captcha", "new_password", "new_password_confirm"):
        assert not page.soup.find(attrs={"name": secret}).get("value")
    assert has_password(app, email, steps.PASSWORD)


def test_a_password_of_ones_own_name_is_refused_and_the_code_stays_usable(app: Flask) -> None:
    with app.app_context():
        email = factories.make_agent(first_name="Mubarak", last_name="Rashidi").email
    client = steps.browser(app, "en")
    page = client.get(ask(client, email).link("OK"))
    code = steps.code_to(app, email)
    own = "Mubarak-Rashidi-1"
    page = confirm(client, page, code, new_password=own, new_password_confirm=own)
    assert "easy to guess" in page.error_of("new_password")
    assert confirm(client, page, code).url == "/login"


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_asking_keeps_the_address_when_the_image_text_is_wrong(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    page = client.get("/reset")
    page = client.submit(page, {"email": "a@example.com", "captcha": "wrong"}, form="#reset-form")
    assert page.error_of("captcha") == steps.TEXTS[lang]["image"]
    assert page.soup.find(attrs={"name": "email"})["value"] == "a@example.com"
    with app.app_context():
        assert count_of(PasswordReset) == 0


def test_asking_too_often_gets_the_same_page_and_no_further_mail(app: Flask, email: str) -> None:
    told = []
    for address in (email, "nobody@example.com"):
        client = steps.browser(app, "en")
        pages = [ask(client, address).text for _ in range(5)]
        assert len(set(pages)) == 1
        told.append(pages[0])
    assert told[0] == told[1]
    with app.app_context():
        assert db.session.scalars(sa.select(Delivery.address)).all() == [email] * 3


def test_one_address_asks_twenty_times_an_hour(
    app: Flask, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "reset_ip", "2 per 1 hour")
    client = steps.browser(app, "en")
    for _ in range(2):
        ask(client, email)
    page = ask(client, email, status=429)
    assert int(page.response.headers["Retry-After"]) > 0


def test_a_reference_nobody_was_given_is_answered_like_any_other(app: Flask) -> None:
    client = steps.browser(app, "en")
    for ref in ("", "?ref=nonsense", "?ref=" + "a" * 500):
        page = client.get(f"/reset/confirm{ref}")
        page = confirm(client, page, "ABCDEFGH")
        assert page.error_of("code") == steps.TEXTS["en"]["code"]
