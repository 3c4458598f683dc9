"""What administrators do to accounts: keep staff out, let them in, end sessions, reset factors."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import audit, factor_setup, second_factor, sessions
from clearance.actor import Actor
from clearance.errors import DomainError, NotFound, PermissionDenied
from clearance.extensions import db
from clearance.models import Invitation, Request, User
from clearance.vocabulary import OPEN_STATUSES, STAFF_ROLES, Role


class OwnAccount(DomainError):
    """An administrator would shut themselves out."""

    def __init__(self) -> None:
        super().__init__(_l("This is your own account; another administrator can disable it."))


class OwnFactor(DomainError):
    """An administrator would get round the password that changing one's own factor asks for."""

    def __init__(self) -> None:
        super().__init__(_l("This is your own account; change your second factor on My account."))


class NoFactorToReset(DomainError):
    """Nothing would be different afterwards."""

    def __init__(self) -> None:
        super().__init__(_l("This person has no authenticator app to reset."))


class LastAdministrator(DomainError):
    """Nobody would be left who could let anybody in."""

    def __init__(self) -> None:
        super().__init__(_l("This is the last active administrator."))


def disable(user: User, actor: Actor, now: datetime) -> None:
    """Keep one of the office out, at once and everywhere; flushes.

    Raises: PermissionDenied, NotFound (not staff), OwnAccount, LastAdministrator.
    """
    _must_keep_staff(actor, user)
    if user.id == actor.user_id:
        raise OwnAccount
    _lock_administrators()
    if user.role == Role.ADMINISTRATOR and _other_administrators(user) == 0:
        raise LastAdministrator
    _set_active(user, actor, now, is_active=False)
    sessions.end_sessions(now, user_id=user.id)


def enable(user: User, actor: Actor, now: datetime) -> None:
    """Let one of the office in again; flushes. Raises: PermissionDenied, NotFound."""
    _must_keep_staff(actor, user)
    _set_active(user, actor, now, is_active=True)


def end_sessions(user: User, actor: Actor, now: datetime) -> int:
    """End every session of anybody; flushes. Returns how many. Raises: PermissionDenied.

    Source: security rule 17.
    """
    _must_administer(actor)
    but = actor.session_id if user.id == actor.user_id else None
    ended = sessions.end_sessions(now, user_id=user.id, but=but)
    audit.record("account:sessions:ended", obj=user, actor_id=actor.id, at=now)
    return ended


def require_resettable(user: User, actor: Actor) -> None:
    """Whether the actor may reset that second factor now.

    Raises: PermissionDenied, OwnFactor, NoFactorToReset.
    """
    _must_administer(actor)
    if user.id == actor.user_id:
        raise OwnFactor
    if second_factor.means_of(user) != second_factor.Means.APP:
        raise NoFactorToReset


def reset_factor(user: User, actor: Actor, reason: str, now: datetime) -> None:
    """Take the app and spare codes of somebody who lost them; flushes.

    Every session of theirs ends and they are told. Staff go on with codes by e-mail, agents with
    the password alone. reason: kept in the trail. Raises: as `require_resettable`; DomainError
    without a reason.
    """
    _must_administer(actor)
    user = db.session.get_one(User, user.id, with_for_update=True, populate_existing=True)
    require_resettable(user, actor)
    if not reason.strip():
        raise DomainError(_l("Write a reason; it is kept in the audit trail."))
    before = factor_setup.take_away(user)
    kind = "account:factor:reset"
    factor_setup.tell(user, kind, before, now, actor_id=actor.id, reason=reason)
    sessions.end_sessions(now, user_id=user.id)


def open_invitations(now: datetime) -> list[Invitation]:
    """Invitations into the office that can still be accepted, newest first."""
    statement = (
        sa.select(Invitation)
        .where(
            Invitation.role.in_(sorted(STAFF_ROLES)),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
        )
        .order_by(Invitation.id.desc())
    )
    return list(db.session.scalars(statement))


def withdraw_invitation(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Take an invitation back, so that its link is void; flushes.

    Raises: PermissionDenied, NotFound (also when it was accepted meanwhile).
    """
    _must_administer(actor)
    for invitation in open_invitations(now):
        if invitation.id == invitation_id:
            invitation.withdrawn_at = now
            audit.record("staff:invitation:withdrawn", obj=invitation, actor_id=actor.id, at=now)
            return
    raise NotFound


def requests_in_hand(user: User) -> int:
    """How many open requests the reviewer has; a manager can assign them to others."""
    statement = sa.select(sa.func.count()).where(
        Request.reviewer_id == user.id, Request.status.in_(sorted(OPEN_STATUSES))
    )
    return db.session.scalar(statement) or 0


def _must_administer(actor: Actor) -> None:
    if not actor.is_administrator:
        raise PermissionDenied(_l("Only administrators can do this."))


def _must_keep_staff(actor: Actor, user: User) -> None:
    _must_administer(actor)
    if user.role not in STAFF_ROLES:
        raise NotFound


def _lock_administrators() -> None:
    # Two administrators who disable each other wait here for one another.
    db.session.execute(
        sa.select(User.id)
        .where(User.role == Role.ADMINISTRATOR)
        .order_by(User.id)
        .with_for_update()
    ).all()


def _other_administrators(user: User) -> int:
    statement = sa.select(sa.func.count()).where(
        User.role == Role.ADMINISTRATOR, User.is_active.is_(True), User.id != user.id
    )
    return db.session.scalar(statement) or 0


def _set_active(user: User, actor: Actor, now: datetime, *, is_active: bool) -> None:
    if user.is_active == is_active:
        return
    user.is_active = is_active
    user.version += 1
    audit.record(
        "staff:user:enabled" if is_active else "staff:user:disabled",
        obj=user,
        actor_id=actor.id,
        at=now,
        changes={"is_active": [not is_active, is_active]},
    )
