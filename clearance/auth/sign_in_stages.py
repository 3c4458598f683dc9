"""Sign-in stages: the next step for a user or a registration."""

from __future__ import annotations

from clearance.models import Registration, User
from clearance.models.enums import STAFF_ROLES, SessionStage


def needs_factor(user: User) -> bool:
    """Return whether sign-in needs a second factor: staff always, agents if enabled."""
    return user.role in STAFF_ROLES or user.second_factor


def next_stage(user: User, *, factor_passed: bool = False) -> SessionStage:
    """Return the required stage of a user's session: password, then codes, then factor, then full.

    Source: security rules 5, 10 and 12.
    """
    if user.must_change_password:
        return SessionStage.PASSWORD
    if not user.is_proved:
        return SessionStage.VERIFY
    if needs_factor(user) and not factor_passed:
        return SessionStage.FACTOR
    return SessionStage.FULL


def stage_of_signup(registration: Registration) -> SessionStage:
    """Return the stage of a registration's session: own password if set by another, then codes.

    Source: security rules 5 and 10.
    """
    if registration.must_change_password:
        return SessionStage.PASSWORD
    return SessionStage.VERIFY
