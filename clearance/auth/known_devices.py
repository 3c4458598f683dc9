"""Known browsers: separate rate limits, and a notice when a new one signs in."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from flask import has_request_context, request

from clearance import notifications
from clearance.core import cookies, crypto
from clearance.core.conditional_writes import insert_into
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import KnownDevice, User

COOKIE = "device"
_TOKEN_MAX_LENGTH = 100
# First match wins: user agents also include the names of the browsers they derive from.
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


def describe_user_agent(user_agent: str) -> str:
    """Return a short browser description such as "Chrome, Windows"; "" when unknown."""
    found = []
    for table in (_BROWSERS, _SYSTEMS):
        found += next(([name] for mark, name in table if mark in user_agent), [])
    return ", ".join(found)


def is_known(user_id: int | None, token: str | None) -> bool:
    """Return whether the browser with that cookie has signed in as the user before.

    Runs the same query for no user (None) as for a user (security rule 11).
    """
    if not token:
        return False
    with own_transaction(write=False) as connection:
        return connection.scalar(_one_of(user_id or 0, token)) is not None


def known_here(user_id: int | None) -> str:
    """Return the current browser's token if it has signed in as the user before, else ""."""
    token = cookies.read(COOKIE) if has_request_context() else None
    return token if token and is_known(user_id, token) else ""


def token_for(token: str | None) -> str:
    """Return the browser's token if it belongs to any user's device, else a new one.

    Unknown tokens are replaced, so that nobody can plant one in another person's browser.
    """
    if token:
        with own_transaction(write=False) as connection:
            known = sa.select(KnownDevice.id).where(KnownDevice.token_hash == _hash(token))
            if connection.scalar(known.limit(1)) is not None:
                return token
    return secrets.token_urlsafe(32)


def tell_if_new(user: User, token: str, now: datetime) -> None:
    """Notify the user of a sign-in with their password from a new browser. Flushes.

    Does nothing if the browser is known or is the user's first.
    """
    others = db.session.scalars(
        sa.select(KnownDevice.token_hash).where(KnownDevice.user_id == user.id)
    ).all()
    if others and _hash(token) not in others:
        notifications.notify_user(
            "account:device:new",
            user_id=user.id,
            params={
                "at": now,
                "device": describe_user_agent(request.user_agent.string),
                "ip": request.remote_addr or "",
            },
            now=now,
        )


def remember(user_id: int, token: str, now: datetime) -> None:
    """Record that the browser signed in as the user, including the second factor. Flushes."""
    statement = insert_into(KnownDevice, db.session.get_bind().dialect.name).values(
        user_id=user_id, token_hash=_hash(token), created_at=now, last_used_at=now
    )
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[KnownDevice.user_id, KnownDevice.token_hash],
            set_={"last_used_at": statement.excluded.last_used_at},
        )
    )


def forget(user_id: int, token: str) -> None:
    """Forget the user's known browser, in its own transaction."""
    with own_transaction() as connection:
        connection.execute(
            sa.delete(KnownDevice).where(
                KnownDevice.user_id == user_id, KnownDevice.token_hash == _hash(token)
            )
        )


def _hash(token: str) -> str:
    return crypto.token_hash(token[:_TOKEN_MAX_LENGTH])


def _one_of(user_id: int, token: str) -> sa.Select[int]:
    return sa.select(KnownDevice.id).where(
        KnownDevice.user_id == user_id, KnownDevice.token_hash == _hash(token)
    )
