"""What a stranger could time: the same work for a known address as for an unknown one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask

from clearance.extensions import db
from tests import factories
from tests.journeys import steps
from tests.pages import PageClient


@contextmanager
def counting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """What the work in the block costs: writings (each waits for the disk) and hashes."""
    cost = {"writings": 0, "hashes": 0}

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        cost["writings"] += statement == "BEGIN IMMEDIATE"

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            cost["hashes"] += 1
            return function(*args, **kwargs)

        return call

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", count)
    with monkeypatch.context() as patch:
        for name in ("verify", "hash"):
            patch.setattr(PasswordHasher, name, counted(getattr(PasswordHasher, name)))
        yield cost
    sa.event.remove(engine, "before_cursor_execute", count)


def test_a_wrong_password_costs_the_same_whether_the_address_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = factories.make_agent().email
    costs = []
    for email in (known, "nobody@example.com"):
        client = PageClient(app)
        page = client.get("/login")
        with counting(app, monkeypatch) as cost:
            client.submit(page, {"email": email, "password": "Wrong-1-Word!"})
        costs.append(cost)
    assert costs[0] == costs[1]
    assert costs[0]["hashes"] == 1
    assert costs[0]["writings"] > 0


def test_asking_for_a_reset_costs_the_same_whether_the_address_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = factories.make_agent().email
    costs = []
    for email in (known, "nobody@example.com"):
        client = PageClient(app)
        page = client.get("/reset")
        values = {"email": email, "captcha": steps.image_text(app, page)}
        with counting(app, monkeypatch) as cost:
            client.submit(page, values, form="#reset-form")
        costs.append(cost)
    assert costs[0] == costs[1]
    assert costs[0]["writings"] > 0
