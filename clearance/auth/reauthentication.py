"""The present password, asked again before something that a lent browser must not do."""

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
    """What was typed is not the password of who asks."""

    def __init__(self) -> None:
        super().__init__(_l("This is not your present password."))


def require_current_password(actor: Actor, password: str, *, kind: str) -> None:
    """Let pass whoever types their present password; wrong tries are counted over all pages.

    kind: tag of what it is asked for, noted with a wrong one. Slow: call it before the request's
    first query. Raises: WrongPassword; TooManyTries. Source: security rule 12.
    """
    tries = rate_limits.consume("sign_in_account", f"present:{actor.id}")
    with own_transaction(write=False) as connection:
        stored = connection.scalar(sa.select(User.password_hash).where(User.id == actor.id))
    if not verify_password(stored or "", password):
        audit.access(kind, user_id=actor.id, result="wrong_password")
        raise WrongPassword
    rate_limits.refund(tries)
