"""Reauthentication by current password before sensitive changes (a borrowed browser)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import rate_limits
from clearance.auth.passwords import verify_password
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError
from clearance.models import User


class WrongPassword(DomainError):
    """The password typed is not the actor's."""

    message = _l("This is not your current password.")


def require_current_password(actor: Actor, password: str, *, kind: str) -> None:
    """Require the actor's current password; wrong tries share one limit across all pages.

    kind: tag of the purpose, logged with a wrong password. Slow: call it before the request's
    first query. Raises: WrongPassword; TooManyTries. Source: security rule 12.
    """
    tries = rate_limits.consume("sign_in_account", f"present:{actor.id}")
    with own_transaction(write=False) as connection:
        stored = connection.scalar(sa.select(User.password_hash).where(User.id == actor.id))
    if not verify_password(stored or "", password):
        audit.access(kind, user_id=actor.id, result="wrong_password")
        raise WrongPassword
    rate_limits.refund(tries)
