"""Second factor at sign-in: a TOTP app code or recovery code, otherwise a code by e-mail.

Source: security rule 12.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import known_devices, one_time_codes, rate_limits, recovery_codes
from clearance.auth.sign_in_stages import needs_factor
from clearance.core import audit, crypto
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, TooManyTries
from clearance.core.values import ascii_digits
from clearance.models import User, VerificationCode
from clearance.models.enums import Channel, CodePurpose, Labelled

STEP_SECONDS = 30
RESEND_AFTER = timedelta(seconds=60)


class OnlyReset(DomainError):
    """A hundred wrong codes in a row: the password is probably stolen and must be reset."""

    status_code = 403
    message = _l(
        "Too many wrong codes in a row. Set a new password (“Forgotten your password?” on "
        "the sign-in page), then sign in again."
    )


class Means(Labelled):
    """A user's means of authentication besides the password."""

    APP = "app", _l("Authenticator app"), "success"
    EMAIL = "email", _l("By e-mail"), "info"
    NONE = "none", _l("None"), "warning"


def means_of(user: User) -> Means:
    """Return the user's current second factor; staff without an app get codes by e-mail."""
    if user.totp_secret is not None:
        return Means.APP
    return Means.EMAIL if needs_factor(user) else Means.NONE


def uses_totp(user_id: int) -> bool:
    """Return whether the user's second factor is an app (otherwise e-mail)."""
    return _secret(user_id) is not None


def start(actor: Actor, now: datetime) -> None:
    """E-mail the code if no app is set up, unless one was just sent. Flushes.

    Call it outside a transaction (after the sign-in commit). Raises: TooManyTries.
    """
    owner = one_time_codes.owner_of(actor)
    if uses_totp(actor.id) or _is_fresh(owner, now):
        return
    one_time_codes.consume_own_quota(
        owner, known_devices.known_here(actor.id), Channel.EMAIL, actor.email
    )
    one_time_codes.create(
        owner, CodePurpose.FACTOR, Channel.EMAIL, actor.email, actor.language, now
    )


def check(actor: Actor, code: str, now: datetime) -> bool:
    """Return whether `code` is the actor's second factor now; app steps and codes work once.

    Counts the try before comparing. Call it before the request's first query. Flushes.
    Raises: TooManyTries; OnlyReset.
    """
    device = known_devices.known_here(actor.id)
    receipt = _count_in_a_row(actor.id, device)
    try:
        is_right, code_id = _try(actor, device, code, now)
    except TooManyTries:
        rate_limits.refund(receipt)  # nothing was compared
        raise
    if is_right:
        rate_limits.reset(*_in_a_row(actor.id, device))
    return is_right if code_id is None else one_time_codes.mark_used(code_id, now)


def forgive(user_id: int) -> None:
    """Clear the wrong codes of unknown browsers, once the password they used is void."""
    rate_limits.reset(*_in_a_row(user_id, ""))


def _in_a_row(user_id: int, device: str) -> tuple[str, str]:
    return "factor_row", f"user:{user_id}:{device}"


def _count_in_a_row(user_id: int, device: str) -> rate_limits.Receipt:
    """Count a consecutive failure. A known browser that reaches a hundred becomes unknown.

    Raises: OnlyReset.
    """
    try:
        return rate_limits.consume(*_in_a_row(user_id, device))
    except TooManyTries:
        if device:
            known_devices.forget(user_id, device)
        raise OnlyReset from None


def _try(actor: Actor, device: str, code: str, now: datetime) -> tuple[bool, int | None]:
    """Return whether the code is right, and the id to mark used if it was mailed."""
    secret = _secret(actor.id)
    if secret is not None:
        return _try_app(actor, device, secret, code, now), None
    code_id = _try_mailed(actor, device, code, now)
    return code_id is not None, code_id


def _budget(actor: Actor, means: str, device: str) -> list[rate_limits.Pair]:
    """Return the limits of a try; a stolen password cannot use up those of a known browser."""
    key, place = f"{one_time_codes.owner_of(actor)}:{means}", rate_limits.client_ip()
    if device:
        return [("code_try_account", f"{key}:{device}")]
    return [rate_limits.Shared("code_try_account", key, place), ("code_try_ip", place)]


def _try_mailed(actor: Actor, device: str, code: str, now: datetime) -> int | None:
    owner, budget = one_time_codes.owner_of(actor), _budget(actor, CodePurpose.FACTOR, device)
    return one_time_codes.verify(
        owner, CodePurpose.FACTOR, Channel.EMAIL, actor.email, code, now, budget=budget
    )


def _try_app(actor: Actor, device: str, secret: str, code: str, now: datetime) -> bool:
    rate_limits.consume_all(_budget(actor, "totp", device))
    typed = "".join(ascii_digits(code).split())
    is_right = _use_step(actor.id, secret, typed, now) or recovery_codes.use(actor.id, typed, now)
    audit.access(
        "factor:try",
        user_id=actor.id,
        object_type="user",
        object_id=str(actor.id),
        result="right" if is_right else "wrong",
    )
    return is_right


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """Return the time step, current or adjacent, of the typed code, else None.

    typed: raw input: digits of either script, spaces allowed.
    """
    digits = "".join(ascii_digits(typed).split())
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            return step
    return None


def _secret(user_id: int) -> str | None:
    with own_transaction(write=False) as connection:
        sealed = connection.scalar(sa.select(User.totp_secret).where(User.id == user_id))
    return crypto.decrypt(sealed) if sealed else None


def _is_fresh(owner: str, now: datetime) -> bool:
    with own_transaction(write=False) as connection:
        newest = connection.scalar(
            sa.select(sa.func.max(VerificationCode.created_at)).where(
                VerificationCode.owner == owner,
                VerificationCode.purpose == CodePurpose.FACTOR,
                VerificationCode.used_at.is_(None),
                VerificationCode.voided_at.is_(None),
                VerificationCode.tries_left > 0,
            )
        )
    return newest is not None and newest <= latest_past(now) and now - newest < RESEND_AFTER


def _use_step(user_id: int, secret: str, typed: str, now: datetime) -> bool:
    step = step_of(secret, typed, now)
    if step is None:
        return False
    with own_transaction() as connection:
        used = connection.execute(
            sa.update(User)
            .where(
                User.id == user_id,
                sa.or_(User.totp_last_step.is_(None), User.totp_last_step < step),
            )
            .values(totp_last_step=step)
        )
        return used.rowcount == 1
