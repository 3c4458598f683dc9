"""What administrators do to accounts: staff's access and role, anybody's sessions and factor."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import second_factor, second_factor_setup, sessions
from clearance.core import audit, i18n
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, NotFound, PermissionDenied, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Invitation, Request, User
from clearance.models.enums import OPEN_STATUSES, ROLE_LABELS, STAFF_ROLES, Role


class NoAdministrator(PermissionDenied):
    """Only administrators take these steps, and only while they are one."""

    def __init__(self) -> None:
        super().__init__(_l("Only administrators can do this."))


class OwnAccount(DomainError):
    """An administrator would shut themselves out."""

    def __init__(self) -> None:
        super().__init__(_l("This is your own account; another administrator can change it."))


class OwnFactor(DomainError):
    """An administrator would get round the password that changing one's own factor asks for."""

    def __init__(self) -> None:
        super().__init__(_l("This is your own account; change your second factor on My account."))


class NoFactorToReset(DomainError):
    """Nothing would be different afterwards."""

    def __init__(self) -> None:
        super().__init__(_l("This person has no authenticator app to reset."))


def disable(user: User, actor: Actor, now: datetime) -> None:
    """Keep one of the office out, at once and everywhere; flushes.

    Invitations that they sent and nobody has accepted end too. Raises: PermissionDenied, NotFound
    (not staff), OwnAccount.
    """
    user = _hold(user, actor)
    _must_be_another(user, actor)
    _set_active(user, actor, now, is_active=False)
    _withdraw_invitations_of(user, actor, now)
    sessions.end_sessions(now, user_id=user.id)


def enable(user: User, actor: Actor, now: datetime) -> None:
    """Let one of the office in again; flushes. Raises: PermissionDenied, NotFound."""
    _set_active(_hold(user, actor), actor, now, is_active=True)


def change_role(user: User, role: str, actor: Actor, now: datetime, *, version: int) -> None:
    """Give one of the office another role; flushes.

    Every session of theirs ends, they are told, and invitations that they sent end with the right
    to send them. Requests that they have taken stay with them until a manager assigns them.
    version: the user's as the actor saw it. Raises: PermissionDenied, NotFound (not staff),
    DomainError for a role that is not of the office, OwnAccount, TransitionNotAllowed when the
    account was changed meanwhile. Source: security rules 15 and 16.
    """
    if role not in STAFF_ROLES:
        raise DomainError(_l("This is not a role of the office."))
    user = _hold(user, actor)
    _must_be_another(user, actor)
    if user.version != version:
        raise TransitionNotAllowed(_l("This account was changed meanwhile. Look at it again."))
    before = user.role
    if before == role:
        return
    user.role = role
    user.version += 1
    changes = {"role": [before, role]}
    audit.record("staff:role:changed", obj=user, actor_id=actor.id, at=now, changes=changes)
    _withdraw_invitations_of(user, actor, now)
    sessions.end_sessions(now, user_id=user.id)
    names = {"role": i18n.in_both(ROLE_LABELS[Role(role)])}
    notifications.notify_user("staff:role:changed", user_id=user.id, params=names, now=now)


def end_sessions(user: User, actor: Actor, now: datetime) -> int:
    """End every session of anybody; flushes. Returns how many. Raises: PermissionDenied.

    Source: security rule 17.
    """
    _must_administer(actor)
    but = actor.session_id if user.id == actor.user_id else None
    ended = sessions.end_sessions(now, user_id=user.id, but=but)
    audit.record("account:sessions:ended", obj=user, actor_id=actor.id, at=now)
    return ended


def end_session(user: User, session_id: int, actor: Actor, now: datetime) -> None:
    """End one session of anybody; flushes.

    Raises: PermissionDenied, NotFound (not that person's, or over).
    """
    _must_administer(actor)
    if not sessions.end_one(now, user_id=user.id, session_id=session_id):
        raise NotFound
    audit.record("account:session:ended", obj=user, actor_id=actor.id, at=now)


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
    before = second_factor_setup.remove_for(user)
    kind = "account:factor:reset"
    second_factor_setup.tell(user, kind, before, now, actor_id=actor.id, reason=reason)
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
            return _withdraw(invitation, actor, now)
    raise NotFound


def _withdraw(invitation: Invitation, actor: Actor, now: datetime) -> None:
    invitation.withdrawn_at = now
    audit.record("staff:invitation:withdrawn", obj=invitation, actor_id=actor.id, at=now)


def _withdraw_invitations_of(user: User, actor: Actor, now: datetime) -> None:
    """What an administrator let in must not outlast their right to let anybody in."""
    for invitation in open_invitations(now):
        if invitation.invited_by_id == user.id:
            _withdraw(invitation, actor, now)


def requests_in_hand(user: User) -> int:
    """How many open requests the reviewer has; a manager can assign them to others."""
    statement = sa.select(sa.func.count()).where(
        Request.reviewer_id == user.id, Request.status.in_(sorted(OPEN_STATUSES))
    )
    return db.session.scalar(statement) or 0


def _must_administer(actor: Actor) -> None:
    if not actor.is_administrator:
        raise NoAdministrator


def _hold(user: User, actor: Actor) -> User:
    """The row of one of the office as it is now; nobody else changes it meanwhile.

    Who changes others must be an active administrator by now still: so one is always left.
    """
    _must_administer(actor)
    # Two administrators who shut each other out wait here for one another.
    administrators = db.session.scalars(
        sa.select(User.id)
        .where(User.role == Role.ADMINISTRATOR, User.is_active.is_(True))
        .order_by(User.id)
        .with_for_update()
    )
    if actor.user_id not in set(administrators):
        raise NoAdministrator
    user = db.session.get_one(User, user.id, with_for_update=True, populate_existing=True)
    if user.role not in STAFF_ROLES:
        raise NotFound
    return user


def _must_be_another(user: User, actor: Actor) -> None:
    if user.id == actor.user_id:
        raise OwnAccount


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
