"""What every response carries, whatever it is: page, file, JSON, refusal, fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, abort
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from clearance.core.errors import ServiceUnavailable
from clearance.core.extensions import db
from clearance.core.settings import Mode
from clearance.models import AccessEvent
from clearance.models.enums import Role
from clearance.web import security_headers
from tests.support import factories, request_factories
from tests.support.addresses import filled
from tests.support.pages import PageClient

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FORM = "application/x-www-form-urlencoded"
# A token of a form has dots too, but never ends two letters after one.
INSIDE = re.compile(
    r"Traceback|sqlite|sqlalchemy|psycopg|SELECT |\.py(?![\w-])|werkzeug|waitress", re.I
)


def owes(response: TestResponse) -> list[str]:
    """What the response lacks of what rules 38 and 39 want everywhere."""
    headers = response.headers
    policy = headers.get("Content-Security-Policy", "")
    lacking = [name for name, value in HEADERS.items() if headers.get(name) != value]
    if policy != security_headers.CONTENT_POLICY and "sandbox; default-src 'none'" not in policy:
        lacking.append("Content-Security-Policy")
    if "Access-Control-Allow-Origin" in headers or "Server" in headers:
        lacking.append("silence")
    if not re.fullmatch(r"[0-9A-F]{10}", headers.get("X-Request-ID", "")):
        lacking.append("X-Request-ID")
    if headers.get("Cache-Control") != "no-store":
        lacking.append("Cache-Control")
    return lacking


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """(method, address) of every rule; rows are numbered 1, names are x."""
    for rule in app.url_map.iter_rules():
        address = filled(rule.rule, "1", "x")
        for method in sorted(rule.methods or ()):
            yield method, address


def browser_of(app: Flask, role: str) -> PageClient:
    client = PageClient(app)
    with app.app_context():
        request_factories.load_services()
        if role == Role.AGENT:
            agent = factories.make_agent()
            request_factories.make_sent(agent)
            factories.sign_in(client, agent)
        elif role != "visitor":
            factories.sign_in(client, factories.make_staff(role))
    return client


@pytest.mark.parametrize("role", ["visitor", Role.AGENT, Role.REVIEWER, Role.ADMINISTRATOR])
def test_every_address_answers_every_method_with_the_headers(app: Flask, role: str) -> None:
    client = browser_of(app, role)
    lacking = {}
    for method, address in addresses(app):
        response = client.http.open(address, method=method)
        if owed := owes(response):
            lacking[method, address] = owed
        response.close()
    assert lacking == {}


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/login", 405),
        ("TRACE", "/", 405),
        ("POST", "/login", 400),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/static/nothing.css?v=1", 404),
        ("GET", "/static/../app.ini?v=1", 404),
    ],
)
def test_refusals_carry_the_headers_and_tell_nothing_of_the_inside(
    client: PageClient, method: str, address: str, status: int
) -> None:
    response = client.http.open(address, method=method)
    assert response.status_code == status
    assert owes(response) == []
    assert not INSIDE.search(response.get_data(as_text=True))


def test_a_refused_token_is_answered_with_the_number_that_the_header_has(
    client: PageClient,
) -> None:
    response = client.http.post("/login", data={"email": "a@example.com"})
    number = response.headers["X-Request-ID"]
    assert response.status_code == 400
    assert len(number) == 10
    assert number in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "address", "more", "status"),
    [
        ("GET", "/login", {"query_string": {"next": "\0"}}, 400),
        ("POST", "/login", {"data": {"email": "a@example.com"}}, 400),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/invitation/somebodys-secret-token", {}, 404),
        ("GET", "/somewhere/somebodys-secret-token/", {}, 404),
        ("PUT", "/login", {}, 405),
        ("POST", "/login", {"data": b"x" * 3_000_000, "content_type": FORM}, 413),
        ("POST", "/login", {"data": "[1]", "content_type": "application/json"}, 415),
    ],
)
def test_the_number_on_a_refusal_is_found_in_the_log_without_secrets(
    client: PageClient,
    caplog: pytest.LogCaptureFixture,
    method: str,
    address: str,
    more: Any,
    status: int,
) -> None:
    caplog.set_level("INFO")
    response = client.http.open(address, method=method, **more)
    number = response.headers["X-Request-ID"]
    lines = [record.getMessage() for record in caplog.records if number in record.getMessage()]
    assert response.status_code == status
    assert number in response.get_data(as_text=True)
    assert len(lines) == 1 and f"'status': {status}" in lines[0]
    assert "secret" not in lines[0]


def access_events(app: Flask) -> list[tuple[str, int | None, str]]:
    columns = (AccessEvent.kind, AccessEvent.user_id, AccessEvent.object_id)
    with app.app_context():
        return [tuple(row) for row in db.session.execute(sa.select(*columns))]


@pytest.mark.databases
def test_what_visitors_are_refused_for_their_form_is_noted_up_to_a_bound(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(limits={"refusal_noted_ip": "3 per 1 hour"})
    browser = app.test_client()
    for _ in range(5):
        assert browser.post("/login", data={"email": "a@example.com"}).status_code == 400
    assert access_events(app) == [("access:refused:csrf", None, "/login")] * 3


@pytest.mark.databases
def test_a_visitors_reached_limit_is_noted_and_other_refusals_are_not(
    make_app: Callable[..., Flask],
) -> None:
    browser = make_app(limits={"check_ip": "1 per 1 hour"}).test_client()
    for address in ("/nowhere", "/check/x", "/check/x", "/login?next=%00"):
        browser.get(address)
    assert access_events(browser.application) == [
        ("access:refused:throttled", None, "/check/<code>")
    ]


FOREIGN = ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1", ""]


@pytest.mark.parametrize("forwarded", ["", "127.0.0.1"])
def test_demo_mode_answers_this_machine_only(
    make_app: Callable[..., Flask], forwarded: str
) -> None:
    browser = make_app(mode=Mode.DEMO, trusted_proxies=("0.0.0.0/0", "::/0")).test_client()
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    for address in ("/", "/login", "/static/css/clearance.css", "/healthz", "/x"):
        for peer in FOREIGN:
            response = browser.get(
                address, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
            )
            assert response.status_code == 403, (address, peer)
            assert owes(response) == []
            assert "النسخة التجريبية" in response.get_data(as_text=True)


def test_demo_mode_answers_a_browser_of_this_machine(make_app: Callable[..., Flask]) -> None:
    browser = make_app(mode=Mode.DEMO).test_client()
    for peer in ("127.0.0.1", "127.8.0.1", "::1"):
        assert browser.get("/login", environ_overrides={"REMOTE_ADDR": peer}).status_code == 200


def test_every_503_says_when_to_come_again(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    def unavailable() -> None:
        raise ServiceUnavailable("not now")

    def stop() -> None:
        abort(503)

    for view in (away, unavailable, stop, lambda: ("not now", 503)):
        monkeypatch.setitem(app.view_functions, "public.terms", view)
        response = app.test_client().get("/terms")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


def test_a_fault_shows_its_number_and_nothing_else(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()

    def fail() -> None:
        raise ValueError("SELECT secret FROM /srv/portal/inside.py")

    monkeypatch.setitem(app.view_functions, "public.terms", fail)
    response = app.test_client().get("/terms")
    text = response.get_data(as_text=True)
    assert response.status_code == 500
    assert owes(response) == []
    assert response.headers["X-Request-ID"] in text
    assert not INSIDE.search(text)


def test_files_of_our_own_are_kept_by_browsers_only_under_their_version(
    client: PageClient,
) -> None:
    page = client.get("/login")
    main = str(page.soup.select_one("script[src]")["src"])
    version = main.split("/")[2]
    imported = main.replace("main.js", "menu.js")  # as a browser resolves "./menu.js"
    for address in (main, imported, f"/static/{version}/fonts/made"):
        kept = client.http.get(address)
        assert kept.status_code == 200, address
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in kept.headers
        assert set(owes(kept)) <= {"Cache-Control"}
        kept.close()
    for address in ("/static/js/menu.js", "/static/v0123456789ab/js/menu.js"):
        asked = client.http.get(address)
        assert asked.status_code == 200, address
        assert asked.headers["Cache-Control"] == "no-cache"
        again = client.http.get(address, headers={"If-None-Match": asked.headers["ETag"]})
        assert again.status_code == 304
        asked.close()
    assert client.http.get(f"/static/{version}/../../app.py").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil", ""])
def test_a_foreign_host_is_refused(client: PageClient, host: str) -> None:
    for method in ("GET", "POST"):
        response = client.http.open("/my/", method=method, headers={"Host": host})
        assert response.status_code == 400
        assert owes(response) == []
        assert "evil" not in response.get_data(as_text=True)


HTTPS: dict[str, Any] = {
    "base_url": "https://portal.example",
    "trusted_hosts": ("portal.example",),
    "secret_key": "s" * 40,
}


def test_over_tls_every_cookie_is_of_this_host_alone(make_app: Callable[..., Flask]) -> None:
    app = make_app(**HTTPS)
    with app.app_context():
        email = factories.make_agent().email
    browser = app.test_client()
    options: dict[str, Any] = {"base_url": HTTPS["base_url"]}
    token = re.search(
        r'name="csrf_token"[^>]*value="([^"]+)"',
        browser.get("/login", **options).get_data(as_text=True),
    )
    assert token is not None
    response = browser.post(
        "/login",
        data={
            "csrf_token": token.group(1),
            "email": email,
            "password": factories.PASSWORD,
        },
        headers={"Referer": f"{HTTPS['base_url']}/login"},
        **options,
    )
    again = browser.get("/login", **options)
    assert response.status_code == 303
    assert again.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    cookies = response.headers.getlist("Set-Cookie") + _language_cookie(browser, options)
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {"__Host-clearance", "__Host-device", "__Host-lang", "__Host-account_lang"}
    for each in cookies:
        parts = {part.strip().partition("=")[0].lower() for part in each.split(";")[1:]}
        assert each.startswith("__Host-"), each
        assert {"secure", "httponly", "samesite", "path"} <= parts, each
        assert "Path=/" in each and "SameSite=Lax" in each and "domain" not in parts, each


def _language_cookie(browser: Any, options: dict[str, Any]) -> list[str]:
    page = browser.get("/support", **options).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    response = browser.post(
        "/language",
        data={"csrf_token": token.group(1), "lang": "en"},
        headers={"Referer": f"{HTTPS['base_url']}/support"},
        **options,
    )
    return list(response.headers.getlist("Set-Cookie"))
