"""Retention: remove expired rows, rows past their retention period, and orphan files.

What was removed, by which period, and what a legal hold kept is in a row of each run, which the
audit trail seals and the office can read (security rule 46).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import captcha, rate_limits
from clearance.core import audit, legal_holds, office_settings
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import (
    AccessEvent,
    Base,
    DataCopy,
    Delivery,
    Invitation,
    ListExport,
    Notice,
    OneTimeKey,
    PasswordReset,
    Purge,
    Registration,
    UserSession,
    VerificationCode,
)
from clearance.models.enums import DeliveryStatus
from clearance.requests import unused_drafts

ONE_TIME_KEY_DAYS, CODE_DAYS = 2, 30
UNMADE_COPY_KEPT = timedelta(days=7)
ACCESS_MINIMUM_DAYS = 366
"""The database itself refuses to delete younger access events."""
ACCESS_BATCH = 5_000  # per transaction, which keeps SQLite's writer free

_Condition = sa.ColumnElement[Any]


@dataclass(frozen=True)
class Rule:
    """What is removed when. name: its table. setting: the office's setting with its days.

    days: a fixed number instead. is_over: the condition, given the instant before which it is over.
    held: the condition that a legal hold keeps a row.
    """

    name: str
    label: Any
    setting: str = ""
    days: int | None = None
    model: type[Base] | None = None
    is_over: Callable[[datetime, datetime], _Condition] | None = None
    held: _Condition | None = None

    def period(self) -> int | None:
        """Return its days now, or None for what expires by itself."""
        if self.setting:
            days = int(office_settings.get(self.setting))
            return max(days, ACCESS_MINIMUM_DAYS) if self.model is AccessEvent else days
        return self.days


def _is_access_to_held() -> _Condition:
    """Return the condition that an access event is about somebody or something under a hold."""
    ways = [
        sa.and_(AccessEvent.object_type == table.__tablename__, AccessEvent.object_id.in_(keys))
        for table, chosen in legal_holds.records()
        for keys in [sa.select(sa.cast(chosen.subquery().c[0], sa.String))]
    ]
    return sa.or_(legal_holds.among(AccessEvent.user_id, legal_holds.users()), *ways)


def _is_message_to_held() -> _Condition:
    """Return the condition that a delivery is to an account, or about a request, under a hold.

    A message without a notice that is about no request, as a code, is by its address.
    """
    kept = sa.or_(
        legal_holds.among(Notice.user_id, legal_holds.users()),
        legal_holds.among(Notice.request_id, legal_holds.requests()),
    )
    is_alone = sa.and_(Delivery.notice_id.is_(None), Delivery.request_id.is_(None))
    return sa.or_(
        sa.exists().where(Notice.id == Delivery.notice_id, kept),
        legal_holds.among(Delivery.request_id, legal_holds.requests()),
        sa.and_(is_alone, Delivery.address.in_(legal_holds.addresses())),
    )


RULES = (
    Rule("captcha", _l("Captcha images")),
    Rule("throttle_count", _l("Rate limit counters")),
    Rule(
        "one_time_key",
        _l("Keys that stop a form from being sent twice"),
        days=ONE_TIME_KEY_DAYS,
        model=OneTimeKey,
        is_over=lambda before, now: OneTimeKey.created_at <= before,
    ),
    Rule(
        "verification_code",
        _l("Expired codes"),
        days=CODE_DAYS,
        model=VerificationCode,
        is_over=lambda before, now: VerificationCode.expires_at <= before,
    ),
    Rule(
        "password_reset",
        _l("Expired password resets"),
        days=CODE_DAYS,
        model=PasswordReset,
        is_over=lambda before, now: PasswordReset.expires_at <= before,
    ),
    # The files of copies and exports become orphans, removed later in the same run.
    Rule(
        "data_copy",
        _l("Expired copies of personal data"),
        model=DataCopy,
        is_over=lambda before, now: sa.or_(
            DataCopy.expires_at <= now,
            sa.and_(DataCopy.made_at.is_(None), DataCopy.asked_at <= now - UNMADE_COPY_KEPT),
        ),
    ),
    Rule(
        "list_export",
        _l("Expired exports of lists"),
        model=ListExport,
        is_over=lambda before, now: sa.or_(
            ListExport.expires_at <= now, ListExport.asked_at <= now - UNMADE_COPY_KEPT
        ),
    ),
    Rule(
        "registration",
        _l("Unfinished registrations"),
        "retention_registration_days",
        model=Registration,
        is_over=lambda before, now: Registration.created_at <= before,
        held=legal_holds.among(Registration.id, legal_holds.registrations()),
    ),
    Rule(
        "invitation",
        _l("Invitations that nobody accepted"),
        "retention_registration_days",
        model=Invitation,
        is_over=lambda before, now: sa.and_(
            Invitation.expires_at <= before,
            Invitation.accepted_at.is_(None),
            ~sa.exists().where(Registration.invitation_id == Invitation.id),
        ),
        held=legal_holds.among(Invitation.user_id, legal_holds.users()),
    ),
    Rule(
        "user_session",
        _l("Ended sessions"),
        "retention_session_days",
        model=UserSession,
        is_over=lambda before, now: (
            sa.func.coalesce(UserSession.ended_at, UserSession.expires_at) <= before
        ),
        held=sa.or_(
            legal_holds.among(UserSession.user_id, legal_holds.users()),
            legal_holds.among(UserSession.registration_id, legal_holds.registrations()),
        ),
    ),
    Rule(
        "delivery",
        _l("Sent e-mails and SMS"),
        "retention_message_days",
        model=Delivery,
        is_over=lambda before, now: sa.and_(
            Delivery.status != DeliveryStatus.QUEUED, Delivery.created_at <= before
        ),
        held=_is_message_to_held(),
    ),
    Rule(
        "access_event",
        _l("Access records"),
        "retention_access_days",
        model=AccessEvent,
        is_over=lambda before, now: AccessEvent.at <= before,
        held=_is_access_to_held(),
    ),
    Rule("draft", _l("Unused drafts"), "retention_draft_days"),
    Rule("orphan_file", _l("Files that nothing refers to")),
)


def purge(now: datetime) -> dict[str, int]:
    """Remove what has expired; return the counts by kind. Commits by itself.

    now: aware UTC. Every kind has its own short transactions, so that nobody waits long. Rows that
    a legal hold protects stay.
    """
    periods = {rule.name: rule.period() for rule in RULES}
    db.session.rollback()  # only settings were read; the removals have their own transactions
    removed = {"captcha": captcha.purge(now), "throttle_count": rate_limits.purge(now)}
    held: dict[str, int] = {}
    for rule in RULES:
        if rule.model is not None and rule.is_over is not None:
            over = rule.is_over(now - timedelta(days=periods[rule.name] or 0), now)
            removed[rule.name], held[rule.name] = _remove(rule.model, over, rule.held)
    unused_drafts.warn(now)
    db.session.commit()
    removed["draft"], held["draft"] = unused_drafts.delete_due(now), unused_drafts.count_held(now)
    db.session.rollback()
    removed["orphan_file"] = storage.sweep_orphans(now)
    removed = {name: count for name, count in removed.items() if count}
    if removed:
        _note(removed, {name: count for name, count in held.items() if count}, periods, now)
    return removed


def _remove(model: type[Base], over: _Condition, held: _Condition | None) -> tuple[int, int]:
    """Delete the rows that are over; return how many, and how many a hold kept."""
    chosen = over if held is None else sa.and_(over, ~held)
    left = sa.select(sa.func.count()).select_from(model).where(over)  # what is over and still there
    removed = _remove_accesses(chosen) if model is AccessEvent else 0
    with own_transaction() as connection:
        if model is not AccessEvent:
            removed = connection.execute(sa.delete(model).where(chosen)).rowcount
        return removed, (connection.scalar(left) or 0) if held is not None else 0


def _remove_accesses(chosen: _Condition) -> int:
    """Delete access events part by part: years of them may be over at once."""
    oldest = sa.select(AccessEvent.id).where(chosen).order_by(AccessEvent.at).limit(ACCESS_BATCH)
    removed = 0
    while True:
        with own_transaction() as connection:
            ids = list(connection.scalars(oldest))
            connection.execute(sa.delete(AccessEvent).where(AccessEvent.id.in_(ids)))
        removed += len(ids)
        if len(ids) < ACCESS_BATCH:
            return removed


def _note(
    removed: Mapping[str, int],
    held: Mapping[str, int],
    periods: Mapping[str, int | None],
    now: datetime,
) -> None:
    row = Purge(
        at=now,
        removed={
            name: {"count": count, "days": periods.get(name)} for name, count in removed.items()
        },
        held=dict(held),
    )
    db.session.add(row)
    changes = {
        name: {"removed": count, "days": periods.get(name), "held": held.get(name, 0)}
        for name, count in removed.items()
    }
    audit.record("retention:data:purged", obj=row, actor_id=None, at=now, changes=changes)
    db.session.commit()
