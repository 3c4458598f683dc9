"""Forwarded addresses: believed from named proxies, and from nobody else (rule 40)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import AccessEvent
from tests.support import factories

TOLD = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7", "X-Forwarded-Host": "evil.example"}


def address_seen(app: Flask, peer: str, headers: dict[str, str] = TOLD) -> str:
    """The address that the trail has of a signed-in agent's refusal, asked for from `peer`."""
    with app.app_context():
        client = factories.browser_of(app, factories.make_agent(), language=None)
    client.http.get("/nowhere", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    with app.app_context():
        return str(db.session.scalar(sa.select(AccessEvent.ip).order_by(AccessEvent.id.desc())))


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1", "192.0.2.1"])
def test_nobody_is_believed_where_no_proxy_is_named(app: Flask, peer: str) -> None:
    assert address_seen(app, peer) == peer


def test_a_named_proxy_is_believed_about_the_last_address_only(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(trusted_proxies=("10.1.0.0/16", "2001:db8::1"))
    assert address_seen(app, "10.1.2.3") == "203.0.113.7"
    assert address_seen(app, "2001:db8::1") == "203.0.113.7"


@pytest.mark.parametrize("peer", ["10.2.0.1", "2001:db8::2", "203.0.113.7", "not an address"])
def test_others_are_not_believed_beside_a_named_proxy(
    make_app: Callable[..., Flask], peer: str
) -> None:
    assert address_seen(make_app(trusted_proxies=("10.1.0.0/16", "2001:db8::1")), peer) == peer


@pytest.mark.parametrize("told", ["x" * 5000, "'; DROP TABLE user --", "<script>"])
def test_what_a_proxy_hands_on_cannot_break_the_trail(
    make_app: Callable[..., Flask], told: str
) -> None:
    app = make_app(trusted_proxies=("10.1.0.0/16",))
    assert address_seen(app, "10.1.2.3", {"X-Forwarded-For": told}) == told[:40]


def test_a_forwarded_host_is_never_taken(make_app: Callable[..., Flask]) -> None:
    app = make_app(trusted_proxies=("10.1.0.0/16",))
    response = app.test_client().get(
        "/my/", headers=TOLD, environ_overrides={"REMOTE_ADDR": "10.1.2.3"}
    )
    assert "evil" not in response.location
