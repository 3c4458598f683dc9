"""Requests made by other sites or with another's token or cookie: refused everywhere."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Notice, User, UserSession
from clearance.models.enums import Role
from tests.support import factories
from tests.support.addresses import filled
from tests.support.pages import PageClient
from tests.support.rows import count_of

WRITING = {"POST", "PUT", "PATCH", "DELETE"}


def person(app: Flask, role: str) -> PageClient:
    with app.app_context():
        user = factories.make_agent() if role == Role.AGENT else factories.make_staff(role)
        return factories.browser_of(app, user, language=None)


def writing_addresses(app: Flask) -> list[tuple[str, str]]:
    return [
        (method, filled(rule.rule, "1"))
        for rule in app.url_map.iter_rules()
        for method in sorted(WRITING & (rule.methods or set()))
    ]


# These show their form again, or lead on who is signed in: an old page of theirs is no attack.
SHOWN_AGAIN = ("/login", "/register", "/invitation/", "/verify", "/password", "/reset", "/consent/")
LEADING_BACK = ("/language", "/logout")


@pytest.mark.parametrize("role", [Role.AGENT, Role.REVIEWER, Role.ADMINISTRATOR])
def test_nothing_takes_a_post_without_this_browsers_token(app: Flask, role: str) -> None:
    client, other = person(app, role), PageClient(app)
    bodies: list[tuple[dict[str, Any], int]] = [
        ({"data": {}}, 400),
        ({"data": {"csrf_token": other.csrf_token()}}, 400),
        ({"data": "csrf_token=x", "content_type": "text/plain"}, 415),
        ({"json": {"csrf_token": client.csrf_token()}}, 415),
    ]
    passed = [
        (method, address)
        for method, address in writing_addresses(app)
        for body, status in bodies
        if not _is_refused(client, address, method, body, status)
    ]
    assert passed == []
    with app.app_context():
        assert db.session.scalars(sa.select(UserSession.ended_at)).all() == [None]


def _is_refused(
    client: PageClient, address: str, method: str, body: dict[str, Any], status: int
) -> bool:
    answer = client.http.open(address, method=method, **body)
    if answer.status_code == status:
        return True
    is_old_page = bool(body.get("data")) and "content_type" not in body
    if is_old_page and address.startswith(LEADING_BACK):
        return answer.location == "/"
    if is_old_page and address.startswith(SHOWN_AGAIN):
        home = client.http.get("/login").location
        return answer.status_code in {200, 404} or answer.location == home
    return False


def test_no_address_writes_by_another_method_than_post(app: Flask) -> None:
    assert {method for method, _ in writing_addresses(app)} == {"POST"}


def test_a_method_named_in_a_header_or_field_is_not_believed(app: Flask) -> None:
    client = person(app, Role.AGENT)
    headers = {"X-HTTP-Method-Override": "POST"}
    response = client.http.get("/my/notices/read?_method=POST", headers=headers)
    assert response.status_code == 405


def test_a_cookie_of_before_signing_out_or_in_opens_nothing(app: Flask) -> None:
    with app.app_context():
        email = factories.make_agent().email
    client = PageClient(app)
    page = client.get("/login")
    planted = client.http.get_cookie("clearance")
    client.submit(page, {"email": email, "password": factories.PASSWORD}, form="#sign-in-form")
    kept = client.http.get_cookie("clearance")
    assert planted is not None and kept is not None
    assert planted.value != kept.value
    thief = PageClient(app)
    thief.http.set_cookie("clearance", kept.value)
    assert thief.http.get("/my/").status_code == 200  # so that what follows proves something
    client.post("/logout", {})
    for value in (planted.value, kept.value):
        thief.http.set_cookie("clearance", value)
        response = thief.http.get("/my/")
        assert response.status_code == 302
        assert response.location.startswith("/login")


@pytest.mark.parametrize("forged", ["", "x", "eyJfdXNlcl9pZCI6IjEifQ.x.y", "." * 4000])
def test_a_forged_cookie_is_a_visitors(client: PageClient, forged: str) -> None:
    client.http.set_cookie("clearance", forged)
    assert client.http.get("/my/").status_code == 302
    assert client.http.get("/login").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"),
        *("/\t/evil.example", "\\\\evil.example", "/\r\nSet-Cookie: x=1", " //evil.example"),
        *("https:evil.example", "///evil.example", "/my/\u0000", "//evil.example\\@localhost"),
    ],
)
def test_nobody_is_sent_to_another_host(app: Flask, target: str) -> None:
    with app.app_context():
        email = factories.make_agent().email
    visitor = PageClient(app)
    data = {"csrf_token": visitor.csrf_token(), "email": email, "password": factories.PASSWORD}
    answers = [
        visitor.http.post(
            "/language", data={"csrf_token": data["csrf_token"], "lang": "en", "next": target}
        ),
        visitor.http.post("/login", query_string={"next": target}, data=data),
    ]
    for response in answers:
        assert response.status_code in {303, 400}
        location = response.headers.get("Location", "/")
        assert location in {"/", "/my/"}, location


def test_rows_of_ones_own_account_are_ones_own(app: Flask) -> None:
    mine = person(app, Role.AGENT)
    with app.app_context():
        theirs = factories.make_agent()
        factories.browser_of(app, theirs)
        session_id = db.session.scalar(
            sa.select(UserSession.id).where(UserSession.user_id == theirs.id)
        )
        notice = Notice(
            user_id=theirs.id, event="account:verified", params={}, created_at=theirs.created_at
        )
        db.session.add(notice)
        db.session.commit()
        notice_id = notice.id
    mine.post(f"/my/account/sessions/{session_id}/end", {}, status=404)
    mine.post(f"/my/notices/{notice_id}/open", {}, status=404)
    mine.post("/my/notices/read", {})
    with app.app_context():
        assert db.session.get_one(UserSession, session_id).ended_at is None
        assert db.session.get_one(Notice, notice_id).read_at is None
        assert count_of(User) == 2
