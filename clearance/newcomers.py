"""Somebody who signs up or is signed up: who they are said to be, and the row that waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clearance.extensions import db
from clearance.models import Registration
from clearance.throttle import Pair


@dataclass(frozen=True, kw_only=True)
class Newcomer:
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

    @property
    def targets(self) -> list[Pair]:
        """The budgets that keep anybody from naming the same person again and again (rule 41)."""
        return [
            ("registration_target", f"email:{self.email}"),
            ("registration_target", f"mobile:{self.mobile}"),
            ("registration_target", f"civil:{self.civil_id}"),
        ]

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
