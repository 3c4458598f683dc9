"""The language by one click: it keeps the page and, on a form, what was typed."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Registration, User
from tests.journeys import steps
from tests.support import factories
from tests.support.pages import PageClient
from tests.support.rows import count_of


def test_arabic_comes_first_and_english_is_one_click_away(app: Flask) -> None:
    client = PageClient(app)
    page = client.get("/guide?a=1")
    assert (page.soup.html["lang"], page.soup.html["dir"]) == ("ar", "rtl")
    page = client.submit(page, {}, form='header form[action="/language"]', press="lang=en")
    assert page.url == "/guide?a=1"
    assert (page.soup.html["lang"], page.soup.html["dir"]) == ("en", "ltr")
    assert client.get("/support").soup.html["lang"] == "en"


def test_the_cookie_stays_a_year_and_goes_to_this_site_only(app: Flask) -> None:
    client = PageClient(app)
    data = {"csrf_token": client.csrf_token(), "lang": "en", "next": "/guide"}
    response = client.http.post("/language", data=data)
    cookie = next(c for c in response.headers.getlist("Set-Cookie") if c.startswith("lang=en"))
    assert "Max-Age=31536000" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil", ""])
def test_the_switch_never_leads_to_another_host(app: Flask, target: str) -> None:
    client = PageClient(app)
    data = {"csrf_token": client.csrf_token(), "lang": "en", "next": target}
    assert client.http.post("/language", data=data).location == "/"


def test_an_unknown_language_changes_nothing(app: Flask) -> None:
    client = PageClient(app)
    page = client.post("/language", {"lang": "fr", "next": "/guide"})
    assert page.soup.html["lang"] == "ar"
    assert client.http.get_cookie("lang") is None


@pytest.mark.databases
def test_somebody_signed_in_keeps_the_language_for_messages_too(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(language="ar")
    client = factories.browser_of(app, user, language=None)
    client.post("/language", {"lang": "en", "next": "/guide"})
    with app.app_context():
        assert db.session.get_one(User, user.id).language == "en"


def test_the_users_own_language_shows_where_no_cookie_is(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(language="en")
    client = factories.browser_of(app, user, language=None)
    assert client.get("/guide").soup.html["lang"] == "en"


@pytest.mark.databases
def test_a_form_switched_to_the_other_language_keeps_what_was_typed(app: Flask) -> None:
    client = steps.browser(app, "ar")
    page = client.get("/register")
    values = steps.registration_values(email="not an address", captcha="abc", civil_id="12")
    page = client.submit(page, values, form="#register-form", press="_language=en")
    assert page.soup.html["lang"] == "en"
    assert page.h1 == "Register a new account"
    for name in ("first_name", "last_name", "mobile", "email", "civil_id"):
        assert page.soup.find(attrs={"name": name})["value"] == values[name]
    assert page.soup.select_one('[name="gender"] option[selected]')["value"] == "female"
    assert page.soup.find(attrs={"name": "accept_terms"}).has_attr("checked")
    for secret in ("password", "password_confirm", "captcha"):
        assert not page.soup.find(attrs={"name": secret}).get("value")
    assert page.soup.select(".error-summary, .field-error") == []
    with app.app_context():
        assert count_of(Registration) == 0
    assert client.get("/guide").soup.html["lang"] == "en"


@pytest.mark.parametrize(
    ("path", "form", "field", "value"),
    [
        ("/login", "#sign-in-form", "email", "a@example.com"),
        ("/reset", "#reset-form", "email", "a@example.com"),
        ("/reset/confirm?ref=abc", "#reset-confirm-form", "code", ""),
    ],
)
def test_every_public_form_can_be_switched(
    app: Flask, path: str, form: str, field: str, value: str
) -> None:
    client = steps.browser(app, "en")
    page = client.get(path)
    page = client.submit(page, {field: value or "ABC"}, form=form, press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert (page.soup.find(attrs={"name": field}).get("value") or "") == value
    assert page.soup.select(".error-summary") == []
    header = page.soup.select_one('header button[name="_language"]')
    assert header["form"] == form.removeprefix("#")


def test_choosing_a_language_signed_out_lets_sign_in_keep_it(app: Flask) -> None:
    client = steps.browser(app, "en")
    with app.app_context():
        email = factories.make_agent(language="ar").email
    page = steps.sign_in(client, email, url="/login?next=/guide")
    assert page.soup.html["lang"] == "en"


def test_the_users_language_stays_after_signing_out(app: Flask) -> None:
    client = PageClient(app)
    with app.app_context():
        email = factories.make_agent(language="en").email
    page = steps.sign_in(client, email)
    page = client.post("/logout", {})
    assert page.soup.html["lang"] == "en"
    assert "You are signed out." in page.text
    assert client.get("/guide").soup.html["lang"] == "en"


def test_a_session_that_ends_within_a_form_says_so_in_the_users_language(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(language="en")
    client = factories.browser_of(app, user, language=None)
    page = client.get("/my/account/")
    with app.app_context():
        sessions.end_sessions(utc_now(), user_id=user.id)
        db.session.commit()
    page = client.submit(page, {"latin_name": "Salem"}, form="#name-form", status=401)
    assert page.soup.html["lang"] == "en"
    assert "You were signed out before you sent it." in page.text


def test_the_next_user_of_the_browser_reads_their_own_language(app: Flask) -> None:
    client = PageClient(app)
    with app.app_context():
        first, second = (factories.make_agent(language=lang).email for lang in ("en", "ar"))
    steps.sign_in(client, first)
    client.post("/logout", {})
    assert steps.sign_in(client, second).soup.html["lang"] == "ar"
    assert client.post("/logout", {}).soup.html["lang"] == "ar"


def test_a_choice_in_the_browser_comes_before_its_last_users_language(app: Flask) -> None:
    client = steps.browser(app, "ar")
    with app.app_context():
        email = factories.make_agent(language="en").email
    steps.sign_in(client, email)
    assert client.post("/logout", {}).soup.html["lang"] == "ar"


@pytest.mark.parametrize("value", ["fr", "", "EN", "<en>"])
def test_an_unknown_language_of_the_last_user_is_ignored(app: Flask, value: str) -> None:
    client = PageClient(app)
    client.http.set_cookie("account_lang", value)
    assert client.get("/login").soup.html["lang"] == "ar"


def test_the_users_language_is_kept_as_carefully_as_a_choice(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(language="en")
    client = factories.browser_of(app, user, language=None)

    def kept() -> list[str]:
        headers = client.http.get("/my/account/").headers.getlist("Set-Cookie")
        return [each for each in headers if each.startswith("account_lang=")]

    (cookie,) = kept()
    assert cookie.startswith("account_lang=en;")
    assert all(flag in cookie for flag in ("Max-Age=31536000", "HttpOnly", "SameSite=Lax"))
    assert kept() == []
