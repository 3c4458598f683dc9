"""Which step of signing in comes next, for a user and for a sign-up."""

from __future__ import annotations

from clearance.models import Registration, User
from clearance.models.enums import STAFF_ROLES, SessionStage


def needs_factor(user: User) -> bool:
    """Whether signing in takes a second factor: staff always, agents who switched it on."""
    return user.role in STAFF_ROLES or user.second_factor


def next_stage(user: User, *, factor_passed: bool = False) -> SessionStage:
    """The stage a session of `user` must be at: own password, then codes, then factor, then all.

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
    """The stage of a sign-up's session: an own password where somebody else chose it, then codes.

    Source: security rules 5 and 10.
    """
    if registration.must_change_password:
        return SessionStage.PASSWORD
    return SessionStage.VERIFY
