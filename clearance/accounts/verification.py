"""Verification (التحقق): check and resend the codes of registrations and added users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.accounts import registration as account_registration
from clearance.auth import existing_accounts, known_devices, one_time_codes, sessions
from clearance.auth.sign_in_stages import next_stage
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound, PermissionDenied, Refusal
from clearance.core.extensions import db
from clearance.models import Registration, User
from clearance.models.enums import Channel, CodePurpose, SessionStage

Owner = TypeVar("Owner", User, Registration)


@dataclass(frozen=True)
class Contacts:
    """Contacts to verify, and their state. Mask the addresses for display.

    email_expires_at, mobile_expires_at: end of the active code, None if there is none.
    """

    email: str
    mobile: str
    email_ok: bool
    mobile_ok: bool
    email_expires_at: datetime | None
    mobile_expires_at: datetime | None

    def of(self, channel: Channel) -> tuple[str, bool]:
        """Return the address of that channel and whether it is verified."""
        if channel == Channel.EMAIL:
            return self.email, self.email_ok
        return self.mobile, self.mobile_ok


@dataclass(frozen=True)
class Verified:
    """Result of the codes. email_ok, mobile_ok: verified, now or earlier.

    key, stage: of the session once both are verified. refusal: both are, but no account can be
    created; the session has ended.
    """

    email_ok: bool
    mobile_ok: bool
    key: str | None = None
    stage: SessionStage | None = None
    refusal: Refusal | None = None


def contacts(actor: Actor) -> Contacts:
    """Return the actor's contacts, read outside the request's transaction."""
    model = User if actor.user_id is not None else Registration
    owner_id = actor.user_id if actor.user_id is not None else actor.registration_id
    with own_transaction(write=False) as connection:
        row = connection.execute(
            sa.select(
                model.email, model.mobile, model.email_proved_at, model.mobile_proved_at
            ).where(model.id == owner_id)
        ).one_or_none()
    if row is None:
        raise NotFound
    owner, now = one_time_codes.owner_of(actor), utc_now()
    return Contacts(
        row.email,
        row.mobile or "",
        row.email_proved_at is not None,
        row.mobile_proved_at is not None,
        one_time_codes.expires_at(owner, CodePurpose.VERIFY, Channel.EMAIL, now),
        one_time_codes.expires_at(owner, CodePurpose.VERIFY, Channel.SMS, now),
    )


def proved(actor: Actor) -> tuple[bool, bool]:
    """Return whether the actor's e-mail and mobile are verified already."""
    current = contacts(actor)
    return current.email_ok, current.mobile_ok


def verify(
    actor: Actor,
    email_code: str | None,
    mobile_code: str | None,
    now: datetime,
    *,
    device: str | None = None,
) -> Verified:
    """Check the typed codes; once both contacts are verified, complete sign-in. Flushes.

    A right code is accepted even if the other is wrong. After the second one a registration becomes
    a user with an organisation. device: value of the browser's device cookie.
    Call it before the request's first query. Raises: TooManyTries; PermissionDenied.
    Source: specification section 3, security rules 8 to 10.
    """
    if actor.stage != SessionStage.VERIFY:
        raise PermissionDenied(_l("Your contact details are already verified."))
    current = contacts(actor)
    right = _try_codes(actor, current, {Channel.EMAIL: email_code, Channel.SMS: mobile_code}, now)
    owner = _locked_owner(actor)
    if Channel.EMAIL in right and one_time_codes.mark_used(right[Channel.EMAIL], now):
        owner.email_proved_at = owner.email_proved_at or now
    if Channel.SMS in right and one_time_codes.mark_used(right[Channel.SMS], now):
        owner.mobile_proved_at = owner.mobile_proved_at or now
    db.session.flush()
    email_ok, mobile_ok = owner.email_proved_at is not None, owner.mobile_proved_at is not None
    if not (email_ok and mobile_ok):
        return Verified(email_ok, mobile_ok)
    if isinstance(owner, User):
        return _open_user(actor, owner, now)
    return _open_registration(actor, owner, device, now)


def resend(actor: Actor, channel: Channel, now: datetime) -> None:
    """Send a new code to the actor's e-mail or mobile, voiding the one before. Flushes.

    Does nothing for a verified contact. Call it before the request's first query.
    Raises: TooManyTries (once a minute); PermissionDenied.
    """
    if actor.stage != SessionStage.VERIFY:
        raise PermissionDenied(_l("Your contact details are already verified."))
    address, is_proved = contacts(actor).of(channel)
    if is_proved or not address:
        return
    one_time_codes.consume_send_quota(channel, address)
    one_time_codes.create(
        one_time_codes.owner_of(actor),
        CodePurpose.VERIFY,
        channel,
        address,
        actor.language,
        now,
        deliver=actor.user_id is not None or not existing_accounts.is_known(channel, address),
    )


def _try_codes(
    actor: Actor, told: Contacts, typed: dict[Channel, str | None], now: datetime
) -> dict[Channel, int]:
    """Return the ids of the right codes; takes all tries before the transaction that uses them."""
    right = {}
    for channel, code in typed.items():
        address, is_proved = told.of(channel)
        if code and not is_proved:
            code_id = one_time_codes.verify(
                one_time_codes.owner_of(actor), CodePurpose.VERIFY, channel, address, code, now
            )
            if code_id is not None:
                right[channel] = code_id
    return right


def _locked_owner(actor: Actor) -> User | Registration:
    if actor.user_id is not None:
        return _locked(User, actor.user_id)
    return _locked(Registration, actor.registration_id)


def _locked(model: type[Owner], owner_id: int | None) -> Owner:
    owner = db.session.get(
        model, owner_id, with_for_update=True, execution_options={"populate_existing": True}
    )
    if owner is None:
        raise NotFound
    return owner


def _open_user(actor: Actor, user: User, now: datetime) -> Verified:
    audit.record("account:contact:proved", obj=user, actor_id=user.id, at=now)
    stage = next_stage(user)
    return Verified(True, True, sessions.renew(actor, stage, now), stage)


def _open_registration(
    actor: Actor, registration: Registration, device: str | None, now: datetime
) -> Verified:
    made = account_registration.complete(registration, now)
    if actor.session_id is not None:
        sessions.end_session(now, session_id=actor.session_id)
    if isinstance(made, Refusal):
        return Verified(True, True, refusal=made)
    if device:
        known_devices.remember(made.id, device, now)
    stage = next_stage(made)
    return Verified(True, True, sessions.open_session(made, stage, now), stage)
