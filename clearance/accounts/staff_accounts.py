"""Account administration: staff access and roles, any user's sessions and second factor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.accounts import teams
from clearance.auth import second_factor, second_factor_setup, sessions
from clearance.core import audit, i18n
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, NotFound, PermissionDenied, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Invitation, Request, User
from clearance.models.enums import STAFF_ROLES, Role
from clearance.services import registry


class NoAdministrator(PermissionDenied):
    """The actor is not, or no longer, an administrator."""

    message = _l("Only administrators can do this.")


class OwnAccount(DomainError):
    """Administrators cannot lock themselves out."""

    message = _l("This is your own account. Another administrator can change it.")


class OwnFactor(DomainError):
    """Administrators cannot bypass the password check for changing their own second factor."""

    message = _l("This is your own account. Change two-step verification under My account.")


class NoFactorToReset(DomainError):
    """There is no second factor to reset."""

    message = _l("This person has no authenticator app to reset.")


def disable(user: User, actor: Actor, now: datetime, *, is_confirmed: bool = False) -> None:
    """Disable a staff account and end its sessions. Flushes.

    Also withdraws the open invitations they sent. is_confirmed: that a team may be left without
    members. Raises: PermissionDenied, NotFound (not staff), OwnAccount, LastMember.
    """
    user = _hold(user, actor)
    _must_be_another(user, actor)
    teams.require_members_without(user, is_confirmed=is_confirmed)
    _set_active(user, actor, now, is_active=False)
    _withdraw_invitations_of(user, actor, now)
    sessions.end_sessions(now, user_id=user.id)


def enable(user: User, actor: Actor, now: datetime) -> None:
    """Enable a staff account again. Flushes. Raises: PermissionDenied, NotFound."""
    _set_active(_hold(user, actor), actor, now, is_active=True)


def change_role(
    user: User,
    role: str,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    is_confirmed: bool = False,
) -> None:
    """Change a staff member's role. Flushes.

    Ends all their sessions, notifies them, and withdraws the open invitations they sent. Requests
    they have taken stay with them until a manager reassigns them; they leave their teams.
    version: the user's version as the actor saw it. is_confirmed: that a team may be left without
    members. Raises: PermissionDenied, NotFound (not staff), DomainError for a non-staff role,
    OwnAccount, TransitionNotAllowed when the account was changed meanwhile, LastMember. Source:
    security rules 15 and 16.
    """
    if role not in STAFF_ROLES:
        raise DomainError(_l("This is not a staff role."))
    user = _hold(user, actor)
    _must_be_another(user, actor)
    if user.version != version:
        raise TransitionNotAllowed(_l("This account was changed in the meantime. Check it again."))
    before = user.role
    if before == role:
        return
    teams.require_members_without(user, is_confirmed=is_confirmed)
    changes: dict[str, Any] = {"role": [before, role]}
    if left := teams.leave_all(user):
        changes["teams"] = [left, []]
    user.role = role
    user.version += 1
    audit.record("staff:role:changed", obj=user, actor_id=actor.id, at=now, changes=changes)
    _withdraw_invitations_of(user, actor, now)
    sessions.end_sessions(now, user_id=user.id)
    names = {"role": i18n.in_both(Role(role).label)}
    notifications.notify_user("staff:role:changed", user_id=user.id, params=names, now=now)


def end_sessions(user: User, actor: Actor, now: datetime) -> int:
    """End all sessions of any user. Flushes. Returns how many. Raises: PermissionDenied.

    Source: security rule 17.
    """
    _must_administer(actor)
    but = actor.session_id if user.id == actor.user_id else None
    ended = sessions.end_sessions(now, user_id=user.id, but=but)
    audit.record("account:sessions:ended", obj=user, actor_id=actor.id, at=now)
    return ended


def end_session(user: User, session_id: int, actor: Actor, now: datetime) -> None:
    """End one session of any user. Flushes.

    Raises: PermissionDenied, NotFound (not that user's, or already ended).
    """
    _must_administer(actor)
    if not sessions.end_one(now, user_id=user.id, session_id=session_id):
        raise NotFound
    audit.record("account:session:ended", obj=user, actor_id=actor.id, at=now)


def require_resettable(user: User, actor: Actor) -> None:
    """Check that the actor may reset the user's second factor now.

    Raises: PermissionDenied, OwnFactor, NoFactorToReset.
    """
    _must_administer(actor)
    if user.id == actor.user_id:
        raise OwnFactor
    if second_factor.means_of(user) != second_factor.Means.APP:
        raise NoFactorToReset


def reset_factor(user: User, actor: Actor, reason: str, now: datetime) -> None:
    """Remove the lost app and recovery codes of a user. Flushes.

    Ends all their sessions and notifies them. Staff fall back to codes by e-mail, agents to the
    password alone. reason: kept in the audit trail. Raises: as `require_resettable`; DomainError
    without a reason.
    """
    _must_administer(actor)
    user = db.session.get_one(User, user.id, with_for_update=True, populate_existing=True)
    require_resettable(user, actor)
    if not reason.strip():
        raise DomainError(_l("Enter a reason. It is kept in the audit trail."))
    before = second_factor_setup.remove_for(user)
    kind = "account:factor:reset"
    second_factor_setup.tell(user, kind, before, now, actor_id=actor.id, reason=reason)
    sessions.end_sessions(now, user_id=user.id)


def open_invitations(now: datetime) -> list[Invitation]:
    """Return the open staff invitations, newest first."""
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
    """Withdraw an invitation, voiding its link. Flushes.

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
    """Withdraw the user's open invitations: they must not outlast the right to invite."""
    for invitation in open_invitations(now):
        if invitation.invited_by_id == user.id:
            _withdraw(invitation, actor, now)


def requests_in_hand(user: User) -> int:
    """Return how many open requests the reviewer has; a manager can reassign them."""
    statement = sa.select(sa.func.count()).where(Request.reviewer_id == user.id, registry.is_open())
    return db.session.scalar(statement) or 0


def _must_administer(actor: Actor) -> None:
    if not actor.is_administrator:
        raise NoAdministrator


def _hold(user: User, actor: Actor) -> User:
    """Lock and return the current row of a staff member.

    Requires the actor to be an active administrator still, so that one always remains.
    """
    _must_administer(actor)
    # Two administrators disabling each other wait here.
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
