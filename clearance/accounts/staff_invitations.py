"""Staff invitations: an e-mailed link for creating an account with the invited role."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance import notifications
from clearance.accounts import teams as team_members
from clearance.auth.password_changes import require_strong
from clearance.auth.passwords import hash_password
from clearance.core import audit, crypto, i18n, name_folding, urls
from clearance.core.clock import latest_past
from clearance.core.conditional_writes import changed_rows
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Invitation, User
from clearance.models.enums import STAFF_ROLES, Channel, Role

LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Invited:
    """An open staff invitation. id: of its row."""

    id: int
    email: str
    role: str


def invite_staff(
    email: str,
    role: str,
    now: datetime,
    invited_by: int | None = None,
    teams: Iterable[str] = (),
) -> tuple[Invitation, str]:
    """Invite `email` as staff with `role`; an earlier open invitation ends. Flushes.

    invited_by: the administrator's user id; None for the operator's command. teams: codes of those
    that an invited reviewer joins, by default the only one. Returns the row and
    the link, which is stored nowhere. Raises: Refused when the address belongs to a user;
    DomainError for a non-staff role.
    """
    if role not in STAFF_ROLES:
        raise DomainError(_l("This is not a staff role."))
    if db.session.scalar(sa.select(User.id).where(User.email == email)) is not None:
        raise _known()
    _end_earlier(email, now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        email=email,
        role=role,
        services=[],
        teams=team_members.chosen_or_only(teams) if role == Role.REVIEWER else [],
        token_hash=crypto.token_hash(token),
        invited_by_id=invited_by,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    audit.record(
        "staff:user:invited",
        obj=invitation,
        actor_id=invited_by,
        at=now,
        changes={"role": [None, role]},
    )
    _tell(invitation, urls.invitation_url(token), now)
    return invitation, f"{current_app.extensions['settings'].base_url}{urls.invitation_url(token)}"


def _end_earlier(email: str, now: datetime) -> None:
    changed_rows(
        sa.update(Invitation)
        .where(
            Invitation.email == email,
            Invitation.organisation_id.is_(None),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )


def find_invitation(token: str, now: datetime) -> Invited | None:
    """Return the open staff invitation of that link, None if unknown or expired.

    Reads outside the request's transaction.
    """
    query = sa.select(Invitation.id, Invitation.email, Invitation.role).where(
        Invitation.token_hash == crypto.token_hash(token), *_is_open(now)
    )
    with own_transaction(write=False) as connection:
        row = connection.execute(query).one_or_none()
    return Invited(*row) if row is not None else None


def accept_invitation(
    token: str,
    now: datetime,
    *,
    first_name: str,
    last_name: str,
    latin_name: str = "",
    password: str,
    language: str,
    mobile: str | None = None,
    gender: str | None = None,
) -> User | None:
    """Create the staff user of that link, which has proved the e-mail; None if it is void.

    Flushes. Slow: call it before the request's first query. Raises: WeakPassword; Refused when
    the address has been taken by a user meanwhile.
    """
    invited = find_invitation(token, now)
    if invited is None:
        return None
    require_strong(password, (first_name, last_name, latin_name, mobile))
    password_hash = hash_password(password)
    invitation = _use(invited, now)
    if invitation is None:
        return None
    user = _entered(
        User(
            email=invitation.email,
            mobile=mobile,
            first_name=first_name,
            last_name=last_name,
            latin_name=latin_name,
            name_folded=name_folding.name_index(first_name, last_name, latin_name),
            gender=gender,
            role=invitation.role,
            language=language,
            password_hash=password_hash,
            email_proved_at=now,
            created_at=now,
            created_by_id=invitation.invited_by_id,
        )
    )
    team_members.join(user, invitation.teams)
    return user


def _entered(user: User) -> User:
    """Store and record the new user. Raises: Refused when the address has been taken."""
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError:
        raise _known() from None
    audit.record(
        "staff:user:joined",
        obj=user,
        actor_id=user.id,
        at=user.created_at,
        changes={"role": [None, user.role]},
    )
    return user


def _is_open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Invitation.role.in_(STAFF_ROLES),
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.created_at <= latest_past(now),
        Invitation.expires_at > now,
    )


def _use(invited: Invited, now: datetime) -> Invitation | None:
    """Mark the invitation used if it is still open after the slow work; return its row."""
    is_open = (Invitation.id == invited.id, *_is_open(now))
    used = changed_rows(sa.update(Invitation).where(*is_open).values(accepted_at=now))
    return db.session.get(Invitation, invited.id) if used else None


def _known() -> Refused:
    return Refused(Refusal(_l("Another user already has this e-mail address.")))


def _tell(invitation: Invitation, link: str, now: datetime) -> None:
    notifications.send_to_address(
        "staff:invited",
        channel=Channel.EMAIL,
        address=invitation.email,
        language="ar",
        params={
            "role": i18n.in_both(Role(invitation.role).label),
            "expires": invitation.expires_at,
        },
        now=now,
        link=link,
        expires_at=invitation.expires_at,
    )
