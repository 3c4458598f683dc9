"""Hashing waits in a lane of its own: pages come at once while many sign in."""

from __future__ import annotations

import http.client
import re
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask

from app import create_app
from clearance.auth import passwords
from clearance.core.extensions import db
from clearance.web import lanes
from tests.journeys import steps
from tests.support import factories, servers
from tests.support.pages import PageClient

TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')
SLOWEST_PAGE = 1.0  # seconds, for 95 of 100
FORM = "application/x-www-form-urlencoded"
Sent = tuple[dict[str, str], str]


@pytest.mark.parametrize(
    ("method", "path", "hashes"),
    [
        ("POST", "/login", True),
        ("GET", "/login", False),
        ("POST", "/login/factor", False),
        ("POST", "/register", True),
        ("POST", "/invitation/some-token", True),
        ("POST", "/reset", False),
        ("POST", "/reset/confirm", True),
        ("POST", "/my/account/password", True),
        ("POST", "/office/account/contact/email", True),
        ("POST", "/my/users/new/", True),
        ("POST", "/my/requests/new", False),
    ],
)
def test_the_lane_is_for_what_hashes(method: str, path: str, hashes: bool) -> None:
    assert lanes.is_hashing(method, path) is hashes


def test_who_waited_too_long_is_asked_to_come_again_and_nothing_is_hashed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        email = factories.make_agent().email
    client = PageClient(app, language="en")
    page = client.get("/login")
    values = {"email": email, "password": factories.PASSWORD}
    sign_in = lanes.timed(partial(client.submit, page, values, form="#sign-in-form", status=503))
    monkeypatch.setattr(lanes, "LONGEST_WAIT", 0)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "_hasher", None)
        answer = sign_in()
    assert int(answer.response.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert steps.sign_in(client, email).url == "/my/"


@pytest.mark.parametrize("kind", servers.KINDS)
@pytest.mark.parametrize("people", [60, pytest.param(200, marks=pytest.mark.heavy)])
def test_pages_come_at_once_while_many_sign_in(kind: str, people: int, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'served.sqlite'}"
    with servers.served(kind, database, tmp_path, TRUSTED_PROXIES="127.0.0.1/32") as url:
        emails = _agents(database, tmp_path, people)
        sent = [_prepared(url, number, email) for number, email in enumerate(emails)]
        answers, pages = _all_at_once(url, sent)
    assert set(answers) <= {303, 503}
    assert answers.count(303) >= min(people, 60)  # on a slow machine the last ones wait too long
    pages.sort()
    assert pages[int(len(pages) * 0.95)] < SLOWEST_PAGE


def _agents(database: str, folder: Path, count: int) -> list[str]:
    app = create_app(testing=True, database_url=database, storage_url=f"file://{folder / 'files'}")
    with app.app_context():
        emails = [factories.make_agent().email for _number in range(count)]
        db.session.remove()
        db.engine.dispose()
    return emails


def _ask(url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=90)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def _prepared(url: str, number: int, email: str) -> Sent:
    """Open the sign-in page at an address of one's own; what is to be posted."""
    headers = {"X-Forwarded-For": f"10.0.{number // 200}.{number % 200 + 1}"}
    answer, page = _ask(url, "GET", "/login", headers)
    token = TOKEN.search(page)
    assert token is not None
    headers |= {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], "Content-Type": FORM}
    values = {"csrf_token": token[1].decode(), "email": email, "password": factories.PASSWORD}
    return headers, urlencode(values)


def _all_at_once(url: str, sent: list[Sent]) -> tuple[list[int], list[float]]:
    """Post everything at one time; the statuses, and how long pages took meanwhile."""
    begin, answers, pages = threading.Barrier(len(sent) + 1), [], []

    def post(headers: dict[str, str], body: str) -> None:
        begin.wait()
        answers.append(_ask(url, "POST", "/login", headers, body)[0].status)

    crowd = [threading.Thread(target=post, args=each) for each in sent]
    for person in crowd:
        person.start()
    begin.wait()
    while any(each.is_alive() for each in crowd):
        start = time.perf_counter()
        assert _ask(url, "GET", "/", {})[0].status == 200
        pages.append(time.perf_counter() - start)
    return answers, pages
