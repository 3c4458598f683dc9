"""Signing in and out, coming back to where one was going, and what strangers learn from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import known_devices, rate_limits
from clearance.core import urls
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import UserSession
from tests.journeys import steps
from tests.support import factories
from tests.support.costs import count_hashes
from tests.support.pages import PageClient, without_chance


@pytest.fixture
def agent(app: Flask) -> str:
    """The e-mail of a proved agent."""
    with app.app_context():
        return factories.make_agent().email


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_an_agent_signs_in_and_goes_on_to_where_he_was_going(
    app: Flask, agent: str, lang: str
) -> None:
    client = steps.browser(app, lang)
    page = client.get("/login?next=/guide%3Fa%3D1")
    page = client.submit(
        page, {"email": agent.upper(), "password": steps.PASSWORD}, form="#sign-in-form"
    )
    assert page.url == "/guide?a=1"
    with app.app_context():
        session = db.session.scalars(sa.select(UserSession)).one()
        assert (session.stage, session.ended_at) == ("full", None)


def test_the_portal_follows_when_nowhere_else_was_asked_for(app: Flask, agent: str) -> None:
    assert _location(app, agent, "/login") == "/my/"


def test_the_cookie_holds_a_new_key_after_signing_in(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    client.get("/login")
    with client.http.session_transaction() as cookie:
        cookie["planted"] = "Someone else chose"
        token = cookie["csrf_token"]
    steps.sign_in(client, agent, url="/login?next=/guide")
    with client.http.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie.get("csrf_token") != token
        assert len(cookie["_user_id"]) >= 32


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil",
        "javascript:alert(1)",
        "/guide\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "guide",
        "",
        "/" + "a" * 2000,
        "javascript:x",
        "/a\nb",
    ],
)
def test_signing_in_never_leads_to_another_host(app: Flask, agent: str, target: str) -> None:
    assert urls.safe_local_path(target) == ""
    client = steps.browser(app)
    page = client.get("/login?" + _query(target))
    data = {
        "email": agent,
        "password": steps.PASSWORD,
        "csrf_token": page.soup.find(attrs={"name": "csrf_token"})["value"],
    }
    response = client.http.post("/login?" + _query(target), data=data)
    assert response.location == "/my/"


@pytest.mark.parametrize("target", ["/", "/guide", "/my/requests/?flt=1&page=2", "/guide#users"])
def test_paths_of_this_portal_are_kept(app: Flask, target: str) -> None:
    assert urls.safe_local_path(target) == target


def test_staff_are_not_led_into_the_agents_area(app: Flask, agent: str) -> None:
    assert _location(app, agent, "/login?next=/office/requests/") == "/my/"


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("who", ["wrong", "unknown", "disabled"])
def test_every_refusal_reads_the_same(app: Flask, agent: str, lang: str, who: str) -> None:
    with app.app_context():
        disabled = factories.make_agent(is_active=False).email
    email = {"wrong": agent, "unknown": "nobody@example.com", "disabled": disabled}[who]
    password = "Wrong-7-Bahr!" if who == "wrong" else steps.PASSWORD
    page = steps.sign_in(steps.browser(app, lang), email, password)
    assert page.error_of("password") == steps.TEXTS[lang]["refused"]
    assert page.soup.find(attrs={"name": "email"})["value"] == email
    assert not page.soup.find(attrs={"name": "password"}).get("value")


def test_known_and_unknown_addresses_are_answered_alike(app: Flask, agent: str) -> None:
    answers = []
    for email in (agent, "nobody@example.com"):
        client = PageClient(app, language="ar")
        page = client.get("/login")
        token = page.soup.find(attrs={"name": "csrf_token"})["value"]
        data = {"email": email, "password": "Wrong-7-Bahr!", "csrf_token": token}
        response = client.http.post("/login", data=data)
        status, headers, body = without_chance(response)
        without_address = body.decode().replace(email, "")
        headers = [header for header in headers if header[0] != "content-length"]
        answers.append((status, headers, _without_token(without_address)))
    assert answers[0] == answers[1]


def test_an_unknown_address_costs_as_many_hashes(
    app: Flask, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for email in (agent, "nobody@example.com"):
        with monkeypatch.context() as patch:
            counter = count_hashes(patch)
            steps.sign_in(steps.browser(app), email, "Wrong-7-Bahr!")
            counts.append(counter["hashes"])
    assert counts == [2, 2]


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("email", ""), ("email", "nobody"), ("password", ""), ("password", "x" * 129)],
)
def test_wrong_shapes_are_answered_beside_their_field(
    app: Flask, lang: str, name: str, value: str
) -> None:
    client = steps.browser(app, lang)
    values = {"email": "a@example.com", "password": steps.PASSWORD} | {name: value}
    page = client.submit(client.get("/login"), values, form="#sign-in-form")
    error = page.error_of(name)
    assert error
    assert any("\u0600" <= letter <= "\u06ff" for letter in error) == (lang == "ar")


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_too_many_failures_get_429_and_a_page(app: Flask, agent: str, lang: str) -> None:
    client = steps.browser(app, lang)
    for _ in range(5):
        steps.sign_in(client, agent, "Wrong-7-Bahr!")
    page = client.submit(
        client.get("/login"),
        {"email": agent, "password": steps.PASSWORD},
        form="#sign-in-form",
        status=429,
    )
    assert int(page.response.headers["Retry-After"]) > 0
    assert page.soup.html["lang"] == lang


def test_failures_from_one_network_of_ipv6_count_together(
    app: Flask, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "sign_in_ip", "2 per 5 minute")
    for number in range(3):
        client = steps.browser(app, ip=f"2001:db8:0:1::{number}")
        values = {"email": f"somebody{number}@example.com", "password": "Wrong-7-Bahr!"}
        status = 200 if number < 2 else 429
        client.submit(client.get("/login"), values, form="#sign-in-form", status=status)
    elsewhere = steps.browser(app, ip="2001:db8:0:2::1")
    assert steps.sign_in(elsewhere, agent, url="/login?next=/guide").url == "/guide"


def test_the_owner_gets_in_from_a_new_browser_soon_after_strangers_failed(
    app: Flask, agent: str
) -> None:
    stranger, owner = steps.browser(app, ip="203.0.113.9"), steps.browser(app)
    values = {"email": agent, "password": steps.PASSWORD}
    with time_machine.travel(utc_now(), tick=False) as clock:
        for _ in range(5):
            steps.sign_in(stranger, agent, "Wrong-7-Bahr!")
        page = owner.submit(owner.get("/login"), values, form="#sign-in-form", status=429)
        wait = int(page.response.headers["Retry-After"])
        assert 0 < wait <= 30
        clock.shift(wait)
        assert steps.sign_in(owner, agent, url="/login?next=/guide").url == "/guide"


def test_a_browser_that_signed_in_before_has_a_budget_of_its_own(app: Flask, agent: str) -> None:
    known = steps.browser(app)
    steps.sign_in(known, agent, url="/login?next=/guide")
    assert known.http.get_cookie(known_devices.COOKIE) is not None
    known.post("/logout", {})
    stranger = steps.browser(app, ip="203.0.113.9")
    for _ in range(5):
        steps.sign_in(stranger, agent, "Wrong-7-Bahr!")
    assert steps.sign_in(known, agent, url="/login?next=/guide").url == "/guide"


@pytest.mark.databases
def test_signing_out_ends_the_session_on_the_server(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    steps.sign_in(client, agent, url="/login?next=/guide")
    with client.http.session_transaction() as cookie:
        key = cookie["_user_id"]
    data = {"csrf_token": client.csrf_token()}
    response = client.http.post("/logout", data=data)
    assert response.headers["Clear-Site-Data"] == '"storage"'
    with client.http.session_transaction() as cookie:
        assert "_user_id" not in cookie
        cookie["_user_id"] = key  # replayed
    assert client.get("/verify").url == "/login?next=/verify"
    with app.app_context():
        assert db.session.scalar(sa.select(UserSession.ended_at)) is not None


def test_signing_out_is_a_post_with_a_token(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    steps.sign_in(client, agent, url="/login?next=/guide")
    assert client.http.get("/logout").status_code == 405
    assert client.http.post("/logout").status_code == 400


def test_a_session_that_rested_too_long_leads_to_signing_in_and_back(
    app: Flask, agent: str
) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        steps.sign_in(client, agent, url="/login?next=/guide")
        clock.shift(timedelta(minutes=31))
        response = client.http.get("/my/?page=2")
    assert response.status_code == 302
    assert response.location == "/login?next=/my/?page%3D2"


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(app: Flask) -> None:
    client = steps.browser(app)
    data = {"csrf_token": client.csrf_token()}
    referrer = "http://localhost/my/requests/7/form?a=1"
    response = client.http.post("/session/stay", headers={"Referer": referrer}, data=data)
    assert response.location == "/login?next=/my/requests/7/form?a%3D1"
    foreign = {"Referer": "http://evil.example/my/"}
    assert client.http.post("/session/stay", headers=foreign, data=data).location == "/login?next="


def test_an_anonymous_fetch_gets_401_as_json(app: Flask) -> None:
    client = steps.browser(app, "en")
    response = client.http.post(
        "/session/stay",
        data={"csrf_token": client.csrf_token()},
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 401
    assert response.get_json()["error"] == "Your session has ended. Please sign in again."


def test_staying_signed_in_keeps_the_session_awake(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        steps.sign_in(client, agent, url="/login?next=/guide")
        for _ in range(3):
            clock.shift(timedelta(minutes=20))
            data = {"csrf_token": client.csrf_token()}
            assert client.http.post("/session/stay", data=data).get_json() == {"ok": True}


def test_signed_in_pages_warn_before_the_session_ends(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    page = steps.sign_in(client, agent, url="/login?next=/guide")
    assert page.soup.body["data-idle-seconds"] == "1800"
    assert page.soup.body["data-stay-url"] == "/session/stay"
    assert not steps.browser(app).get("/guide").soup.body.has_attr("data-idle-seconds")


def test_somebody_signed_in_is_led_on_from_the_sign_in_page(app: Flask, agent: str) -> None:
    client = steps.browser(app)
    steps.sign_in(client, agent, url="/login?next=/guide")
    assert client.get("/login?next=/support").url == "/support"
    for path in ("/verify", "/password", "/login/factor"):
        assert client.http.get(path).location == "/my/"


def test_a_reset_only_account_sees_the_same_refusal(app: Flask) -> None:
    with app.app_context():
        email = factories.make_agent(failures_in_a_row=100).email
    page = steps.sign_in(steps.browser(app, "en"), email)
    assert page.error_of("password") == steps.TEXTS["en"]["refused"]


def _query(target: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"next": target})


def _location(app: Flask, email: str, url: str) -> Any:
    client = steps.browser(app)
    page = client.get(url)
    data = {
        "email": email,
        "password": steps.PASSWORD,
        "csrf_token": page.soup.find(attrs={"name": "csrf_token"})["value"],
    }
    return client.http.post(url, data=data).location


def _without_token(body: str) -> str:
    import re

    body = re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]+"', "", body)
    return re.sub(r'class="reference">[^<]*<', "", body)
