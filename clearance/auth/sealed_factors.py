"""Secrets of second factors, sealed under SECRET_KEY: which key, and anew after it was changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from clearance.core import crypto
from clearance.core.database import own_transaction
from clearance.core.settings import Settings
from clearance.models import User


@dataclass(frozen=True)
class Sealed:
    """older: how many an earlier key seals. lost: how many no key of the settings opens."""

    older: int
    lost: int


def state() -> Sealed:
    """Return what is not under the present key."""
    keys = [key for _user_id, _sealed, key in _not_current()]
    return Sealed(sum(key is not None for key in keys), keys.count(None))


def renew() -> int:
    """Seal what an earlier key seals under the present one; returns how many. Commits by itself."""
    renewed = 0
    for user_id, sealed, key in list(_not_current()):
        if key is None:
            continue
        new = crypto.encrypt(crypto.decrypt(sealed))
        with own_transaction() as connection:
            renewed += connection.execute(
                sa.update(User)
                .where(User.id == user_id, User.totp_secret == sealed)  # not changed meanwhile
                .values(totp_secret=new)
            ).rowcount
    return renewed


def _not_current() -> Iterator[tuple[int, str, str | None]]:
    """Yield user, sealed secret, and the fingerprint of the key that opens it, None if none."""
    settings: Settings = current_app.extensions["settings"]
    current = crypto.fingerprint(settings.secret_key)
    with own_transaction(write=False) as connection:
        rows = connection.execute(
            sa.select(User.id, User.totp_secret).where(User.totp_secret.is_not(None))
        ).all()
    for user_id, sealed in rows:
        key = crypto.opened_by(str(sealed))
        if key != current:
            yield user_id, str(sealed), key
