"""Browsers that signed in before: a budget of their own, and a notice when one is new."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import request
from sqlalchemy.dialects import postgresql, sqlite

from clearance import notices, secrets_box, throttle
from clearance.database import own_transaction
from clearance.extensions import db
from clearance.models import KnownDevice, User

COOKIE = "device"
_TOKEN_MAX_LENGTH = 100
# The first that fits: a browser's own name comes with the names of those it descends from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """What a browser calls itself, short: "Chrome, Windows"; "?" when it does not say."""
    found = []
    for table in (_BROWSERS, _SYSTEMS):
        found += next(([name] for mark, name in table if mark in user_agent), [])
    return ", ".join(found) or "?"


def is_known(user_id: int | None, token: str | None) -> bool:
    """Whether the browser with that cookie signed in as the user before."""
    if user_id is None or not token:
        return False
    with own_transaction(write=False) as connection:
        return connection.scalar(_one_of(user_id, token)) is not None


def token_for(token: str | None) -> str:
    """The token this browser goes on with: its own when it is any user's device, else a new one.

    A token never seen is replaced, so that nobody can plant one in another's browser.
    """
    if token:
        with own_transaction(write=False) as connection:
            known = sa.select(KnownDevice.id).where(KnownDevice.token_hash == _hash(token))
            if connection.scalar(known.limit(1)) is not None:
                return token
    return secrets.token_urlsafe(32)


def remember(user: User, token: str, now: datetime) -> None:
    """Keep that the browser signed in as `user`; tell them when it is not their first. Flushes."""
    others = db.session.scalars(
        sa.select(KnownDevice.token_hash).where(KnownDevice.user_id == user.id)
    ).all()
    _keep(user.id, token, now)
    if others and _hash(token) not in others:
        notices.tell(
            "account:device:new",
            user_id=user.id,
            params={
                "at": now,
                "device": describe(request.user_agent.string),
                "ip": throttle.client_ip(),
            },
            now=now,
        )


def forget(user_id: int, token: str) -> None:
    """Make the browser a stranger again, in a transaction of its own."""
    with own_transaction() as connection:
        connection.execute(
            sa.delete(KnownDevice).where(
                KnownDevice.user_id == user_id, KnownDevice.token_hash == _hash(token)
            )
        )


def _hash(token: str) -> str:
    return secrets_box.token_hash(token[:_TOKEN_MAX_LENGTH])


def _one_of(user_id: int, token: str) -> sa.Select[int]:
    return sa.select(KnownDevice.id).where(
        KnownDevice.user_id == user_id, KnownDevice.token_hash == _hash(token)
    )


def _keep(user_id: int, token: str, now: datetime) -> None:
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    statement = insert(KnownDevice).values(
        user_id=user_id, token_hash=_hash(token), created_at=now, last_used_at=now
    )
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[KnownDevice.user_id, KnownDevice.token_hash],
            set_={"last_used_at": statement.excluded.last_used_at},
        )
    )
