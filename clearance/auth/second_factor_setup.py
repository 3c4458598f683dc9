"""Second factor settings: set up the app, renew recovery codes, remove the app.

Every change asks for the password, notifies the user, ends other sessions and renews this one's
key. Source: security rules 4, 12, 15 and 16.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyotp
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import reauthentication, recovery_codes, second_factor, sessions
from clearance.auth.one_time_codes import owner_of
from clearance.core import audit, crypto, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import SessionStage

ISSUER = "Clearance"
SETUP_LIFETIME = timedelta(minutes=15)
_SEALED_FOR = "factor-setup"  # purpose tag: other sealed values are rejected


class SetupExpired(DomainError):
    """The set-up page has expired or belongs to another session."""

    message = _l("This page has expired. Scan the new code below with your app and continue.")


class AlreadyDone(DomainError):
    """The form was already submitted; recovery codes are shown once."""

    message = _l("This was already done. The recovery codes were shown once.")


class NoApp(DomainError):
    """No app is set up."""

    message = _l("No authenticator app is set up for your account.")


@dataclass(frozen=True)
class Setup:
    """An app secret before enrolment. token: sealed, for the page. key: one-time key."""

    secret: str = field(repr=False)
    key: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Changed:
    """Result of a change. key: the new session key. spares: recovery codes, shown once."""

    key: str = field(repr=False)
    spares: list[str] = field(default_factory=list, repr=False)


def begin(actor: Actor, now: datetime) -> Setup:
    """Return a new secret for the actor's app; it has no effect until `enable`.

    The page carries it sealed with user, session and time, so that nobody can plant a known secret
    in another's page.
    """
    secret, key = pyotp.random_base32(), idempotency.new()
    content = [_SEALED_FOR, *_place(actor), now.timestamp(), key, secret]
    return Setup(secret, key, crypto.encrypt(json.dumps(content)))


def resume(actor: Actor, token: str, now: datetime) -> Setup:
    """Return the set-up that `begin` sealed for this session. Raises: SetupExpired."""
    try:
        purpose, user_id, session, began, key, secret = json.loads(crypto.decrypt(token))
    except (ValueError, TypeError):
        raise SetupExpired from None
    if purpose != _SEALED_FOR or (user_id, session) != _place(actor):
        raise SetupExpired
    begun_at = datetime.fromtimestamp(began, UTC)
    if begun_at > latest_past(now) or now - begun_at > SETUP_LIFETIME:
        raise SetupExpired
    return Setup(secret, key, token)


def uri(actor: Actor, setup: Setup) -> str:
    """Return the otpauth URI for the QR code."""
    return pyotp.TOTP(setup.secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)


def enable(actor: Actor, setup: Setup, code: str, password: str, now: datetime) -> Changed | None:
    """Make the secret of `setup` the actor's second factor; None if `code` is wrong.

    Voids the previous app and its recovery codes. The code used here cannot be used again.
    Flushes. Slow: call it before the request's first query.
    Raises: WrongPassword; AlreadyDone for a set-up used before; TooManyTries.
    """
    reauthentication.require_current_password(actor, password, kind="factor:change")
    step = second_factor.step_of(setup.secret, code, now)
    if step is None:
        audit.access("factor:change", user_id=actor.id, result="wrong_code")
        return None
    _claim(actor, setup.key, now)
    user = _locked(actor)
    before = second_factor.means_of(user)
    user.totp_secret, user.totp_last_step = crypto.encrypt(setup.secret), step
    user.second_factor = True
    spares = recovery_codes.replace(user.id)
    return _changed(actor, user, "account:factor:enrolled", before, now, spares)


def new_spare_codes(actor: Actor, password: str, form_key: str, now: datetime) -> Changed:
    """Replace the actor's recovery codes. form_key: the form's one-time key. Flushes.

    Slow: call it before the request's first query.
    Raises: WrongPassword; AlreadyDone; NoApp; TooManyTries.
    """
    reauthentication.require_current_password(actor, password, kind="factor:change")
    _claim(actor, form_key, now)
    user = _locked(actor)
    if user.totp_secret is None:
        raise NoApp
    spares = recovery_codes.replace(user.id)
    return _changed(actor, user, "account:factor:spares", second_factor.Means.APP, now, spares)


def disable(actor: Actor, password: str, now: datetime) -> Changed:
    """Remove the app; staff fall back to codes by e-mail, agents to no second factor. Flushes.

    Slow: call it before the request's first query. Raises: WrongPassword; NoApp; TooManyTries.
    """
    reauthentication.require_current_password(actor, password, kind="factor:change")
    user = _locked(actor)
    if user.totp_secret is None:
        raise NoApp
    before = remove_for(user)
    return _changed(actor, user, "account:factor:removed", before, now, [])


def remove_for(user: User) -> second_factor.Means:
    """Remove the user's app and recovery codes. Flushes. Returns the previous means.

    The caller checks permission, notifies the user and ends sessions.
    """
    before = second_factor.means_of(user)
    user.totp_secret = user.totp_last_step = None
    user.second_factor = False
    recovery_codes.drop(user.id)
    return before


def tell(
    user: User,
    kind: str,
    before: second_factor.Means,
    now: datetime,
    *,
    actor_id: int,
    reason: str = "",
) -> None:
    """Record the event `kind` of a change and notify the user. Flushes."""
    changes = {"second_factor": [before, second_factor.means_of(user)]}
    audit.record(kind, obj=user, actor_id=actor_id, at=now, reason=reason, changes=changes)
    notifications.notify_user(
        "account:factor:changed", user_id=user.id, params={"at": now}, now=now
    )


def _place(actor: Actor) -> tuple[int, str]:
    """Return the user id and the session that the set-up is bound to."""
    return actor.id, sessions.key_hash(actor.key)


def _claim(actor: Actor, key: str, now: datetime) -> None:
    if idempotency.claim(key, owner_of(actor), "", now) is not None:
        raise AlreadyDone


def _locked(actor: Actor) -> User:
    return db.session.get_one(User, actor.id, with_for_update=True, populate_existing=True)


def _changed(
    actor: Actor,
    user: User,
    kind: str,
    before: second_factor.Means,
    now: datetime,
    spares: list[str],
) -> Changed:
    tell(user, kind, before, now, actor_id=actor.id)
    sessions.end_sessions(now, user_id=user.id, but=actor.session_id)
    return Changed(sessions.renew(actor, SessionStage.FULL, now), spares)
