"""How often things may be tried: one table of limits, counted in the database by all workers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import limits
import sqlalchemy as sa
from flask import current_app, has_request_context, request
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from clearance import secrets_box
from clearance.database import own_transaction
from clearance.errors import ServiceUnavailable, TooManyTries
from clearance.models import ThrottleCount, UtcDateTime
from clearance.settings import BadSettings, Settings

_FAILURES = "5 per 5 minute; 20 per 1 hour; 50 per 1 day"

POLICIES = {
    # Security rule 41; each can be replaced by LIMIT_<NAME> in the environment.
    "sign_in_account": _FAILURES,
    "sign_in_device": _FAILURES,
    "sign_in_device_row": "100 per 10 year",
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
    "captcha_ip": "60 per 1 minute",
    "captcha_image_ip": "60 per 1 minute",
    "check_ip": "60 per 1 minute",
    "consent_ip": "60 per 1 minute",
    "consent_link_sent": "1 per 60 second; 5 per 1 hour; 10 per 1 day",
    "transfer_account": "10 per 1 hour; 30 per 1 day",
    "transfer_ip": "30 per 1 hour",
    "customs_licence": "5 per 1 hour",
    "customs_user": "5 per 1 hour",
    "customs_ip": "20 per 1 hour",
    "upload_account": "300 per 1 hour",
    "export_account": "10 per 1 hour",
    "print_account": "60 per 1 hour",
    "preview_account": "120 per 1 minute; 1500 per 1 hour",
}

Pair = tuple[str, str]


def hit(policy: str, key: str, now: datetime) -> None:
    """Count one try of `key` before its work is done; see `hit_all`."""
    hit_all([(policy, key)], now)


def hit_all(pairs: Iterable[Pair], now: datetime) -> None:
    """Count one try in every limit of every (policy, key), in one short transaction, or in none.

    key: who or what is counted (an address, an IP); kept only as a keyed hash. An empty key is not
    counted. A refused try is not counted either, so that a stranger cannot fill the day's limit
    faster than the shortest one lets him. Call it before the request's own first query.
    Raises: TooManyTries; ServiceUnavailable when the counters cannot be reached (rule 42).
    """
    counters = sorted(_counters(pairs))
    with _reachable(), own_transaction() as connection:
        waits = []
        for name, amount, seconds in counters:
            hits, expires_at = _count(connection, name, timedelta(seconds=seconds), now)
            if hits > amount:
                waits.append(expires_at - now)
        if waits:  # leaving by an error undoes the counting
            raise TooManyTries(max(1, math.ceil(max(waits).total_seconds())))


def refund(pairs: Iterable[Pair], now: datetime) -> None:
    """Give one counted try back: it was none after all (a right password)."""
    names = sorted(name for name, _amount, _seconds in _counters(pairs))
    with _reachable(), own_transaction() as connection:
        for name in names:
            connection.execute(
                sa.update(ThrottleCount)
                .where(
                    ThrottleCount.key == name,
                    ThrottleCount.hits > 0,
                    ThrottleCount.expires_at > now,
                )
                .values(hits=ThrottleCount.hits - 1)
            )


def reset(policy: str, key: str) -> None:
    """Forget the tries of `key`, such as after a new password."""
    names = [name for name, _amount, _seconds in _counters([(policy, key)])]
    with _reachable(), own_transaction() as connection:
        connection.execute(sa.delete(ThrottleCount).where(ThrottleCount.key.in_(names)))


def purge(now: datetime) -> int:
    """Remove the counts of windows that have ended. Returns how many."""
    with own_transaction() as connection:
        done = connection.execute(sa.delete(ThrottleCount).where(ThrottleCount.expires_at <= now))
        return done.rowcount


def client_ip() -> str:
    """The address the running request came from; "" outside of one (commands, jobs)."""
    return (request.remote_addr or "") if has_request_context() else ""


def check_settings(settings: Settings) -> None:
    """Refuse to start with a limit that cannot be read or does not exist. Raises: BadSettings."""
    for name, spec in settings.limits.items():
        if name not in POLICIES:
            raise BadSettings(f"LIMIT_{name.upper()} is no limit of the portal.")
        try:
            _parsed(spec)
        except ValueError:
            raise BadSettings(
                f"LIMIT_{name.upper()} must read like '5 per 1 minute; 20 per 1 hour'."
            ) from None


@lru_cache(maxsize=256)
def _parsed(spec: str) -> tuple[tuple[int, int], ...]:
    """The limits of `spec` as (amount, window in seconds); "" means none."""
    if not spec.strip():
        return ()
    return tuple((item.amount, item.get_expiry()) for item in limits.parse_many(spec))


def _spec(policy: str) -> str:
    settings: Settings = current_app.extensions["settings"]
    if policy == "sms_all" and policy not in settings.limits:
        return f"{settings.sms_daily_budget} per 1 day"
    return settings.limits.get(policy, POLICIES[policy])


def _counters(pairs: Iterable[Pair]) -> Iterator[tuple[str, int, int]]:
    """One (name of the row, amount, seconds) per limit; sorting them by name prevents deadlocks."""
    for policy, key in pairs:
        if not key:
            continue
        digest = secrets_box.keyed_hash(key, f"throttle:{policy}")[:32]
        for amount, seconds in _parsed(_spec(policy)):
            yield f"{policy}:{seconds}:{digest}", amount, seconds


def _count(
    connection: sa.Connection, name: str, window: timedelta, now: datetime
) -> tuple[int, datetime]:
    """Count one hit in the row `name`. Returns its hits and when its window ends.

    A window that ends later than one window from now was begun by a clock that has jumped back
    since: it begins anew, so that nobody waits longer than a window (rule 58).
    """
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    is_over = sa.or_(ThrottleCount.expires_at <= now, ThrottleCount.expires_at > now + window)
    ends_at = sa.literal(now + window, UtcDateTime())
    statement = insert(ThrottleCount).values(key=name, hits=1, expires_at=ends_at)
    statement = statement.on_conflict_do_update(
        index_elements=[ThrottleCount.key],
        set_={
            "hits": sa.case((is_over, 1), else_=ThrottleCount.hits + 1),
            "expires_at": sa.case((is_over, ends_at), else_=ThrottleCount.expires_at),
        },
    ).returning(ThrottleCount.hits, ThrottleCount.expires_at)
    row = connection.execute(statement).one()
    return row.hits, row.expires_at


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise ServiceUnavailable(
            _l("The portal cannot take this now. Nothing was lost; try again shortly.")
        ) from error
