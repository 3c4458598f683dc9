"""Applicant data shared by registration and invitations; creates the pending Registration."""

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
    """Cleaned: mobile in E.164, e-mail lower-cased, civil number 12 digits. language: of codes.

    latin_name: the whole name in Latin letters, "" if unknown.
    """

    first_name: str
    last_name: str
    latin_name: str = ""
    gender: str
    civil_id: str
    mobile: str
    email: str
    password: str = field(repr=False)
    language: str

    @property
    def words(self) -> tuple[str, ...]:
        """Personal words that must not make up a password."""
        names = (self.first_name, self.last_name, self.latin_name)
        return (*names, self.email, self.mobile, self.civil_id)

    def targets(self, who: str) -> list[rate_limits.Pair]:
        """Return the limits on `who` naming the same person repeatedly (rule 41).

        who: an address, or an organisation. Others who name that person are at most delayed.
        """
        policy = "registration_target"
        return [
            *rate_limits.of_target(policy, f"email:{self.email}", who),
            *rate_limits.of_target(policy, f"mobile:{self.mobile}", who),
            (policy, f"civil:{self.civil_id}\n{who}"),
        ]

    def password_hash(self) -> str:
        """The password hash, from `hash_of_sign_up`."""
        return hash_of_sign_up(self.email, self.password)

    def sign_up(
        self, legal_entity: str, password_hash: str, now: datetime, **columns: Any
    ) -> Registration:
        """Create the registration, to be completed when both codes are right. Flushes.

        columns: further columns of the row.
        """
        signup = Registration(
            email=self.email,
            mobile=self.mobile,
            civil_id=self.civil_id,
            first_name=self.first_name,
            last_name=self.last_name,
            latin_name=self.latin_name,
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
    """Return the password hash of a registration with that e-mail. Slow.

    Registrations with one e-mail share a salt, so that sign-in checks them all with one hash and
    its time does not reveal how many are pending (security rule 11).
    """
    salt = bytes.fromhex(crypto.keyed_hash(email, "sign_up_salt")[:32])
    return hash_password(password, salt=salt)
