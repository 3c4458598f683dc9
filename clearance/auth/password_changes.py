"""Password reset by code, password change, and replacing a password set by somebody else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import (
    existing_accounts,
    known_devices,
    one_time_codes,
    rate_limits,
    reauthentication,
    second_factor,
    sessions,
)
from clearance.auth.passwords import hash_password, is_too_long, password_faults, verify_password
from clearance.auth.registrants import hash_of_sign_up
from clearance.auth.sign_in_stages import next_stage, stage_of_signup
from clearance.core import audit, urls
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, PermissionDenied, TooManyTries
from clearance.core.extensions import db
from clearance.models import PasswordReset, Registration, User
from clearance.models.enums import Channel, CodePurpose, SessionStage

RESET_LIFETIME = timedelta(minutes=10)
MAILED_FOR = timedelta(days=1)  # the longest window of the policy reset_account


class WeakPassword(DomainError):
    """The new password is not acceptable. faults: all reasons, to show beside the field."""

    status_code = 400

    def __init__(self, faults: Sequence[Any]) -> None:
        super().__init__(faults[0])
        self.faults = list(faults)


@dataclass(frozen=True)
class Chosen:
    """Result of a first own password. key: the new session key. stage: the next step."""

    key: str
    stage: SessionStage


_WORDS = ("first_name", "last_name", "latin_name", "email", "mobile", "civil_id")
_OF_BOTH = ("id", "password_hash", *_WORDS)


@dataclass(frozen=True)
class _Person:
    id: int
    password_hash: str
    first_name: str
    last_name: str
    latin_name: str
    email: str
    mobile: str | None
    civil_id: str | None
    is_active: bool
    email_is_due: bool
    mobile_is_due: bool

    @property
    def words(self) -> tuple[str | None, ...]:
        """Personal words that must not make up a password."""
        return tuple(getattr(self, name) for name in _WORDS)


def require_strong(password: str, words: Sequence[str | None]) -> None:
    """Reject a weak password for a person with these `words`. Raises: WeakPassword."""
    faults = password_faults(password, words)
    if faults:
        raise WeakPassword(faults)


def ask_reset(email: str, language: str, now: datetime) -> str:
    """Start a password reset for `email`; same work and answer if it is unknown. Flushes.

    Returns the random reference of the reset page. The mail carries the code and a separate
    reference, so that the requester cannot use up the link's tries. When the mail limit is reached,
    no mail is sent and the last link is renewed instead: the owner is never refused.
    Raises: TooManyTries, for the browser's address only. Source: security rules 11 and 41.
    """
    with own_transaction(write=False) as connection:
        active = sa.select(User.id).where(User.email == email, User.is_active)
        user_id = connection.scalar(active)
    may_mail = _may_mail(email, known_devices.known_here(user_id))
    audit.access(
        "account:reset:ask", object_type="user", detail=one_time_codes.masked(Channel.EMAIL, email)
    )
    if not may_mail:
        _renew_last_link(user_id, now)
        return _open_reset(None, now)
    ref = _open_reset(user_id, now)
    mailed = _open_reset(user_id, now)
    one_time_codes.create(
        _reset_owner(mailed),
        CodePurpose.RESET,
        Channel.EMAIL,
        email,
        language,
        now,
        link=urls.reset_url(mailed),
        deliver=user_id is not None,
        also=_reset_owner(ref),
    )
    return ref


def confirm_reset(ref: str, code: str, new_password: str, now: datetime) -> bool:
    """Set a new password by the mailed code; False if reference or code is wrong. Flushes.

    Ends all sessions, notifies the user, signs nobody in (security rule 4). Slow: call it before
    the request's first query. Raises: TooManyTries; WeakPassword (the code stays usable).
    """
    if is_too_long(new_password):
        require_strong(new_password, ())
    ref = ref[:80]
    asked = _asked(ref, now)
    email = asked.email if asked is not None else ""
    code_id = one_time_codes.verify(
        _reset_owner(ref), CodePurpose.RESET, Channel.EMAIL, email, code, now
    )
    password_hash = hash_password(new_password)  # also for a wrong code, so that timing is equal
    if code_id is None or asked is None:
        return False
    require_strong(new_password, asked.words)
    rate_limits.reset("sign_in_account", asked.email)
    second_factor.forgive(asked.id)
    # Lock the user first, like every password change; another order could deadlock.
    user = db.session.get_one(User, asked.id, with_for_update=True)
    if not (one_time_codes.mark_used(code_id, now) and _use_reset(ref, now)):
        return False
    user.email_proved_at = user.email_proved_at or now
    _set_password(user, password_hash, now, actor_id=user.id)
    sessions.end_sessions(now, user_id=user.id)
    return True


def change_password(actor: Actor, current: str, new: str, now: datetime) -> str:
    """Change the actor's password; returns the new session key.

    Ends all other sessions and notifies the user. Flushes. Slow: call it before the request's first
    query. Raises: WrongPassword; TooManyTries; WeakPassword.
    """
    reauthentication.require_current_password(actor, current, kind="account:password:change")
    _require_new(_person(actor.id), new)
    second_factor.forgive(actor.id)
    password_hash = hash_password(new)
    user = db.session.get_one(User, actor.id, with_for_update=True)
    _set_password(user, password_hash, now, actor_id=actor.id)
    sessions.end_sessions(now, user_id=actor.id, but=actor.session_id)
    return sessions.renew(actor, SessionStage.FULL, now)


def choose_password(actor: Actor, new: str, now: datetime) -> Chosen:
    """Replace a password set by somebody else, at the stage `password`. Flushes.

    Handles both users and registrations of added users. Sends the codes if both are still due.
    Slow: call it before the request's first query. Raises: WeakPassword, also for the replaced
    password itself; PermissionDenied.
    """
    if actor.stage != SessionStage.PASSWORD:
        raise PermissionDenied(_l("You do not need to change your password now."))
    person = _signup(actor) if actor.user_id is None else _person(actor.user_id)
    _require_new(person, new)
    is_signup = actor.user_id is None
    password_hash = hash_of_sign_up(person.email, new) if is_signup else hash_password(new)
    due = _claim_due(person)
    stage = (
        _replace_of_signup(actor, password_hash, due, now)
        if is_signup
        else _replace_of_user(actor, password_hash, due, now)
    )
    return Chosen(sessions.renew(actor, stage, now), stage)


def _replace_of_user(
    actor: Actor, password_hash: str, due: Sequence[tuple[Channel, str]], now: datetime
) -> SessionStage:
    user = db.session.get_one(User, actor.id, with_for_update=True)
    _set_password(user, password_hash, now, actor_id=user.id)
    for channel, address in due:
        one_time_codes.create(
            one_time_codes.owner_of(actor), CodePurpose.VERIFY, channel, address, user.language, now
        )
    sessions.end_sessions(now, user_id=user.id, but=actor.session_id)
    return next_stage(user)


def _replace_of_signup(
    actor: Actor, password_hash: str, due: Sequence[tuple[Channel, str]], now: datetime
) -> SessionStage:
    signup = db.session.get_one(Registration, actor.registration_id, with_for_update=True)
    signup.password_hash = password_hash
    signup.must_change_password = False
    audit.record("account:password:changed", obj=signup, actor_id=None, at=now)
    for channel, address in due:
        one_time_codes.create(
            one_time_codes.owner_of(actor),
            CodePurpose.VERIFY,
            channel,
            address,
            signup.language,
            now,
            deliver=not existing_accounts.is_known(channel, address),
        )
    sessions.end_signup_sessions(now, registration_id=signup.id, but=actor.session_id)
    return stage_of_signup(signup)


def _reset_owner(ref: str) -> str:
    return f"reset:{ref}"


def _may_mail(email: str, device: str) -> bool:
    """Count the request; False if no more mails may be sent now. Raises: TooManyTries.

    device: token of a browser known to the address's owner, which has its own limit; else "".
    """
    if not device:
        rate_limits.consume("reset_ip", rate_limits.client_ip())
    try:
        rate_limits.consume("reset_account", f"{email}\n{device}" if device else email)
    except TooManyTries:
        return False
    return True


def _open_reset(user_id: int | None, now: datetime) -> str:
    """Store a reset and return its random reference."""
    ref = secrets.token_urlsafe(24)
    db.session.add(
        PasswordReset(ref=ref, user_id=user_id, created_at=now, expires_at=now + RESET_LIFETIME)
    )
    db.session.flush()
    return ref


def _renew_last_link(user_id: int | None, now: datetime) -> None:
    """Restart the lifetime of the last mailed reset, unless it was used."""
    last = db.session.scalar(
        sa.select(PasswordReset.ref)
        .where(PasswordReset.user_id == (user_id or 0), PasswordReset.created_at > now - MAILED_FOR)
        .order_by(PasswordReset.id.desc())
        .limit(1)
    )
    changed_rows(
        sa.update(PasswordReset)
        .where(PasswordReset.ref == (last or ""), PasswordReset.used_at.is_(None))
        .values(expires_at=now + RESET_LIFETIME)
    )
    one_time_codes.renew(_reset_owner(last or ""), CodePurpose.RESET, Channel.EMAIL, now)


def _asked(ref: str, now: datetime) -> _Person | None:
    """Return the person of a reset that can still be used, else None."""
    with own_transaction(write=False) as connection:
        user_id = connection.scalar(
            sa.select(PasswordReset.user_id).where(
                PasswordReset.ref == ref,
                PasswordReset.used_at.is_(None),
                PasswordReset.created_at <= latest_past(now),
                PasswordReset.expires_at > now,
            )
        )
    person = _person(user_id) if user_id is not None else None
    return person if person is not None and person.is_active else None


def _use_reset(ref: str, now: datetime) -> bool:
    unused = (PasswordReset.ref == ref, PasswordReset.used_at.is_(None))
    return changed_rows(sa.update(PasswordReset).where(*unused).values(used_at=now)) == 1


def _person(user_id: int) -> _Person:
    row = _read(
        User,
        user_id,
        User.is_active,
        User.email_proved_at.is_(None).label("email_is_due"),
        User.mobile_proved_at.is_(None).label("mobile_is_due"),
    )
    return _Person(**row)


def _signup(actor: Actor) -> _Person:
    row = _read(Registration, actor.registration_id)
    return _Person(**row, is_active=True, email_is_due=True, mobile_is_due=True)


def _read(model: type[User | Registration], row_id: int | None, *further: Any) -> dict[str, Any]:
    columns = (getattr(model, name) for name in _OF_BOTH)
    with own_transaction(write=False) as connection:
        row = connection.execute(sa.select(*columns, *further).where(model.id == row_id)).one()
    return row._asdict()


def _require_new(person: _Person, new: str) -> None:
    require_strong(new, person.words)
    if verify_password(person.password_hash, new):
        raise WeakPassword([_l("This is your current password. Choose another one.")])


def _claim_due(person: _Person) -> list[tuple[Channel, str]]:
    """Count and return the unverified addresses; none if the limit is reached (resend later)."""
    due = []
    if person.email_is_due:
        due.append((Channel.EMAIL, person.email))
    if person.mobile_is_due and person.mobile:
        due.append((Channel.SMS, person.mobile))
    try:
        one_time_codes.consume_send_quotas(due)
    except TooManyTries:
        return []
    return due


def _set_password(user: User, password_hash: str, now: datetime, *, actor_id: int) -> None:
    user.password_hash = password_hash
    user.must_change_password = False
    user.failures_in_a_row = 0
    _void_what_was_begun(user.id, now)
    audit.record("account:password:changed", obj=user, actor_id=actor_id, at=now)
    notifications.notify_user(
        "account:password:changed", user_id=user.id, params={"at": now}, now=now
    )


def _void_what_was_begun(user_id: int, now: datetime) -> None:
    """Void resets and contact changes begun before the password change: an intruder's, perhaps."""
    changed_rows(
        sa.update(PasswordReset)
        .where(PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
    )
    for channel in Channel:
        one_time_codes.revoke(f"user:{user_id}", CodePurpose.CONTACT, channel, now)
