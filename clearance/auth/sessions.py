"""Server-side sessions: the cookie holds a random key, and the row is read on every request."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, request
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface
from flask_login import login_user, logout_user
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from clearance.auth import form_tokens
from clearance.core import kept, teams
from clearance.core.actor import ActiveMembership, Actor
from clearance.core.clock import latest_past, utc_now
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction
from clearance.core.extensions import db, login_manager
from clearance.models import (
    Grant,
    Membership,
    Organisation,
    Registration,
    Team,
    User,
    UserSession,
)
from clearance.models.enums import STAFF_ROLES, Role, SessionStage
from clearance.notifications import inbox

IDLE = {"agent": timedelta(minutes=30), "staff": timedelta(minutes=15)}
ABSOLUTE = {"agent": timedelta(hours=12), "staff": timedelta(hours=8)}
LAST_SEEN_STEP = timedelta(seconds=60)
TOUCH_SECONDS = 0.5
MOST_UNREAD = 100
"""Up to how many notices the bell counts; it shows that many as "99+"."""


def key_hash(key: str) -> str:
    """Return the stored hash of a session key (a random key needs no slow hash)."""
    return hashlib.sha256(key.encode()).hexdigest()


def idle_limit(role: str) -> timedelta:
    """Return the idle timeout of a session of that role (security rule 16)."""
    return IDLE["staff" if role in STAFF_ROLES else "agent"]


def open_session(owner: User | Registration, stage: SessionStage, now: datetime) -> str:
    """Add a session row for `owner` at `stage`. Flushes. Returns the key for the cookie."""
    role = owner.role if isinstance(owner, User) else Role.AGENT
    key = secrets.token_urlsafe(32)
    db.session.add(
        UserSession(
            key_hash=key_hash(key),
            user_id=owner.id if isinstance(owner, User) else None,
            registration_id=owner.id if isinstance(owner, Registration) else None,
            stage=stage,
            ip=(request.remote_addr or "")[:40],
            user_agent=(request.user_agent.string or "")[:250],
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE["staff" if role in STAFF_ROLES else "agent"],
        )
    )
    db.session.flush()
    return key


def end_sessions(now: datetime, *, user_id: int, but: int | None = None) -> int:
    """End all sessions of the user except session id `but`. Returns how many. Flushes."""
    return _end(now, UserSession.user_id == user_id, UserSession.id != (but or 0))


def end_signup_sessions(now: datetime, *, registration_id: int, but: int | None = None) -> None:
    """End all sessions of a registration except session id `but`. Flushes."""
    _end(now, UserSession.registration_id == registration_id, UserSession.id != (but or 0))


def end_session(now: datetime, *, session_id: int) -> None:
    """End one session. Flushes."""
    _end(now, UserSession.id == session_id)


def end_one(now: datetime, *, user_id: int, session_id: int) -> bool:
    """End one of the user's own sessions; False if it is not theirs or has ended. Flushes."""
    return _end(now, UserSession.id == session_id, UserSession.user_id == user_id) == 1


def choose_organisation(actor: Actor, organisation_id: int) -> bool:
    """Store the organisation selected in the header; False if the actor is no member. Flushes."""
    if organisation_id not in actor.organisation_ids:
        return False
    work_for(actor, organisation_id)
    return True


def work_for(actor: Actor, organisation_id: int) -> None:
    """Select an organisation that the actor joined within this request. Flushes."""
    own = sa.update(UserSession).where(UserSession.id == actor.session_id)
    changed_rows(own.values(organisation_id=organisation_id))


def active_sessions(user_id: int, now: datetime) -> list[UserSession]:
    """Return the user's active sessions, most recently seen first."""
    user = db.session.get_one(User, user_id)
    return list(
        db.session.scalars(
            sa.select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.ended_at.is_(None),
                UserSession.expires_at > now,
                UserSession.last_seen_at > now - idle_limit(user.role),
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        )
    )


def renew(actor: Actor, stage: SessionStage, now: datetime) -> str:
    """Give the actor's session a new key at `stage` (security rule 16); its end stays. Flushes.

    Returns the key for the cookie; the previous one is void at once.
    """
    key = secrets.token_urlsafe(32)
    own = sa.update(UserSession).where(
        UserSession.id == actor.session_id, UserSession.ended_at.is_(None)
    )
    changed_rows(own.values(key_hash=key_hash(key), stage=stage, last_seen_at=now))
    return key


def enter(key: str) -> None:
    """Put the session `key` into the cookie; call it after the commit that created it.

    Clears the visitor's cookie, including its CSRF token (security rule 16).
    """
    cookie.clear()
    g.pop("csrf_token", None)  # derived from the old cookie: this response needs a new one
    actor = load_actor(key)
    if actor is not None:
        login_user(actor)
        cookie[form_tokens.COOKIE_KEY] = form_tokens.new_secret(actor)


def leave() -> None:
    """Clear the session cookie; end its row first with `end_session`."""
    logout_user()
    cookie.clear()


def load_actor(key: str, now: datetime | None = None) -> Actor | None:
    """Return the actor of a session key, or None if it has ended, idled out or expired.

    Uses its own connection, so as not to begin the request's transaction.
    """
    now = now or utc_now()
    with own_transaction(write=False) as connection:
        rows = connection.execute(_SESSION, {"key_hash": key_hash(key)}).all()
    if not rows or not _is_alive(rows[0], now):
        return None
    row = rows[0]
    kept.remember(row.change_stamp)
    if row.last_seen_at > latest_past(now) or now - row.last_seen_at >= LAST_SEEN_STEP:
        _touch(row.id, now)
    return Actor(
        user_id=row.user_id,
        registration_id=row.registration_id,
        role=row.role or Role.AGENT,
        first_name=row.first_name,
        last_name=row.last_name,
        latin_name=row.latin_name,
        uses_keys=row.uses_keys is not False,
        email=row.email,
        language=row.language,
        legal_entity=row.legal_entity,
        civil_id=row.civil_id,
        standings=_standings(rows),
        organisation_id=row.organisation_id,
        teams=_teams(row.teams),
        unread=row.unread,
        stage=row.stage,
        session_id=row.id,
        key=key,
    )


def actor_of(user: User) -> Actor:
    """Return the actor for a fully signed-in `user` (jobs, commands, tests)."""
    memberships = _with_memberships(sa.select(_TEAMS)).where(User.id == user.id)
    rows = db.session.connection().execute(memberships.select_from(User)).all()
    return Actor(
        user_id=user.id,
        role=user.role,
        first_name=user.first_name,
        last_name=user.last_name,
        latin_name=user.latin_name,
        uses_keys=user.uses_keys,
        email=user.email,
        language=user.language,
        legal_entity=user.legal_entity,
        civil_id=user.civil_id,
        standings=_standings(rows),
        teams=_teams(rows[0].teams),
    )


def init_app(app: Flask) -> None:
    """Set up the cookie and Flask-Login; the cookie's id is a session key, never a user id."""
    app.session_interface = _Cookie()
    login_manager.init_app(app)
    login_manager.session_protection = None  # the server-side row decides
    login_manager.user_loader(_load_once)


class _Signer(TimestampSigner):
    """Accept cookies signed by a host whose clock is up to two minutes ahead."""

    def unsign(self, signed_value: str | bytes, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().unsign(signed_value, *args, **kwargs)
        except SignatureExpired as error:
            now = utc_now()
            if error.date_signed is None or not now < error.date_signed <= latest_past(now):
                raise
            return super().unsign(signed_value, **kwargs | {"max_age": None})


class _Cookie(SecureCookieSessionInterface):
    """Flask's session cookie, with `_Signer`."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = _Signer
        return serializer


def _end(now: datetime, *which: sa.ColumnElement[bool]) -> int:
    living = sa.update(UserSession).where(*which, UserSession.ended_at.is_(None))
    return changed_rows(living.values(ended_at=now))


def _load_once(key: str) -> Actor | None:
    """Load the session; if that fails, the error page is rendered as for a visitor."""
    if g.get("sessions_are_away"):
        return None
    try:
        return load_actor(key)
    except SQLAlchemyError:
        g.sessions_are_away = True
        raise


def _with_memberships(rows: Any) -> sa.Select[Any]:
    """Select a user's memberships too: a row for each service granted, or at least one row."""
    with_memberships: sa.Select[Any] = (
        rows.add_columns(
            Membership.organisation_id.label("member_of"),
            Membership.is_general,
            Organisation.name_ar,
            Organisation.name_en,
            Grant.service_code,
        )
        .outerjoin(Membership, sa.and_(Membership.user_id == User.id, Membership.is_active))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(Grant, Grant.membership_id == Membership.id)
        .order_by(Membership.id)
    )
    return with_memberships


_TEAMS = sa.case(
    (
        User.role == Role.REVIEWER,
        sa.select(sa.func.aggregate_strings(Team.code, kept.BLANK))
        .where(teams.includes(User.id))
        .scalar_subquery(),
    )
).label("teams")
"""The codes of a reviewer's teams in one text; nobody else has any."""

_KEY_HASH: sa.BindParameter[str] = sa.bindparam("key_hash")
_OWNER = sa.select(UserSession.user_id).where(UserSession.key_hash == _KEY_HASH).scalar_subquery()

_SESSION = _with_memberships(
    sa.select(
        UserSession.id,
        UserSession.user_id,
        UserSession.registration_id,
        UserSession.stage,
        UserSession.organisation_id,
        UserSession.created_at,
        UserSession.last_seen_at,
        UserSession.expires_at,
        UserSession.ended_at,
        User.role,
        User.is_active,
        User.uses_keys,
        sa.func.coalesce(User.first_name, Registration.first_name).label("first_name"),
        sa.func.coalesce(User.last_name, Registration.last_name).label("last_name"),
        sa.func.coalesce(User.latin_name, Registration.latin_name).label("latin_name"),
        sa.func.coalesce(User.email, Registration.email).label("email"),
        sa.func.coalesce(User.language, Registration.language).label("language"),
        sa.func.coalesce(User.legal_entity, Registration.legal_entity).label("legal_entity"),
        sa.func.coalesce(User.civil_id, Registration.civil_id).label("civil_id"),
        _TEAMS,
        kept.STAMP.label("change_stamp"),
        # For the bell of every page. Of the session's owner, so that it is counted once and not for
        # each membership.
        inbox.count_unread(_OWNER, MOST_UNREAD).scalar_subquery().label("unread"),
    )
    .outerjoin(User, User.id == UserSession.user_id)
    .outerjoin(Registration, Registration.id == UserSession.registration_id)
    .where(UserSession.key_hash == _KEY_HASH)
)


def _is_alive(row: Any, now: datetime) -> bool:
    if row.ended_at is not None or row.is_active is False or row.created_at > latest_past(now):
        return False
    rested = now - row.last_seen_at
    return bool(now < row.expires_at and rested < idle_limit(row.role or Role.AGENT))


def _standings(rows: Sequence[Any]) -> tuple[ActiveMembership, ...]:
    granted: dict[int, set[str]] = {}
    heads: dict[int, tuple[str, str, bool]] = {}
    for row in rows:
        if row.member_of is None:
            continue
        heads[row.member_of] = (row.name_ar, row.name_en, row.is_general)
        services = granted.setdefault(row.member_of, set())
        if row.service_code:
            services.add(row.service_code)
    return tuple(
        ActiveMembership(
            organisation_id=key,
            organisation_name_ar=name_ar,
            organisation_name_en=name_en,
            is_general=is_general,
            services=frozenset(granted[key]),
        )
        for key, (name_ar, name_en, is_general) in heads.items()
    )


def _teams(codes: str | None) -> frozenset[str]:
    return frozenset(codes.split()) if codes else frozenset()


def _touch(session_id: int, now: datetime) -> None:
    """Update the session's last use; skipped if the database stays locked."""
    with suppress(OperationalError), own_transaction(patience=TOUCH_SECONDS) as connection:
        connection.execute(
            sa.update(UserSession)
            .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
            .values(last_seen_at=now)
        )
