"""Changing one's e-mail or mobile, confirmed by a code sent to the new address.

Whether the new address is taken is revealed only to its owner. The pending change is the code
itself, which names the address it was sent to. Source: security rules 7 to 9, 11, 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance import notifications
from clearance.auth import existing_accounts, one_time_codes, reauthentication, sessions
from clearance.core import audit, urls
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.database import own_transaction, tentatively
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import User, VerificationCode
from clearance.models.enums import Channel, CodePurpose, SessionStage
from clearance.organisations import invitation_responses

PENDING_FOR = timedelta(hours=1)  # for this long, new codes need no password
CONTACT_NAMES = {
    Channel.EMAIL: {"ar": "البريد الإلكتروني", "en": "e-mail address"},
    Channel.SMS: {"ar": "رقم الهاتف الجوال", "en": "mobile number"},
}


class SameAddress(Refused):
    """The new address equals the current one."""

    def __init__(self, channel: Channel) -> None:
        text = {
            Channel.EMAIL: _l("Your account already has this e-mail address."),
            Channel.SMS: _l("Your account already has this mobile number."),
        }
        super().__init__(Refusal(text[channel]))


@dataclass(frozen=True)
class Pending:
    """A new address awaiting its code. expires_at: end of the code, None if it is void."""

    address: str
    sent_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Confirmed:
    """Result of a right code. key: the new session key. refusal: the address is now taken."""

    key: str | None = field(default=None, repr=False)
    refusal: Refusal | None = None


def ask(actor: Actor, channel: Channel, address: str, password: str, now: datetime) -> None:
    """Send a code to the new `address`; if it is taken, notify its owner instead. Flushes.

    address: e-mail lower-cased, mobile in E.164. Slow: call it before the request's first query.
    Raises: WrongPassword; SameAddress; TooManyTries; Refused where no SMS are sent.
    """
    reauthentication.require_current_password(actor, password, kind="account:contact:change")
    if address == _own(actor, channel):
        raise SameAddress(channel)
    one_time_codes.consume_send_quota(
        channel, address, besides=[("contact_account", f"user:{actor.id}")]
    )
    _issue(actor, channel, address, now, tells_owner=True)


def pending(actor: Actor, channel: Channel, now: datetime) -> Pending | None:
    """Return the pending change, read outside the request's transaction."""
    owner = one_time_codes.owner_of(actor)
    query = (
        sa.select(
            VerificationCode.address,
            VerificationCode.created_at,
            VerificationCode.used_at,
            VerificationCode.voided_at,
        )
        .where(
            VerificationCode.owner == owner,
            VerificationCode.purpose == CodePurpose.CONTACT,
            VerificationCode.channel == channel,
        )
        .order_by(VerificationCode.id.desc())
        .limit(1)
    )
    with own_transaction(write=False) as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.used_at is not None or row.voided_at is not None:
        return None
    if row.created_at > latest_past(now) or now - row.created_at >= PENDING_FOR:
        return None
    until = one_time_codes.expires_at(owner, CodePurpose.CONTACT, channel, now)
    return Pending(row.address, row.created_at, until)


def resend(actor: Actor, channel: Channel, now: datetime) -> bool:
    """Send a new code to the pending address, voiding the last; False if none is pending. Flushes.

    Call it before the request's first query. Raises: TooManyTries (once a minute).
    """
    waiting = pending(actor, channel, now)
    if waiting is None:
        return False
    one_time_codes.consume_send_quota(channel, waiting.address)
    _issue(actor, channel, waiting.address, now, tells_owner=False)
    return True


def cancel(actor: Actor, channel: Channel, now: datetime) -> None:
    """Cancel the pending change by voiding its code. Flushes."""
    one_time_codes.revoke(one_time_codes.owner_of(actor), CodePurpose.CONTACT, channel, now)


def confirm(actor: Actor, channel: Channel, code: str, now: datetime) -> Confirmed | None:
    """Change the account's address to the pending one; None if `code` is wrong. Flushes.

    Notifies the old address, ends all other sessions, renews this one's key, and voids codes sent
    to the old address. Call it before the request's first query.
    Raises: TooManyTries.
    """
    waiting = pending(actor, channel, now)
    owner, address = one_time_codes.owner_of(actor), waiting.address if waiting is not None else ""
    code_id = one_time_codes.verify(owner, CodePurpose.CONTACT, channel, address, code, now)
    if code_id is None:
        return None
    user = db.session.get_one(User, actor.id, with_for_update=True, populate_existing=True)
    if not one_time_codes.mark_used(code_id, now):
        return None
    try:
        with db.session.begin_nested():
            _change(user, channel, address, now)
    except (IntegrityError, _Taken):
        return Confirmed(refusal=_taken(user, channel, now))
    if channel == Channel.EMAIL and actor.is_agent:
        invitation_responses.link_open_invitations(user, now)
    sessions.end_sessions(now, user_id=user.id, but=actor.session_id)
    return Confirmed(sessions.renew(actor, SessionStage.FULL, now))


class _Taken(Exception):
    """Another user has taken the address."""


def _own(actor: Actor, channel: Channel) -> str | None:
    column = User.email if channel == Channel.EMAIL else User.mobile
    with own_transaction(write=False) as connection:
        return connection.scalar(sa.select(column).where(User.id == actor.id))


def _issue(
    actor: Actor, channel: Channel, address: str, now: datetime, *, tells_owner: bool
) -> None:
    """Queue the code, or a notice to the address's owner; prepares both, for equal timing."""
    holder = _holder(channel, address)
    one_time_codes.create(
        one_time_codes.owner_of(actor),
        CodePurpose.CONTACT,
        channel,
        address,
        actor.language,
        now,
        deliver=holder is None,
    )
    with tentatively(is_kept=holder is not None and tells_owner):
        notifications.send_to_address(
            "account:contact:known",
            channel=channel,
            address=address,
            language=holder.language if holder is not None else actor.language,
            now=now,
            link=urls.SIGN_IN,
        )


def _holder(channel: Channel, address: str) -> User | None:
    column = User.email if channel == Channel.EMAIL else User.mobile
    return db.session.scalar(sa.select(User).where(column == address).order_by(User.id).limit(1))


def _change(user: User, channel: Channel, address: str, now: datetime) -> None:
    """Set the new address after notifying the old one. Raises: _Taken, IntegrityError."""
    if existing_accounts.is_known(channel, address):
        raise _Taken
    shown = one_time_codes.masked(channel, address)
    # Notify first, while the old address is still the account's.
    notifications.notify_user(
        "account:contact:changed",
        user_id=user.id,
        params={"contact": CONTACT_NAMES[channel], "address": shown, "at": now},
        now=now,
    )
    if channel == Channel.EMAIL:
        before, user.email, user.email_proved_at = user.email, address, now
    else:
        before, user.mobile, user.mobile_proved_at = user.mobile or "", address, now
    user.version += 1
    changes = {str(channel): [one_time_codes.masked(channel, before) if before else None, shown]}
    audit.record("account:contact:changed", obj=user, actor_id=user.id, at=now, changes=changes)


def _taken(user: User, channel: Channel, now: datetime) -> Refusal:
    """Return the Refusal for an address that was verified but taken meanwhile."""
    changes = {"channel": [None, str(channel)]}
    audit.record("account:contact:taken", obj=user, actor_id=user.id, at=now, changes=changes)
    text = {
        Channel.EMAIL: _l("Another account now uses this e-mail address. Yours was not changed."),
        Channel.SMS: _l("Another account now uses this mobile number. Yours was not changed."),
    }
    return Refusal(text[channel], _l("Choose another one, or contact support."))
