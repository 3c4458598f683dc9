"""The second factor: a time-based code of an app, a code by e-mail where none is set, spare codes.

Source: security rule 12.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import audit, codes, notices, secrets_box, throttle
from clearance.actor import Actor
from clearance.database import own_transaction
from clearance.errors import DomainError
from clearance.extensions import db
from clearance.models import RecoveryCode, User, VerificationCode
from clearance.passwords import verify_password
from clearance.values import ascii_digits
from clearance.vocabulary import Channel, CodePurpose

ISSUER = "Clearance"
STEP_SECONDS = 30
SPARE_CODES = 10
SPARE_LENGTH = 10
RESEND_AFTER = timedelta(seconds=60)


def uses_totp(user_id: int) -> bool:
    """Whether the user's second factor is an app (else codes come by e-mail)."""
    return _secret(user_id) is not None


def start(actor: Actor, now: datetime) -> None:
    """Send the code by e-mail where no app is set up; nothing when one went out just now. Flushes.

    Call it with no transaction begun (after the commit of the sign-in). Raises: TooManyTries.
    """
    owner = codes.owner_of(actor)
    if uses_totp(actor.id) or _is_fresh(owner, now):
        return
    codes.send(owner, CodePurpose.FACTOR, Channel.EMAIL, actor.email, actor.language, now)


def check(actor: Actor, code: str, now: datetime) -> bool:
    """Whether `code` is the actor's second factor now; each app's step and code works once.

    Counted before it is compared. Call it before the request's first query. Flushes.
    Raises: TooManyTries.
    """
    owner = codes.owner_of(actor)
    secret = _secret(actor.id)
    if secret is None:
        return codes.check(owner, CodePurpose.FACTOR, Channel.EMAIL, actor.email, code, now)
    throttle.hit_all(
        [("code_try_account", f"{owner}:totp"), ("code_try_ip", throttle.client_ip())], now
    )
    typed = "".join(ascii_digits(code).split())
    is_right = _use_step(actor.id, secret, typed, now) or _use_spare(actor.id, typed, now)
    audit.access(
        "factor:try",
        user_id=actor.id,
        object_type="user",
        object_id=str(actor.id),
        result="right" if is_right else "wrong",
    )
    return is_right


def new_secret() -> str:
    """A fresh secret for an app, to be shown once and confirmed by `enrol`."""
    return pyotp.random_base32()


def enrolment_uri(actor: Actor, secret: str) -> str:
    """The otpauth address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)


def enrol(actor: Actor, secret: str, code: str, password: str, now: datetime) -> list[str] | None:
    """Make `secret` the actor's second factor once a code of it is right. Flushes.

    Asks for the password again. Returns spare codes to show once; None when the code is wrong.
    Slow: call it before the request's first query. Raises: DomainError for a wrong password;
    TooManyTries.
    """
    _require_password(actor, password, now)
    step = _step_of(secret, "".join(ascii_digits(code).split()), now)
    if step is None:
        return None
    spares = [_spare() for _ in range(SPARE_CODES)]
    user = db.session.get_one(User, actor.id, with_for_update=True)
    user.totp_secret, user.totp_last_step = secrets_box.seal(secret), step
    user.second_factor = True
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all(
        RecoveryCode(user_id=user.id, code_hash=_spare_hash(user.id, spare)) for spare in spares
    )
    _tell_change(user, "account:factor:enrolled", now)
    return spares


def switch_off(actor: Actor, password: str, now: datetime) -> None:
    """Take the app away; staff go on with codes by e-mail, agents without a factor. Flushes.

    Slow: call it before the request's first query. Raises: DomainError for a wrong password;
    TooManyTries.
    """
    _require_password(actor, password, now)
    user = db.session.get_one(User, actor.id, with_for_update=True)
    user.totp_secret = user.totp_last_step = None
    user.second_factor = False
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    _tell_change(user, "account:factor:removed", now)


def _secret(user_id: int) -> str | None:
    with own_transaction(write=False) as connection:
        sealed = connection.scalar(sa.select(User.totp_secret).where(User.id == user_id))
    return secrets_box.open(sealed) if sealed else None


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
    return newest is not None and timedelta(0) <= now - newest < RESEND_AFTER


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The time step, this one or a neighbour, whose code was typed; None for none."""
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), typed):
            return step
    return None


def _use_step(user_id: int, secret: str, typed: str, now: datetime) -> bool:
    step = _step_of(secret, typed, now)
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


def _use_spare(user_id: int, typed: str, now: datetime) -> bool:
    if len(typed) != SPARE_LENGTH:
        return False
    with own_transaction() as connection:
        rows = connection.execute(
            sa.select(RecoveryCode.id, RecoveryCode.code_hash).where(
                RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
            )
        ).all()
        content = _spare_content(user_id, typed.upper())
        found = [row.id for row in rows if secrets_box.matches(content, row.code_hash, "spare")]
        used = connection.execute(
            sa.update(RecoveryCode)
            .where(RecoveryCode.id.in_(found), RecoveryCode.used_at.is_(None))
            .values(used_at=now)
        )
        return used.rowcount == 1


def _spare() -> str:
    return "".join(secrets.choice(codes.RESET_ALPHABET) for _ in range(SPARE_LENGTH))


def _spare_content(user_id: int, spare: str) -> str:
    return f"{user_id}\n{spare}"


def _spare_hash(user_id: int, spare: str) -> str:
    return secrets_box.keyed_hash(_spare_content(user_id, spare), "spare")


def _require_password(actor: Actor, password: str, now: datetime) -> None:
    tries = [("sign_in_account", f"factor:{actor.id}")]
    throttle.hit_all(tries, now)
    with own_transaction(write=False) as connection:
        stored = connection.scalar(sa.select(User.password_hash).where(User.id == actor.id))
    if not verify_password(stored or "", password):
        audit.access("factor:change", user_id=actor.id, result="wrong_password")
        raise DomainError(_l("This is not your present password."))
    throttle.refund(tries, now)


def _tell_change(user: User, kind: str, now: datetime) -> None:
    audit.record(kind, obj=user, actor_id=user.id, at=now)
    notices.tell("account:factor:changed", user_id=user.id, params={"at": now}, now=now)
