"""Addresses and forms that no page makes: answered 404 or 400 on both databases, never 500."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, request

from clearance.models.enums import Role
from tests.support import factories, request_factories
from tests.support.addresses import filled
from tests.support.pages import PageClient

IDS = ["0", "-1", "²", "٣", "9" * 19, "9" * 30, "9" * 5000, "1,2", "1 or 1=1", "%00", "x'\"<b>"]
DAYS = ["0001-01-01", "9999-12-31", "20260101", "2026-02-30", "x"]
ARGUMENTS = (
    *("id", "page", "sort", "page_size", "desc", "search", "after", "before", "url", "name"),
    *("query", "width", "flt0_status", "flt0_service", "flt0_scope", "flt0_queue", "flt0_when"),
)
DAY_FILTERS = ("flt0_sent_from", "flt0_sent_to", "flt0_from", "flt0_to")
NOT_TYPED = {"/captcha", "/logout", "/register", "/reset", "/reset/confirm"}  # they cost tries
LISTS = {
    Role.AGENT: ("/my/requests/", "/my/requests/details/", "/my/notices/", "/my/"),
    Role.REVIEWER: ("/office/requests/", "/office/requests/next", "/office/exams/"),
    Role.ADMINISTRATOR: ("/office/audit/", "/office/users/", "/office/holidays/"),
}


def addresses(app: Flask, area: str, method: str) -> Iterator[tuple[str, bool]]:
    """(address, whether it names a row) of the rules of an area that take `method`."""
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()) or not rule.rule.startswith(area):
            continue
        if rule.rule not in NOT_TYPED and "export" not in rule.rule:
            yield rule.rule, bool(rule.arguments)


def area_of(role: str) -> str:
    return "/my/" if role == Role.AGENT else "/office/"


@pytest.fixture
def reader(app: Flask, role: str) -> PageClient:
    """A signed-in browser of the test's `role`; request 1 is there, and the agent's own."""
    client = PageClient(app)
    with app.app_context():
        request_factories.load_services()
        agent = factories.make_agent()
        request_factories.make_sent(agent)
        factories.sign_in(client, agent if role == Role.AGENT else factories.make_staff(role))
    return client


def faults(app: Flask, client: PageClient, calls: list[tuple[str, str, dict[str, Any]]]) -> Any:
    """(call, status) of every call that was answered as a fault of ours."""
    found = []
    app.testing = False  # a fault becomes its page, as for people
    app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        for method, address, more in calls:
            response = client.http.open(address, method=method, **more)
            if response.status_code >= 500:
                found.append((method, address[:200], str(more)[:200], response.status_code))
            response.close()
    finally:
        app.testing = True
        app.config["PROPAGATE_EXCEPTIONS"] = None
    return found


@pytest.mark.databases(heavy="postgresql")
@pytest.mark.parametrize("role", [Role.AGENT, Role.REVIEWER])
def test_rows_that_cannot_be_are_not_found(app: Flask, reader: PageClient, role: str) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", filled(rule, quote(value, safe="%")), {})
        for rule, names_row in addresses(app, area_of(role), "GET")
        for value in (IDS if names_row else [])
    ]
    assert faults(app, reader, calls) == []


@pytest.mark.databases(heavy="postgresql")
@pytest.mark.parametrize("role", list(LISTS))
def test_arguments_that_nobody_typed_are_refused(app: Flask, reader: PageClient, role: str) -> None:
    values = [(name, value) for name in ARGUMENTS for value in ("²", "9" * 30, "%_\\")]
    values += [(name, value) for name in DAY_FILTERS for value in DAYS] + [("search", "\0")]
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", address, {"query_string": {name: value}})
        for address in LISTS[Role(role)]
        for name, value in values
    ]
    assert faults(app, reader, calls) == []


POSTED = (
    *("id", "rowid", "action", "url", "version", "form_key", "organisation", "kind", "label"),
    *("body", "note", "message", "reason", "page", "channel", "row", "outcome", "seen", "lang"),
    *("next", "submit", "reviewer_id", "licence_id", "candidate_id", "copy_of", "broker_type"),
    *("result-1", "result-²", "position", "code", "day", "held_at", "seats", "confirm_by"),
    *("published_at", "ends_at", "email", "role", "status", "organisation_id", "_language"),
)


@pytest.mark.parametrize("value", ["", "²", "9" * 30, "9999-12-31T23:59", "0001-01-01"])
@pytest.mark.parametrize("role", list(LISTS))
def test_posts_that_no_form_makes_are_refused(
    app: Flask, reader: PageClient, role: str, value: str
) -> None:
    data = {**dict.fromkeys(POSTED, value), "csrf_token": reader.csrf_token()}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", filled(rule, "1"), {"data": data})
        for rule, _ in addresses(app, area_of(role), "POST")
        if "discard" not in rule and "sessions" not in rule
    ]
    assert faults(app, reader, calls) == []


@pytest.mark.parametrize("address", ["/login", "/verify", "/support", "/language", "/captcha"])
@pytest.mark.parametrize("referrer", ["http://[", "http://a:99999999/", "\\\\", "http://[::1]:x"])
def test_an_address_one_came_from_that_is_none_is_no_fault(
    app: Flask, client: PageClient, address: str, referrer: str
) -> None:
    token = client.csrf_token()
    more = {"data": {"csrf_token": token}, "headers": {"Referer": referrer}}
    assert faults(app, client, [("POST", address, more), ("GET", address, more)]) == []


@pytest.mark.databases
@pytest.mark.parametrize(
    "header",
    [
        {"User-Agent": "x\x00y" * 200},
        {"Accept-Language": "x" * 3000},
        {"Accept": "\x00" * 100},
        {"Cookie": "clearance=\x00; lang=\x00; device=\x00"},
        {"Range": "bytes=9-1,x"},
        {"If-Modified-Since": "yesterday"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data; boundary=\xe9"},
        {"Cookie": 'clearance="\\000"; lang="\\355\\240\\200"; device="\\355\\240\\200\\000"'},
    ],
)
def test_headers_that_no_browser_sends_are_no_fault(
    app: Flask, client: PageClient, header: dict[str, str]
) -> None:
    with app.app_context():
        email = factories.make_agent().email
    token = client.csrf_token()
    data = {"csrf_token": token, "email": email, "password": factories.PASSWORD}
    calls = [
        ("GET", "/login", {"headers": header}),
        ("GET", "/my/", {"headers": header}),
        ("POST", "/login", {"headers": header, "data": data}),
    ]
    assert faults(app, client, calls) == []


URL_ENCODED = "application/x-www-form-urlencoded"
DEEP = "[" * 3000
JSON_BODIES = ["[1]", '{"email": 1}', '{"email": "\\ud800"}', '{"email": "\\u0000"}', DEEP, "x", ""]
FORMS = ("/login", "/register", "/reset", "/reset/confirm", "/language", "/captcha", "/logout")


@pytest.mark.parametrize("body", JSON_BODIES)
def test_a_form_sent_as_json_is_answered_415_on_a_page_in_the_readers_language(
    app: Flask, client: PageClient, body: str
) -> None:
    token = {"X-CSRFToken": client.csrf_token()}
    for lang, said in (
        ("ar", "لا تستقبل البوابة إلا نماذجها"),
        ("en", "accepts only its own forms"),
    ):
        client.http.set_cookie("lang", lang)
        for address in (*FORMS, "/nowhere"):
            response = client.http.post(
                address, data=body, content_type="application/json", headers=token
            )
            text = response.get_data(as_text=True)
            assert response.status_code == 415, address
            assert f'lang="{lang}"' in text and said in text
            assert response.headers["X-Request-ID"] in text


@pytest.mark.parametrize(
    "kind", ["application/json", "application/vnd.api+json", "text/plain", "text/xml", "x", None]
)
def test_a_script_that_sends_other_content_gets_415_as_json(client: PageClient, kind: str) -> None:
    headers = {"X-CSRFToken": client.csrf_token(), "Accept": "application/json"}
    response = client.http.post("/login", data="<a/>", content_type=kind, headers=headers)
    assert (response.status_code, response.mimetype) == (415, "application/json")
    assert response.get_json()["reference"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_body_where_nothing_is_posted_is_not_read(app: Flask, method: str) -> None:
    data = {"do": "begin", "file": (io.BytesIO(b"x"), "x.pdf")}
    with app.test_request_context("/my/services/exam/several", method=method, data=data):
        assert (len(request.form), len(request.files)) == (0, 0)


def test_a_form_of_more_fields_or_bytes_than_any_page_has_is_too_large(client: PageClient) -> None:
    token = f"csrf_token={client.csrf_token()}&"
    limit = client.app.config["MAX_FORM_MEMORY_SIZE"]
    for body in ("a&" * 5000, "a=" + "b" * limit):
        response = client.http.post("/login", data=token + body, content_type=URL_ENCODED)
        assert response.status_code == 413


PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n--b--\r\n'
ODD_PARTS = [
    PART % (b"email\0", b"", b"", b"x"),
    PART % (b"email", b"", b"", b"\0"),
    PART % (b"email", b"", b"", b"\xed\xa0\x80"),
    PART % (b"email", b"", b"Content-Type: text/plain; charset=utf-16\r\n", b"\xd8\x00"),
    PART % (b"email", b"", b"Content-Type: text/plain; charset=utf-7\r\n", b"+2AA-"),
    PART % (b"files", b'; filename="\0.pdf"', b"", b"x"),
    PART % (b"files", b"; filename*=UTF-8''%ED%A0%80.pdf", b"", b"x"),
    PART % (b"files", b"; filename*=utf-16''%D8%00.pdf", b"", b"x"),
    PART % (b"\xed\xa0\x80", b"", b"", b"x"),
    b"--b\r\n\r\n",
    b"--b",
    b"",
]


@pytest.mark.databases(heavy="postgresql")
@pytest.mark.parametrize("role", [Role.AGENT, Role.REVIEWER, Role.ADMINISTRATOR])
def test_texts_that_no_database_keeps_are_no_fault(
    app: Flask, reader: PageClient, role: str
) -> None:
    """Every address meets some of the bodies, and more of them on PostgreSQL, which keeps less."""
    every = 4 if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else 2
    token = {"X-CSRFToken": reader.csrf_token()}
    bodies: list[tuple[Any, str]] = [
        ("&".join(f"{name}={value}&{name}%00={value}" for name in names), URL_ENCODED)
        for value in ("%00", "%ED%A0%80", "%FF", "\xed\xa0\x80")
        for names in (("email", "body", "search"), ("_language",))
    ]
    bodies += [(part, "multipart/form-data; boundary=b") for part in ODD_PARTS]
    rules = [rule for rule, _ in addresses(app, area_of(role), "POST")] + list(FORMS[:1])
    calls = [
        ("POST", filled(rule, "1"), {"data": body, "content_type": kind, "headers": token})
        for place, rule in enumerate(rules)
        if "discard" not in rule and "sessions" not in rule
        for body, kind in bodies[place % every :: every]
    ]
    assert faults(app, reader, calls) == []
