"""One-time codes (رمز التحقق): create, send, verify, use. Source: security rules 7 to 9."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import phonenumbers
import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from clearance import notifications
from clearance.auth import rate_limits
from clearance.core import audit, crypto
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction, tentatively
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.core.values import ascii_digits, mask_email, mask_mobile
from clearance.models import VerificationCode
from clearance.models.enums import Channel, CodePurpose

LIFETIME = timedelta(minutes=10)
TRIES = 5
RESEND_AFTER_SECONDS = 60  # the shortest limit of the policies code_sent_*
RESET_LENGTH = 8
RESET_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def owner_of(actor: Actor) -> str:
    """Return the owner key of an actor's codes: a user, or an unverified registration."""
    if actor.user_id is not None:
        return f"user:{actor.user_id}"
    return f"registration:{actor.registration_id}"


def consume_send_quota(
    channel: Channel, address: str, *, besides: Sequence[rate_limits.Pair] = ()
) -> None:
    """Count one code against the sending limits of `address`; see `consume_send_quotas`."""
    consume_send_quotas([(channel, address)], besides=besides)


def consume_send_quotas(
    targets: Sequence[tuple[Channel, str]], *, besides: Sequence[rate_limits.Pair] = ()
) -> None:
    """Count one code for every (channel, address) against the sending limits, or none at all.

    besides: further limits to count, all or nothing with the codes. Codes that others sent to an
    address only delay, since anyone may name it (rule 41). Runs in its own transaction: call it
    before the request's first query, then `create`.
    Raises: TooManyTries; Refused for a mobile in a country not served by SMS (rule 41).
    """
    place = rate_limits.client_ip()
    pairs = [*besides]
    for channel, address in targets:
        pairs += rate_limits.of_target(f"code_sent_{channel}", address, place)
        pairs.append(("code_sent_ip", place))
        if channel == Channel.SMS:
            _require_served(address)
            pairs.append(("sms_all", "all"))
    rate_limits.consume_all(pairs)
    for channel, address in targets:
        audit.access("code:send", object_type="code", detail=masked(channel, address))


def consume_own_quota(owner: str, device: str, channel: Channel, address: str) -> None:
    """Count a code sent to the verified address of `owner`, who has just entered their password.

    device: token of the browser if it has signed in as the owner before, else "". The limits are
    separate: strangers naming that address in a registration or contact change must not exhaust the
    owner's, nor may somebody with a stolen password exhaust those of a known browser (rule 41).
    Raises: TooManyTries.
    """
    place = rate_limits.client_ip()
    if device:
        rate_limits.consume("code_sent_own", f"{owner}:{device}")
    else:
        strangers = rate_limits.of_target("code_sent_own", owner, place)
        rate_limits.consume_all([*strangers, ("code_sent_ip", place)])
    audit.access("code:send", object_type="code", detail=masked(channel, address))


def create(
    owner: str,
    purpose: CodePurpose,
    channel: Channel,
    address: str,
    language: str,
    now: datetime,
    *,
    link: str = "",
    deliver: bool = True,
    also: str = "",
) -> VerificationCode:
    """Create and queue a code; void the owner's older one of that purpose and channel. Flushes.

    link: where to enter it (reset). deliver: False does the same work but queues nothing, so that
    known and unknown addresses take equally long. also: another owner who may use the same code,
    with five tries of their own.
    """
    code = _new_code(purpose)
    if also:
        _keep(also, purpose, channel, address, code, now)
    revoke(owner, purpose, channel, now)
    row = _keep(owner, purpose, channel, address, code, now)
    with tentatively(is_kept=deliver):
        notifications.send_code(
            purpose=purpose,
            channel=channel,
            address=address,
            language=language,
            code=code,
            expires_at=row.expires_at,
            now=now,
            link=link,
        )
    return row


def revoke(owner: str, purpose: CodePurpose, channel: Channel, now: datetime) -> None:
    """Void the owner's active codes of that purpose and channel. Flushes."""
    changed_rows(
        sa.update(VerificationCode).where(*_living(owner, purpose, channel)).values(voided_at=now)
    )


def renew(owner: str, purpose: CodePurpose, channel: Channel, now: datetime) -> None:
    """Restart the lifetime of the owner's code; the remaining tries do not change."""
    changed_rows(
        sa.update(VerificationCode)
        .where(*_living(owner, purpose, channel))
        .values(expires_at=now + LIFETIME)
    )


def verify(
    owner: str,
    purpose: CodePurpose,
    channel: Channel,
    address: str,
    typed: str,
    now: datetime,
    *,
    budget: Sequence[rate_limits.Pair] = (),
) -> int | None:
    """Take one of the code's five tries, then compare. Returns the code's id on a match, else None.

    The try is committed in its own transaction before comparing, so that concurrent guesses get
    five comparisons at most. Call `mark_used` with the id afterwards.
    budget: limits to count the try against, if others could exhaust the owner's.
    Raises: TooManyTries.
    """
    own = [("code_try_account", f"{owner}:{channel}"), ("code_try_ip", rate_limits.client_ip())]
    rate_limits.consume_all(budget or own)
    row = _take_try(owner, purpose, channel, address, now)
    is_right = row is not None and compare(
        _normal(typed), row.code_hash, _binding(owner, purpose, channel, address)
    )
    audit.access(
        "code:try",
        object_type="code",
        object_id=owner,
        result="right" if is_right else "wrong" if row is not None else "none_living",
        detail=masked(channel, address),
    )
    return row.id if row is not None and is_right else None


def mark_used(code_id: int, now: datetime) -> bool:
    """Mark a matching code used; False if it was already used or voided. Flushes."""
    unused = (VerificationCode.used_at.is_(None), VerificationCode.voided_at.is_(None))
    code = sa.update(VerificationCode).where(VerificationCode.id == code_id, *unused)
    return changed_rows(code.values(used_at=now)) == 1


def check(
    owner: str,
    purpose: CodePurpose,
    channel: Channel,
    address: str,
    typed: str,
    now: datetime,
) -> bool:
    """Verify and use a code; call it before writing anything. Raises: TooManyTries."""
    code_id = verify(owner, purpose, channel, address, typed, now)
    return code_id is not None and mark_used(code_id, now)


def expires_at(
    owner: str, purpose: CodePurpose, channel: Channel, now: datetime
) -> datetime | None:
    """Return when the owner's active code of that purpose and channel expires, or None.

    Reads outside the request's transaction.
    """
    query = sa.select(sa.func.max(VerificationCode.expires_at)).where(
        *_living(owner, purpose, channel),
        VerificationCode.created_at <= latest_past(now),
        VerificationCode.expires_at > now,
        VerificationCode.tries_left > 0,
    )
    with own_transaction(write=False) as connection:
        return connection.scalar(query)


def seconds_until_resend(until: datetime | None, now: datetime) -> int:
    """Return the seconds until a new code may be requested; a hint only, the rate limit decides.

    until: when the last code expires, or None if none is valid.
    """
    if until is None:
        return 0
    age = LIFETIME - (until - now)
    return max(0, math.ceil(RESEND_AFTER_SECONDS - age.total_seconds()))


def compare(typed: str, digest: str, binding: str) -> bool:
    """Compare a typed code with a stored hash in constant time."""
    return crypto.matches(f"{binding}\n{typed}", digest, "code")


def is_served(mobile: str) -> bool:
    """Return whether SMS are sent to the country of `mobile` (E.164); see SMS_COUNTRIES."""
    served = current_app.extensions["settings"].sms_countries
    return phonenumbers.region_code_for_number(phonenumbers.parse(mobile)) in served


def masked(channel: str, address: str) -> str:
    """Return the address masked for logs and events."""
    return mask_email(address) if channel == Channel.EMAIL else mask_mobile(address)


def _require_served(mobile: str) -> None:
    if not is_served(mobile):
        raise Refused(
            Refusal(
                _l("We cannot send SMS to mobile numbers in this country."),
                _l("Enter a Kuwaiti mobile number."),
            )
        )


def _new_code(purpose: CodePurpose) -> str:
    if purpose == CodePurpose.RESET:
        return "".join(secrets.choice(RESET_ALPHABET) for _ in range(RESET_LENGTH))
    return f"{secrets.randbelow(10**6):06d}"


def _keep(
    owner: str, purpose: CodePurpose, channel: Channel, address: str, code: str, now: datetime
) -> VerificationCode:
    row = VerificationCode(
        owner=owner,
        purpose=purpose,
        channel=channel,
        address=address,
        code_hash=_hash(owner, purpose, channel, address, code),
        created_at=now,
        expires_at=now + LIFETIME,
        tries_left=TRIES,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _normal(typed: str) -> str:
    return "".join(ascii_digits(typed).split()).upper()


def _binding(owner: str, purpose: str, channel: str, address: str) -> str:
    return "\n".join((owner, purpose, channel, address))


def _hash(owner: str, purpose: str, channel: str, address: str, code: str) -> str:
    return crypto.keyed_hash(f"{_binding(owner, purpose, channel, address)}\n{code}", "code")


def _living(owner: str, purpose: str, channel: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        VerificationCode.owner == owner,
        VerificationCode.purpose == purpose,
        VerificationCode.channel == channel,
        VerificationCode.used_at.is_(None),
        VerificationCode.voided_at.is_(None),
    )


def _take_try(
    owner: str, purpose: str, channel: str, address: str, now: datetime
) -> sa.Row[int, str] | None:
    """Take a try of the newest code, if it is active; codes dated in the future are not."""
    newer = aliased(VerificationCode)
    newest = (
        sa.select(sa.func.max(newer.id))
        .where(newer.owner == owner, newer.purpose == purpose, newer.channel == channel)
        .scalar_subquery()
    )
    statement = (
        sa.update(VerificationCode)
        .where(
            *_living(owner, purpose, channel),
            VerificationCode.id == newest,
            VerificationCode.address == address,
            VerificationCode.tries_left > 0,
            VerificationCode.created_at <= latest_past(now),
            VerificationCode.expires_at > now,
        )
        .values(tries_left=VerificationCode.tries_left - 1)
        .returning(VerificationCode.id, VerificationCode.code_hash)
    )
    with own_transaction() as connection:
        return connection.execute(statement).one_or_none()
