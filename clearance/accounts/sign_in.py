"""Sign-in (تسجيل الدخول): uniform refusals, rate limits, known devices, the second factor."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from clearance.auth import known_devices, one_time_codes, rate_limits, second_factor, sessions
from clearance.auth.passwords import (
    hash_password,
    needs_rehash,
    spend_verification_time,
    verify_password,
)
from clearance.auth.registrants import hash_of_sign_up
from clearance.auth.sign_in_stages import next_stage, stage_of_signup
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.database import own_transaction
from clearance.core.errors import PermissionDenied, TooManyTries
from clearance.core.extensions import db
from clearance.models import Invitation, Registration, User
from clearance.models.enums import Channel, SessionStage

FAILURES_IN_A_ROW = 100
REGISTRATION_LIFETIME = timedelta(days=7)
_REGISTRATIONS_TRIED = 1000  # reached only if hundreds of IPs register one e-mail

log = structlog.get_logger("clearance.accounts")


@dataclass(frozen=True)
class SignIn:
    """Result of signing in. key: of the session, None if refused. device: for its cookie."""

    key: str | None
    stage: SessionStage | None
    device: str


@dataclass(frozen=True)
class _Holder:
    """A user or a registration with the typed address."""

    id: int
    password_hash: str
    is_active: bool = True
    failures_in_a_row: int = 0


@dataclass(frozen=True)
class _Attempt:
    """Look-ups made before hashing: holders of the address, and the limits of this try."""

    email: str
    user: _Holder | None
    registrations: tuple[_Holder, ...]
    device: str | None  # its token, only if it is a known device of that user

    @property
    def device_key(self) -> str:
        return f"{self.user.id}:{self.device}" if self.user is not None and self.device else ""

    def tries(self, ip: str) -> list[rate_limits.Pair]:
        """Return the limits that a failure uses up; known browsers have their own."""
        if self.device:
            return [("sign_in_device", self.device_key)]
        return [rate_limits.Shared("sign_in_account", self.email, ip), ("sign_in_ip", ip)]


def sign_in(email: str, password: str, *, ip: str, device: str | None, now: datetime) -> SignIn:
    """Open a session for the user or unverified registration with `email` and `password`.

    ip: the browser's address. device: value of its device cookie. Flushes. Slow: call it before
    the request's first query. An unknown address costs the same hash as a known one (rule 11).
    Raises: TooManyTries, counted before the password is checked; ServiceUnavailable.
    """
    attempt = _look_up(email, device, now)
    try:
        tries = rate_limits.consume_all(attempt.tries(ip))
    except TooManyTries:
        _note("throttled", attempt)
        raise
    owner = _match(attempt, password)
    if owner is None:
        _count_failure(attempt)
        return SignIn(None, None, device or "")
    rate_limits.refund(tries)
    # A registration under a user's address belongs to somebody else until verified.
    _note("accepted" if owner is attempt.user else "accepted_sign_up", attempt)
    _end_present_session(now)
    if owner is attempt.user:
        return _enter_user(owner.id, owner.password_hash, password, device, now)
    registration = db.session.get_one(Registration, owner.id)
    stage = stage_of_signup(registration)
    key = sessions.open_session(registration, stage, now)
    return SignIn(key, stage, known_devices.token_for(device))


def pass_factor(actor: Actor, code: str, *, device: str | None, now: datetime) -> SignIn:
    """Complete sign-in by the second factor; the key is None if the code is wrong.

    device: value of the browser's device cookie; the browser becomes known. Flushes. Call
    it before the request's first query. Raises: TooManyTries; second_factor.OnlyReset;
    PermissionDenied when no second factor is due.
    """
    if actor.stage != SessionStage.FACTOR:
        raise PermissionDenied(_l("There is no sign-in step to complete."))
    token = known_devices.token_for(device)
    if not second_factor.check(actor, code, now):
        return SignIn(None, None, device or "")
    known_devices.remember(actor.id, token, now)
    return SignIn(sessions.renew(actor, SessionStage.FULL, now), SessionStage.FULL, token)


def _look_up(email: str, device: str | None, now: datetime) -> _Attempt:
    with own_transaction(write=False) as connection:
        user = connection.execute(
            sa.select(User.id, User.password_hash, User.is_active, User.failures_in_a_row).where(
                User.email == email
            )
        ).one_or_none()
        registrations = connection.execute(
            sa.select(Registration.id, Registration.password_hash)
            .outerjoin(Invitation, Invitation.id == Registration.invitation_id)
            .where(
                Registration.email == email,
                Registration.completed_at.is_(None),
                Registration.created_at > now - REGISTRATION_LIFETIME,
                Invitation.withdrawn_at.is_(None),
            )
            # Invited people first, so that strangers' registrations cannot crowd them out.
            .order_by(Registration.invitation_id.is_(None), Registration.id.desc())
            .limit(_REGISTRATIONS_TRIED)
        ).all()
    holder = _Holder(*user) if user is not None else None
    is_known = known_devices.is_known(holder.id if holder is not None else None, device)
    signups = tuple(_Holder(*row) for row in registrations)
    return _Attempt(email, holder, signups, device if is_known else None)


def _match(attempt: _Attempt, password: str) -> _Holder | None:
    """Return the password's holder. Two hashes for a wrong one, known address or not (rule 11)."""
    user = attempt.user
    if user is None:
        spend_verification_time(password)
    elif verify_password(user.password_hash, password) and _may_enter(attempt):
        return user
    try:
        made = hash_of_sign_up(attempt.email, password)
    except ValueError:  # too long for any password
        return None
    for registration in attempt.registrations:
        if _is_equal(made, registration.password_hash, password):
            return registration
    return None


def _is_equal(made: str, stored: str, password: str) -> bool:
    """Return whether `stored` matches; hashes again only if salt or parameters differ."""
    if made.rpartition("$")[0] != stored.rpartition("$")[0]:  # costs, salt
        return verify_password(stored, password)
    return hmac.compare_digest(made, stored)


def _may_enter(attempt: _Attempt) -> bool:
    """Return False after 100 failures in a row (only a reset helps), except for known browsers."""
    user = attempt.user
    if user is None or not user.is_active:
        return False
    return bool(user.failures_in_a_row < FAILURES_IN_A_ROW or attempt.device)


def _count_failure(attempt: _Attempt) -> None:
    with own_transaction() as connection:  # the same for an unknown address (rule 11)
        _note("refused", attempt, within=connection)
        connection.execute(
            sa.update(User)
            .where(User.email == attempt.email)
            .values(failures_in_a_row=User.failures_in_a_row + 1)
        )
    if attempt.user is not None and attempt.device:
        _count_device_failure(attempt.user.id, attempt)
    try:
        rate_limits.consume("sign_in_all", "all")
    except TooManyTries:
        log.error("sign_in_alarm", limit="sign_in_all")


def _count_device_failure(user_id: int, attempt: _Attempt) -> None:
    """Count a known browser's failure; after 100 in a row it becomes unknown."""
    try:
        rate_limits.consume("sign_in_device_row", attempt.device_key)
    except TooManyTries:
        known_devices.forget(user_id, attempt.device or "")


def _enter_user(
    user_id: int, stored: str, password: str, device: str | None, now: datetime
) -> SignIn:
    raised = hash_password(password) if needs_rehash(stored) else None
    token = known_devices.token_for(device)
    rate_limits.reset("sign_in_device_row", f"{user_id}:{token}")
    user = db.session.get_one(
        User, user_id, with_for_update=True, execution_options={"populate_existing": True}
    )
    if raised is not None and user.password_hash == stored:
        user.password_hash = raised
    user.failures_in_a_row = 0
    known_devices.tell_if_new(user, token, now)
    stage = next_stage(user)
    if stage != SessionStage.FACTOR:  # a password alone makes no browser known
        known_devices.remember(user.id, token, now)
    return SignIn(sessions.open_session(user, stage, now), stage, token)


def _end_present_session(now: datetime) -> None:
    """End the browser's previous session: one person per browser."""
    session_id = getattr(current_user, "session_id", None)
    if session_id is not None:
        sessions.end_session(now, session_id=session_id)


def _note(result: str, attempt: _Attempt, within: sa.Connection | None = None) -> None:
    audit.access(
        "account:sign_in",
        user_id=attempt.user.id if attempt.user is not None else None,
        object_type="user",
        result=result,
        detail=one_time_codes.masked(Channel.EMAIL, attempt.email),
        within=within,
    )
