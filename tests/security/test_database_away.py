"""With the database away: 503 with what to do, refusals as ever, and nothing falls open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clearance.core import database
from clearance.core.extensions import db
from tests.support import factories
from tests.support.pages import PageClient

AWAY = ("sqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")


@pytest.fixture(params=AWAY)
def away(make_app: Callable[..., Flask], request: pytest.FixtureRequest) -> Flask:
    """The portal, as people meet it, without its database."""
    app = make_app(database_url=request.param)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def browser(app: Flask, *, has_session: bool) -> FlaskClient:
    client = app.test_client()
    if has_session:
        with client.session_transaction() as cookie:
            cookie["_user_id"] = "k" * 43
            cookie["_fresh"] = True
    return client


@pytest.mark.parametrize("has_session", [False, True])
@pytest.mark.parametrize("address", ["/", "/register", "/guide"])
def test_pages_that_need_it_say_so_and_when_to_come_again(
    away: Flask, address: str, has_session: bool
) -> None:
    response = browser(away, has_session=has_session).get(address)
    text = response.get_data(as_text=True)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert response.headers["X-Request-ID"] in text
    assert "sqlite" not in text.lower() and "psycopg" not in text.lower()


@pytest.mark.parametrize("has_session", [False, True])
@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/nothing", 404),
        ("PUT", "/login", 405),
        ("POST", "/login", 400),
        ("POST", "/my/notices/read", 400),
    ],
)
def test_a_refusal_stays_the_refusal_it_is(
    away: Flask, method: str, address: str, status: int, has_session: bool
) -> None:
    response = browser(away, has_session=has_session).open(address, method=method)
    assert response.status_code == status


def test_nobody_comes_in(away: Flask) -> None:
    assert browser(away, has_session=True).get("/my/").status_code == 503
    assert browser(away, has_session=True).get("/office/").status_code == 503


def test_probes_tell_the_difference(away: Flask) -> None:
    client = away.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_a_database_that_stays_locked_is_told_and_work_goes_on_after(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "REQUEST_WRITER_SECONDS", 0.05)
    client = PageClient(app)
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            return  # writers of PostgreSQL wait for rows only
        path = str(db.engine.url.database)
        agent = factories.make_agent()
        factories.sign_in(client, agent)
    token = client.csrf_token()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        visitor = PageClient(app)
        data = {"csrf_token": visitor.csrf_token(), "email": agent.email, "password": "x"}
        assert visitor.http.post("/login", data=data).status_code == 503
        assert client.http.post("/my/notices/read", data={"csrf_token": token}).status_code == 503
        assert client.http.get("/nowhere").status_code == 404
        assert client.http.get("/my/").status_code == 200
    finally:
        other.close()
        app.config["PROPAGATE_EXCEPTIONS"] = None
    assert client.http.post("/my/notices/read", data={"csrf_token": token}).status_code == 303
