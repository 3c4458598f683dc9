"""Rate limits: one table of policies, counted in the database across all workers."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import limits
import sqlalchemy as sa
from flask import current_app, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from clearance.auth import rate_limit_rows
from clearance.core import crypto
from clearance.core.database import own_transaction
from clearance.core.errors import ServiceUnavailable, TooManyTries
from clearance.core.extensions import db
from clearance.core.settings import BadSettings, Settings
from clearance.models import ThrottleCount

LONGEST_WINDOW = 10 * 366 * 24 * 3600  # seconds
_FAILURES = "5 per 5 minute; 20 per 1 hour; 50 per 1 day"

POLICIES = {
    # Security rule 41; override with LIMIT_<NAME> in the environment.
    "sign_in_account": _FAILURES,
    "sign_in_device": _FAILURES,
    "sign_in_device_row": "100 per 10 year",
    "factor_row": "100 per 10 year",
    "sign_in_ip": "30 per 5 minute; 100 per 1 hour",
    "sign_in_all": "1000 per 5 minute",
    "code_try_account": "20 per 1 hour; 50 per 1 day",
    "code_try_ip": "60 per 1 hour",
    "code_sent_email": "1 per 60 second; 5 per 1 hour; 10 per 1 day",
    "code_sent_sms": "1 per 60 second; 5 per 1 hour; 10 per 1 day",
    "code_sent_ip": "30 per 1 hour",
    "code_sent_own": "1 per 60 second; 5 per 1 hour; 40 per 1 day",
    "sms_all": "",  # settings.sms_daily_budget
    "reset_account": "3 per 1 hour; 5 per 1 day",
    "reset_ip": "20 per 1 hour",
    "registration_target": "3 per 1 day",
    "registration_ip": "10 per 1 hour",
    "member_added": "30 per 1 hour; 100 per 1 day",
    "invitation_sent": "1 per 60 second; 5 per 1 hour; 10 per 1 day",
    "contact_account": "5 per 1 hour; 10 per 1 day",
    "own_data_account": "3 per 1 day",
    "post_ip": "60 per 1 minute",
    "metrics_ip": "20 per 1 hour",
    "captcha_ip": "60 per 1 minute",
    "captcha_image_ip": "60 per 1 minute",
    "check_ip": "60 per 1 minute",
    "consent_ip": "60 per 1 minute",
    "refusal_noted_ip": "60 per 1 hour",
    "consent_link_sent": "1 per 60 second; 5 per 1 hour; 10 per 1 day",
    "transfer_account": "10 per 1 hour; 30 per 1 day",
    "transfer_ip": "30 per 1 hour",
    "customs_licence": "5 per 1 hour",
    "customs_user": "5 per 1 hour",
    "customs_ip": "20 per 1 hour",
    "upload_account": "300 per 1 hour",
    "export_account": "10 per 1 hour",
    "print_account": "60 per 1 hour",
    "search_account": "120 per 1 minute; 3000 per 1 hour",
    "preview_account": "120 per 1 minute; 1500 per 1 hour",
}


class Shared(NamedTuple):
    """A limit on a target that anyone can use up: once reached it delays, never blocks.

    who: the one trying, such as an address or a user. They get a turn of their own (after 30 s at
    most), so that strangers lock nobody out (security rule 41).
    """

    policy: str
    key: str
    who: str


Pair = tuple[str, str] | Shared
Receipt = list[rate_limit_rows.Row]


def of_target(policy: str, target: str, who: str) -> list[Pair]:
    """Return the limits of `target` for `who`: their own tries block, others' only delay.

    For messages to people and guesses about them: nobody may exceed the policy, and nobody may use
    up another's limit.
    """
    return [Shared(policy, target, who), (policy, f"{target}\n{who}")]


def consume(policy: str, key: str) -> Receipt:
    """Count one try of `key` before doing the work; see `consume_all`."""
    return consume_all([(policy, key)])


def consume_all(pairs: Iterable[Pair]) -> Receipt:
    """Count one try in every limit of every pair, or in none, in one short transaction.

    pairs: (policy, key), or Shared. key: who or what is counted (an address, an IP), stored only as
    a keyed hash. Empty keys are not counted. Neither are refused tries, so that a stranger cannot
    fill the daily limit faster than the shortest one allows. Call it before the request's own first
    query. Returns a receipt for `refund`.
    Raises: TooManyTries; ServiceUnavailable when the counters are unreachable (rule 42).
    """
    wanted = _limits(pairs)
    with _reachable():
        try:
            with own_transaction() as connection:
                return rate_limit_rows.count(connection, wanted)
        except rate_limit_rows.Reached as reached:  # the error has rolled the counting back
            if reached.rows:
                with own_transaction() as connection:
                    rate_limit_rows.keep(connection, reached.rows)
            raise TooManyTries(math.ceil(reached.wait.total_seconds())) from None


@contextmanager
def counted(*pairs: Pair) -> Iterator[None]:
    """Count a try around the block; refund it if the block raises.

    For limits on what is given out: refusals and misses give nothing. The session is rolled back in
    that case. Raises: TooManyTries; ServiceUnavailable.
    """
    receipt = consume_all(pairs)
    try:
        yield
    except Exception:
        db.session.rollback()  # SQLite has one writer at a time
        refund(receipt)
        raise


def refund(receipt: Receipt) -> None:
    """Refund a counted try that turned out not to be one (a right password).

    Windows begun since are unaffected: their hits are other tries.
    """
    with _reachable(), own_transaction() as connection:
        rate_limit_rows.give_back(connection, receipt)


def reset(policy: str, key: str) -> None:
    """Clear the tries of `key`, such as after a new password."""
    with _reachable(), own_transaction() as connection:
        for name in _limits([(policy, key)]):  # in counting order, against deadlocks
            connection.execute(sa.delete(ThrottleCount).where(ThrottleCount.key == name))


def purge(now: datetime) -> int:
    """Delete the counters of ended windows. Returns how many."""
    ended = sa.select(ThrottleCount.key).where(ThrottleCount.expires_at <= now)
    idle = ended.with_for_update(skip_locked=True)  # waiting for locked rows could deadlock
    with own_transaction() as connection:
        done = connection.execute(sa.delete(ThrottleCount).where(ThrottleCount.key.in_(idle)))
        return done.rowcount


def client_ip() -> str:
    """Return the client address of the running request for limits; "" outside one (commands, jobs).

    An IPv4 address, or the /64 of an IPv6 address, since subscribers get a whole /64 (rule 41).
    """
    return _network(request.remote_addr or "") if has_request_context() else ""


def count_refusal() -> None:
    """Count a refused request of the client's address. Raises: as `consume`."""
    consume("refusal_noted_ip", client_ip())


def check_settings(settings: Settings) -> None:
    """Refuse to start with an unreadable or unknown limit. Raises: BadSettings."""
    for name, spec in settings.limits.items():
        if name not in POLICIES:
            raise BadSettings(f"LIMIT_{name.upper()} is no limit of the portal.")
        try:
            parsed = _parsed(spec)
        except ValueError:
            parsed = ((0, 0),)
        if any(amount < 1 or seconds > LONGEST_WINDOW for amount, seconds in parsed):
            raise BadSettings(
                f"LIMIT_{name.upper()} must read like '5 per 1 minute; 20 per 1 hour'."
            )


@lru_cache(maxsize=256)
def _parsed(spec: str) -> tuple[tuple[int, int], ...]:
    """Parse `spec` into (amount, window in seconds); "" means no limit."""
    if not spec.strip():
        return ()
    return tuple((item.amount, item.get_expiry()) for item in limits.parse_many(spec))


def _spec(policy: str) -> str:
    settings: Settings = current_app.extensions["settings"]
    if policy == "sms_all" and policy not in settings.limits:
        return f"{settings.sms_daily_budget} per 1 day"
    return settings.limits.get(policy, POLICIES[policy])


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket peer has no IP
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False))


def _limits(pairs: Iterable[Pair]) -> dict[str, rate_limit_rows.Limit]:
    """Return limits by row name, sorted: a fixed order prevents deadlocks."""
    found: dict[str, rate_limit_rows.Limit] = {}
    for pair in pairs:
        policy, key = pair[0], pair[1]
        if not key:
            continue
        turn = _row(policy, "turn", f"{key}\n{pair.who}") if isinstance(pair, Shared) else ""
        for amount, seconds in _parsed(_spec(policy)):
            name = _row(policy, seconds, key)
            hits = found[name].hits + 1 if name in found else 1
            found[name] = rate_limit_rows.Limit(amount, timedelta(seconds=seconds), hits, turn)
    return dict(sorted(found.items()))


def _row(policy: str, window: int | str, key: str) -> str:
    return f"{policy}:{window}:{crypto.keyed_hash(key, f'throttle:{policy}')[:32]}"


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise ServiceUnavailable from error
