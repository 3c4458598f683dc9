"""Somebody who signs up or is signed up: who they are said to be, and the row that waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clearance.auth import rate_limits
from clearance.auth.passwords import hash_password
from clearance.core import crypto
from clearance.core.extensions import db
from clearance.models import Registration


@dataclass(frozen=True, kw_only=True)
class RegistrantData:
    """Cleaned: mobile in E.164, e-mail lower-cased, civil number 12 digits. language: of codes."""

    first_name: str
    last_name: str
    gender: str
    civil_id: str
    mobile: str
    email: str
    password: str = field(repr=False)
    language: str

    @property
    def words(self) -> tuple[str, ...]:
        """What the person is called, which must not make a password up."""
        return (self.first_name, self.last_name, self.email, self.mobile, self.civil_id)

    def targets(self, who: str) -> list[rate_limits.Pair]:
        """The budgets that keep `who` from naming the same person again and again (rule 41).

        who: an address, or an organisation. Whoever else names that person waits at most.
        """
        policy = "registration_target"
        return [
            *rate_limits.of_target(policy, f"email:{self.email}", who),
            *rate_limits.of_target(policy, f"mobile:{self.mobile}", who),
            (policy, f"civil:{self.civil_id}\n{who}"),
        ]

    def password_hash(self) -> str:
        """The hash of the password, as `hash_of_sign_up`."""
        return hash_of_sign_up(self.email, self.password)

    def sign_up(
        self, legal_entity: str, password_hash: str, now: datetime, **columns: Any
    ) -> Registration:
        """Keep the sign-up that completes when both codes are right; flushes.

        columns: what else is known of it.
        """
        signup = Registration(
            email=self.email,
            mobile=self.mobile,
            civil_id=self.civil_id,
            first_name=self.first_name,
            last_name=self.last_name,
            gender=self.gender,
            legal_entity=legal_entity,
            password_hash=password_hash,
            language=self.language,
            created_at=now,
            **columns,
        )
        db.session.add(signup)
        db.session.flush()
        return signup


def hash_of_sign_up(email: str, password: str) -> str:
    """The hash of the password of a sign-up with that e-mail. Slow.

    All sign-ups with one e-mail share a salt: signing in compares with all of them by making one
    hash, so that its time does not tell how many wait (security rule 11).
    """
    salt = bytes.fromhex(crypto.keyed_hash(email, "sign_up_salt")[:32])
    return hash_password(password, salt=salt)
