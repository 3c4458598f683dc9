"""One-time keys of forms that create something; a repeated key gives the first result."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa

from clearance.core.actor import Actor
from clearance.core.conditional_writes import changed_rows, insert_ignoring
from clearance.core.extensions import db
from clearance.models import OneTimeKey

KEY_MAX_LENGTH = 64


def owner_of(actor: Actor) -> str:
    """Return the owner of the actor's keys."""
    return f"user:{actor.id}"


def new() -> str:
    """Return a fresh key for a form that is about to be shown."""
    return secrets.token_urlsafe(24)


def result_of(key: str, owner: str) -> str | None:
    """Return the result of an earlier submission by `owner` with this key, or None."""
    if not key:
        return None
    statement = sa.select(OneTimeKey.result).where(OneTimeKey.key == key, OneTimeKey.owner == owner)
    return db.session.scalar(statement)


def claim(key: str, owner: str, result: str, now: datetime) -> str | None:
    """Claim `key` for this submission, in the transaction of what it creates.

    key: as posted; "" claims nothing. owner: the poster ("user:7"). result: the URL that answers
    this submission. Returns None when claimed (undone by a rollback), else the first submission's
    result. A concurrent submission waits for the first. Source: security requirement 55.
    """
    if not key:
        return None
    is_first = insert_ignoring(
        OneTimeKey, key=key[:KEY_MAX_LENGTH], owner=owner, result=result, created_at=now
    )
    return None if is_first else result_of(key, owner) or result


def release(key: str, owner: str) -> None:
    """Release a key claimed by this transaction, because the submission created nothing."""
    changed_rows(sa.delete(OneTimeKey).where(OneTimeKey.key == key, OneTimeKey.owner == owner))
