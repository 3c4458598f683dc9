"""A second factor of one's own: setting an app up, signing in with it, spare codes, removing it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import recovery_codes, second_factor, second_factor_setup
from clearance.core import crypto
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import AccessEvent, Delivery, Event, Notice, User
from tests.journeys import steps
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.pages import Page, PageClient, form_data
from tests.support.rows import count_of

PLACES = pytest.mark.parametrize(("area", "lang"), [("my", "ar"), ("office", "en")])
LANGUAGES = pytest.mark.parametrize("lang", ["ar", "en"])
TEXTS = {
    "ar": {
        "password": "كلمة المرور الحالية غير صحيحة.",
        "code": "هذا ليس الرمز الذي يعرضه التطبيق الآن. انتظر الرمز التالي ثم أدخله.",
        "expired": "انتهت صلاحية هذه الصفحة.",
        "codes": "رموزك الاحتياطية",
        "left": "بقيت 10 رموز احتياطية.",
        "no_app": "لا يوجد تطبيق مصادقة مفعّل لحسابك.",
    },
    "en": {
        "password": "This is not your current password.",
        "code": "This is not the code the app shows now. Wait for the next one and enter it.",
        "expired": "This page has expired.",
        "codes": "Your recovery codes",
        "left": "10 recovery codes left.",
        "no_app": "No authenticator app is set up for your account.",
    },
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still, so that codes of an app are known."""
    with time_machine.travel(utc_now(), tick=False) as traveller:
        yield traveller


def with_app(app: Flask, area: str) -> tuple[User, str]:
    """Somebody whose second factor is an app, and its secret."""
    secret = pyotp.random_base32()
    with app.app_context():
        sealed = crypto.encrypt(secret)
    return steps.person(app, area, second_factor=True, totp_secret=sealed), secret


def secret_on(page: Page) -> str:
    key = page.soup.select_one("#factor-key")
    assert key is not None
    return key.get_text().replace(" ", "")


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(utc_now())


def confirm(client: PageClient, page: Page, *, status: int = 200, **changes: str) -> Page:
    """Send the set-up page with the right code and password; changes replace."""
    values = {"code": code_of(secret_on(page)), "current_password": PASSWORD} | changes
    return client.submit(page, values, form="#factor-form", status=status)


def set_up(client: PageClient, area: str) -> tuple[str, list[str]]:
    """Set an app up; returns its secret and the spare codes that were shown."""
    page = client.get(f"/{area}/account/factor")
    return secret_on(page), spares_on(confirm(client, page))


def spares_on(page: Page) -> list[str]:
    return [code.get_text() for code in page.soup.select("#spare-codes code")]


def means(app: Flask, user: User) -> str:
    with app.app_context():
        return second_factor.means_of(db.session.get_one(User, user.id))


def kinds(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(sa.select(Event.kind).order_by(Event.id)))


@PLACES
def test_an_app_is_set_up_and_signs_in(
    app: Flask, clock: time_machine.Traveller, area: str, lang: str
) -> None:
    user = steps.person(app, area)
    client, other = factories.browser_of(app, user, lang), factories.browser_of(app, user, lang)
    account = client.get(f"/{area}/account/")
    link = account.soup.select_one("#second-factor a.button-primary")
    assert link is not None
    page = client.get(str(link["href"]))
    address = page.soup.select_one("a[href^='otpauth:']")
    assert address is not None
    secret = secret_on(page)
    assert parse_qs(urlsplit(str(address["href"])).query)["secret"] == [secret]
    picture = page.soup.select_one("img.qr")
    assert picture is not None and str(picture["src"]).startswith("data:image/svg+xml;base64,")
    page = confirm(client, page)
    assert page.h1 == TEXTS[lang]["codes"]
    assert page.response.headers["Cache-Control"] == "no-store"
    assert len(spares_on(page)) == recovery_codes.COUNT
    assert means(app, user) == "app"
    assert other.http.get(f"/{area}/account/").status_code == 302
    account = client.get(f"/{area}/account/")
    assert TEXTS[lang]["left"] in account.text
    assert not any(spare in account.text for spare in spares_on(page))
    with app.app_context():
        assert db.session.scalars(sa.select(Notice.event)).all() == ["account:factor:changed"]
        told = db.session.scalars(sa.select(Delivery.address)).all()
    assert user.email in told
    client.submit(page, form="form[action='/logout']")
    page = steps.sign_in(client, user.email)
    assert page.url == "/login/factor"
    page = client.submit(page, {"code": code_of(secret)}, form="#factor-form")
    assert page.error_of("code"), "the step that set the app up is used up"
    clock.shift(30)
    page = client.submit(page, {"code": code_of(secret)}, form="#factor-form")
    assert page.url == f"/{area}/"


def test_an_agent_without_the_phone_signs_in_with_spare_codes_one_by_one(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user = steps.person(app, "my")
    client = factories.browser_of(app, user)
    _secret, spares = set_up(client, "my")
    for place, spare in enumerate(spares):
        client = steps.browser(app, "en")
        page = steps.sign_in(client, user.email)
        if place:
            page = client.submit(page, {"code": spares[place - 1]}, form="#factor-form")
            assert page.error_of("code") == steps.TEXTS["en"]["code"], "used before"
        page = client.submit(page, {"code": spare.lower()}, form="#factor-form")
        assert page.url == "/my/"
        clock.shift(timedelta(minutes=10))  # the budget of tries of an hour is 20
    page = client.get("/my/account/")
    assert "0 recovery codes left." in page.text
    assert "Create new recovery codes" in page.text


@PLACES
def test_a_wrong_code_or_password_is_told_beside_its_field_and_changes_nothing(
    app: Flask, clock: time_machine.Traveller, area: str, lang: str
) -> None:
    user = steps.person(app, area)
    client = factories.browser_of(app, user, lang)
    page = client.get(f"/{area}/account/factor")
    secret = secret_on(page)
    page = confirm(client, page, current_password="Wrong-7-Password!")
    assert page.error_of("current_password") == TEXTS[lang]["password"]
    page = confirm(client, page, code=f"{(int(code_of(secret)) + 1) % 10**6:06d}")
    assert page.error_of("code") == TEXTS[lang]["code"]
    for wrong in ("", "12a"):
        page = confirm(client, page, code=wrong)
        assert page.error_of("code")
    page = confirm(client, page, current_password="")
    assert page.error_of("current_password")
    assert secret_on(page) == secret, "what was scanned goes on to count"
    assert means(app, user) == ("none" if area == "my" else "email")
    assert kinds(app) == []
    assert spares_on(confirm(client, page))


def test_the_language_switch_keeps_what_was_scanned(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user = steps.person(app, "my")
    client = factories.browser_of(app, user)
    page = client.get("/my/account/factor")
    secret = secret_on(page)
    page = client.submit(page, form="#factor-form", press="_language=ar")
    assert page.soup.html is not None and page.soup.html["lang"] == "ar"
    assert secret_on(page) == secret
    assert kinds(app) == []


@LANGUAGES
def test_a_planted_foreign_or_old_set_up_is_refused(
    app: Flask, clock: time_machine.Traveller, lang: str
) -> None:
    user = steps.person(app, "my")
    client, elsewhere = factories.browser_of(app, user, lang), factories.browser_of(app, user, lang)
    thief = factories.browser_of(app, steps.person(app, "my"), lang)
    known = pyotp.random_base32()
    with app.app_context():
        planted = crypto.encrypt(known)
    old = client.get("/my/account/factor")
    pages = [thief.get("/my/account/factor"), elsewhere.get("/my/account/factor")]
    tokens = [(form_data(page.form("#factor-form"))["setup"], secret_on(page)) for page in pages]
    for token, secret in (*tokens, (planted, known), ("", known)):
        values = {"setup": token, "code": code_of(secret)}
        page = confirm(client, old, status=409, **values)
        assert TEXTS[lang]["expired"] in page.text
        assert secret_on(page) not in {secret, secret_on(old)}
    clock.shift(second_factor_setup.SETUP_LIFETIME + timedelta(seconds=1))
    page = confirm(client, old, status=409)
    assert means(app, user) == "none"
    assert spares_on(confirm(client, page)), "the fresh one serves at once"


def test_a_set_up_sent_again_shows_no_spare_codes_again(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user = steps.person(app, "my")
    client = factories.browser_of(app, user)
    old = client.get("/my/account/factor")
    first = confirm(client, old)
    again = confirm(client, old, status=409)  # the browser's key and token are new
    assert spares_on(first)
    assert spares_on(again) == []
    token = client.csrf_token()
    again = confirm(client, old, status=409, csrf_token=token)
    assert spares_on(again) == []
    assert kinds(app) == ["account:factor:enrolled"]


def test_another_app_takes_the_place_of_the_first(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user, first = with_app(app, "my")
    client = factories.browser_of(app, user)
    second, _spares = set_up(client, "my")
    clock.shift(60)
    client = steps.browser(app, "en")
    page = steps.sign_in(client, user.email)
    page = client.submit(page, {"code": code_of(first)}, form="#factor-form")
    assert page.error_of("code")
    page = client.submit(page, {"code": code_of(second)}, form="#factor-form")
    assert page.url == "/my/"


@LANGUAGES
def test_new_spare_codes_are_made_by_the_password(
    app: Flask, clock: time_machine.Traveller, lang: str
) -> None:
    client = factories.browser_of(app, steps.person(app, "office"), lang)
    _secret, old = set_up(client, "office")
    page = client.get("/office/account/factor/spare-codes")
    page = client.submit(page, {"current_password": "Wrong-7-Password!"}, form="#spares-form")
    assert page.error_of("current_password") == TEXTS[lang]["password"]
    page = client.submit(page, {"current_password": PASSWORD}, form="#spares-form")
    new = spares_on(page)
    assert len(new) == recovery_codes.COUNT
    assert not set(new) & set(old)
    assert TEXTS[lang]["left"] in client.get("/office/account/").text
    assert kinds(app) == ["account:factor:enrolled", "account:factor:spares"]


@PLACES
def test_the_app_is_removed_by_the_password(
    app: Flask, clock: time_machine.Traveller, area: str, lang: str
) -> None:
    user, _secret = with_app(app, area)
    client, other = factories.browser_of(app, user, lang), factories.browser_of(app, user, lang)
    page = client.get(f"/{area}/account/factor/remove")
    page = client.submit(page, {"current_password": "Wrong-7-Password!"}, form="#remove-form")
    assert page.error_of("current_password") == TEXTS[lang]["password"]
    assert means(app, user) == "app"
    page = client.submit(page, {"current_password": PASSWORD}, form="#remove-form")
    assert page.url == f"/{area}/account/"
    assert means(app, user) == ("none" if area == "my" else "email")
    assert other.http.get(f"/{area}/account/").status_code == 302
    client.submit(page, form="form[action='/logout']")
    page = steps.sign_in(client, user.email)
    assert page.url == ("/my/" if area == "my" else "/login/factor")


@pytest.mark.parametrize(("step", "lang"), [("spare-codes", "ar"), ("remove", "en")])
def test_without_an_app_the_page_says_so_and_sending_is_refused(
    app: Flask, step: str, lang: str
) -> None:
    client = factories.browser_of(app, steps.person(app, "my"), lang)
    address = f"/my/account/factor/{step}"
    page = client.get(address)
    assert TEXTS[lang]["no_app"] in page.text
    assert page.soup.select("main form") == []
    page = client.post(address, {"current_password": PASSWORD}, status=409)
    assert TEXTS[lang]["no_app"] in page.text
    assert kinds(app) == []


def test_reading_the_pages_changes_nothing(app: Flask) -> None:
    user, _secret = with_app(app, "my")
    client = factories.browser_of(app, user)

    def state() -> tuple[Any, ...]:
        with app.app_context():
            row = db.session.get_one(User, user.id)
            counts = [count_of(model) for model in (Event, AccessEvent, Notice)]
            return row.totp_secret, row.totp_last_step, row.second_factor, counts

    before = state()
    for page in ("factor", "factor/spare-codes", "factor/remove"):
        client.get(f"/my/account/{page}")
        assert client.http.head(f"/my/account/{page}").status_code == 200
    assert state() == before


def test_staff_and_agents_keep_to_their_own_area(app: Flask) -> None:
    factories.browser_of(app, steps.person(app, "my")).get("/office/account/factor", status=404)
    factories.browser_of(app, steps.person(app, "office")).get("/my/account/factor", status=404)
