"""One-time codes (رمز التحقق): made, sent, tried and used. Source: security rules 7 to 9."""

from __future__ import annotations

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
from clearance.core.database import own_transaction, tentatively
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.core.values import ascii_digits, mask_email, mask_mobile
from clearance.models import VerificationCode
from clearance.models.enums import Channel, CodePurpose

LIFETIME = timedelta(minutes=10)
TRIES = 5
RESET_LENGTH = 8
RESET_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def owner_of(actor: Actor) -> str:
    """The owner of an actor's codes: a user, or a registration not yet proved."""
    if actor.user_id is not None:
        return f"user:{actor.user_id}"
    return f"registration:{actor.registration_id}"


def consume_send_quota(
    channel: Channel, address: str, *, besides: Sequence[rate_limits.Pair] = ()
) -> None:
    """Count one code against what may be sent to `address`; see `claim_all`."""
    consume_send_quotas([(channel, address)], besides=besides)


def consume_send_quotas(
    targets: Sequence[tuple[Channel, str]], *, besides: Sequence[rate_limits.Pair] = ()
) -> None:
    """Count a code for each (channel, address) against what may be sent there, or none of them.

    besides: what else counts, together with the codes or not at all. What others had sent to an
    address delays only: it may be somebody else's who names it (rule 41). In a transaction of its
    own: call it before the request's first query, then `issue`.
    Raises: TooManyTries; Refused for a mobile of a country that gets no SMS (rule 41).
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
    """Count a code to the proved address of `owner`, who has typed their password just now.

    device: of the browser, if it signed in as the owner before, else "". In budgets of their own:
    strangers who name that address as theirs, in a registration or as a new contact, must not use
    up what its owner signs in by, nor who has the password what a known browser has (rule 41).
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
    """Make a code, void the owner's older one of that purpose and channel, queue it. Flushes.

    link: where it is to be typed (reset). deliver: False does all the work and queues
    nothing, so that a known address takes as long as any other. also: another owner who may use
    the same code, by five tries of their own.
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
    """Make the owner's living codes of that purpose and channel useless. Flushes."""
    db.session.execute(
        sa.update(VerificationCode)
        .where(*_living(owner, purpose, channel))
        .values(voided_at=now)
        .execution_options(synchronize_session=False)
    )


def renew(owner: str, purpose: CodePurpose, channel: Channel, now: datetime) -> None:
    """Let the owner's code be valid for its lifetime again; the tries left stay as they are."""
    db.session.execute(
        sa.update(VerificationCode)
        .where(*_living(owner, purpose, channel))
        .values(expires_at=now + LIFETIME)
        .execution_options(synchronize_session=False)
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
    """Take one of the code's five tries, then compare. Returns the code's id when it is right.

    The try is taken for good, in a transaction of its own, before anything is compared, so that
    any number of guesses at once gets five comparisons. `spend` the id afterwards.
    budget: what the try counts against, if others than the owner can use the owner's up.
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
    """Use a right code up in the running transaction; False when it was used or voided. Flushes."""
    result = db.session.execute(
        sa.update(VerificationCode)
        .where(
            VerificationCode.id == code_id,
            VerificationCode.used_at.is_(None),
            VerificationCode.voided_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0)) == 1


def check(
    owner: str,
    purpose: CodePurpose,
    channel: Channel,
    address: str,
    typed: str,
    now: datetime,
) -> bool:
    """Try and spend a code; for a caller that has written nothing yet. Raises: TooManyTries."""
    code_id = verify(owner, purpose, channel, address, typed, now)
    return code_id is not None and mark_used(code_id, now)


def expires_at(
    owner: str, purpose: CodePurpose, channel: Channel, now: datetime
) -> datetime | None:
    """When the owner's living code of that purpose and channel expires; None when there is none.

    Read apart from the request's transaction.
    """
    query = sa.select(sa.func.max(VerificationCode.expires_at)).where(
        *_living(owner, purpose, channel),
        VerificationCode.created_at <= latest_past(now),
        VerificationCode.expires_at > now,
        VerificationCode.tries_left > 0,
    )
    with own_transaction(write=False) as connection:
        return connection.scalar(query)


def compare(typed: str, digest: str, binding: str) -> bool:
    """The one place where a typed code meets a stored hash; constant in time."""
    return crypto.matches(f"{binding}\n{typed}", digest, "code")


def is_served(mobile: str) -> bool:
    """Whether SMS go to the country of `mobile` (E.164); the operator's SMS_COUNTRIES."""
    served = current_app.extensions["settings"].sms_countries
    return phonenumbers.region_code_for_number(phonenumbers.parse(mobile)) in served


def masked(channel: str, address: str) -> str:
    """The address as it may stand in logs and events."""
    return mask_email(address) if channel == Channel.EMAIL else mask_mobile(address)


def _require_served(mobile: str) -> None:
    if not is_served(mobile):
        raise Refused(
            Refusal(
                _l("SMS cannot be sent to mobile numbers of this country."),
                _l("Give a Kuwaiti mobile number."),
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
    """Take a try of the newest code, if it lives. A code from the future does not."""
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
