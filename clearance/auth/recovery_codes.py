"""Recovery codes: single-use replacements for the second-factor app.

Source: security rule 12.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa

from clearance.auth import one_time_codes
from clearance.core import crypto
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import RecoveryCode

COUNT = 10
LENGTH = 10


def replace(user_id: int) -> list[str]:
    """Create new recovery codes for the user and void the old ones. Flushes.

    Returns them for display, this once: the database keeps keyed hashes only.
    """
    drop(user_id)
    spares = [_spare() for _ in range(COUNT)]
    db.session.add_all(
        RecoveryCode(user_id=user_id, code_hash=_hash(user_id, spare)) for spare in spares
    )
    db.session.flush()
    return spares


def drop(user_id: int) -> None:
    """Delete all recovery codes of the user. Flushes."""
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def left(user_id: int) -> int:
    """Return how many recovery codes of the user are unused."""
    statement = sa.select(sa.func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(statement) or 0


def use(user_id: int, typed: str, now: datetime) -> bool:
    """Use up the recovery code typed, in any letter case; False if there is none.

    Runs in its own transaction, so that a rollback does not undo the use.
    """
    if len(typed) != LENGTH:
        return False
    with own_transaction() as connection:
        rows = connection.execute(
            sa.select(RecoveryCode.id, RecoveryCode.code_hash).where(
                RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
            )
        ).all()
        content = _content(user_id, typed.upper())
        found = [row.id for row in rows if crypto.matches(content, row.code_hash, "spare")]
        used = connection.execute(
            sa.update(RecoveryCode)
            .where(RecoveryCode.id.in_(found), RecoveryCode.used_at.is_(None))
            .values(used_at=now)
        )
        return used.rowcount == 1


def _spare() -> str:
    return "".join(secrets.choice(one_time_codes.RESET_ALPHABET) for _ in range(LENGTH))


def _content(user_id: int, spare: str) -> str:
    return f"{user_id}\n{spare}"


def _hash(user_id: int, spare: str) -> str:
    return crypto.keyed_hash(_content(user_id, spare), "spare")
