"""Adding users to an organisation: one form creates an invitation and a registration.

The inviter never learns whether the person has an account: rows, answer and work are the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import (
    existing_accounts,
    one_time_codes,
    password_changes,
    permissions,
    rate_limits,
    sessions,
)
from clearance.auth.registrants import RegistrantData
from clearance.core import audit, crypto, urls
from clearance.core.actor import Actor
from clearance.core.database import own_transaction, tentatively
from clearance.core.errors import NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Invitation, Organisation, Registration, User
from clearance.models.enums import Channel, Role
from clearance.organisations import invitation_queries, members
from clearance.organisations.invitation_queries import LIFETIME, MOST_AWAITED
from clearance.organisations.members import Access

AWAITED_ALREADY = Refusal(
    _l("You have already added a user with this e-mail address. They have not registered yet."),
    _l("In the list of users you can send the invitation again or withdraw it."),
)
TOO_MANY_AWAITED = Refusal(
    _l(
        "%(count)d people you added have not finished registering. You cannot add more for now.",
        count=MOST_AWAITED,
    ),
    _l("Withdraw invitations you no longer need in the list of users."),
)


@dataclass(frozen=True, kw_only=True)
class NewMember(RegistrantData):
    """Data from the form. password: replaced by the user's own at the first sign-in."""

    access: Access


def invite(added: NewMember, organisation_id: int, actor: Actor, now: datetime) -> Invitation:
    """Add a person to an organisation that the actor manages. Flushes.

    A new person signs in with the e-mail and this password, chooses their own, proves both codes,
    and gets the access granted here. An existing user with that e-mail, or else that civil number,
    gets an invitation to answer in the portal. Slow: call it before the request's first query.
    Raises: NotFound when the actor no longer manages the organisation; WeakPassword; TooManyTries;
    Refused for access that cannot be granted, an e-mail already pending, or too many pending.
    Source: specification sections 3 and 4, security rules 5, 10 and 11.
    """
    if not permissions.can_manage(actor, organisation_id):
        raise NotFound
    password_changes.require_strong(added.password, added.words)
    who = f"organisation:{organisation_id}"
    with rate_limits.counted(*added.targets(who), ("member_added", who)):
        audit.access(
            "member:add",
            object_type="invitation",
            detail=one_time_codes.masked(Channel.EMAIL, added.email),
        )
        return _add(added, organisation_id, actor, now)


def resend(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Send an invitation again in the actor's name and renew its lifetime. Flushes.

    Nothing is sent to a person who refused. Call it before the request's first query.
    Raises: NotFound; TooManyTries (once a minute; and the organisation's limit, as for adding).
    """
    email, organisation_id = _target_of(invitation_id, actor)
    who = f"organisation:{organisation_id}"
    pairs = [*rate_limits.of_target("invitation_sent", email, who), ("member_added", who)]
    with rate_limits.counted(*pairs):
        _resend(invitation_id, actor, now)


def withdraw(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Withdraw an invitation and its registration; end its open sessions. Flushes.

    Raises: NotFound (also when it was accepted or withdrawn before).
    """
    invitation, _organisation = invitation_queries.hold_awaited(invitation_id, actor)
    invitation.withdrawn_at = now
    signup = invitation_queries.signup_of(invitation)
    if signup is not None:
        sessions.end_signup_sessions(now, registration_id=signup.id)
    invitation_queries.record("member:invitation:withdrawn", invitation, actor, now)


def _add(added: NewMember, organisation_id: int, actor: Actor, now: datetime) -> Invitation:
    password_hash = added.password_hash()
    organisation = members.lock_for(organisation_id, actor)
    members.require_grantable(organisation.id, added.access)
    _require_room(organisation.id, added.email)
    owners = existing_accounts.owners(
        email=added.email, mobile=added.mobile, civil_id=added.civil_id
    )
    invitation = _invite(added, organisation, _invitee(owners, added), actor, now)
    added.sign_up(
        organisation.legal_entity,
        password_hash,
        now,
        organisation_name="",
        invitation_id=invitation.id,
        must_change_password=True,
        is_void=bool(owners),
    )
    invitation_queries.record("member:user:added", invitation, actor, now)
    others = [owner for owner in owners if owner.id != invitation.user_id]
    existing_accounts.notify_owners(
        others, email=added.email, mobile=added.mobile, language=added.language, now=now
    )
    _tell(invitation, organisation, actor, now)
    return invitation


def _resend(invitation_id: int, actor: Actor, now: datetime) -> None:
    invitation, organisation = invitation_queries.hold_awaited(invitation_id, actor)
    signup = invitation_queries.signup_of(invitation)
    if signup is None:
        raise NotFound
    invitation.expires_at = now + LIFETIME
    invitation.invited_by_id = actor.id
    signup.created_at = now
    _aim(invitation, signup)
    invitation_queries.record("member:invitation:sent_again", invitation, actor, now)
    _tell(invitation, organisation, actor, now)


def _require_room(organisation_id: int, email: str) -> None:
    """Refuse only on what the actor can already see in their own list."""
    waiting = invitation_queries.emails_awaited(organisation_id)
    if email in waiting:
        raise Refused(AWAITED_ALREADY)
    if len(waiting) >= MOST_AWAITED:
        raise Refused(TOO_MANY_AWAITED)


def _invite(
    added: NewMember, organisation: Organisation, user_id: int | None, actor: Actor, now: datetime
) -> Invitation:
    access = added.access
    invitation = Invitation(
        email=added.email,
        role=Role.AGENT,
        organisation_id=organisation.id,
        user_id=user_id,
        is_general=access.is_general,
        services=[] if access.is_general else sorted(access.services),
        token_hash=crypto.token_hash(secrets.token_urlsafe(32)),  # answered in the portal
        invited_by_id=actor.id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


def _aim(invitation: Invitation, signup: Registration) -> None:
    """Address the invitation to a user who exists by now, if any, and void the registration."""
    owners = existing_accounts.owners(
        email=signup.email, mobile=signup.mobile, civil_id=signup.civil_id
    )
    if invitation.user_id is None:
        invitation.user_id = _invitee(owners, signup)
    signup.is_void = bool(owners)
    db.session.flush()


def _invitee(owners: Sequence[User], person: NewMember | Registration) -> int | None:
    """Return the agent with that e-mail, else the one with that civil number."""
    agents = [owner for owner in owners if owner.role == Role.AGENT and owner.is_active]
    if any(owner.email == person.email for owner in owners):
        return next((agent.id for agent in agents if agent.email == person.email), None)
    return next((agent.id for agent in agents if agent.civil_id == person.civil_id), None)


def _tell(invitation: Invitation, organisation: Organisation, actor: Actor, now: datetime) -> None:
    """Notify the invitee in the portal or by e-mail; prepare both, for equal timing."""
    invitee = _active(invitation.user_id)
    is_email_known = existing_accounts.is_known(Channel.EMAIL, invitation.email)
    is_open = invitation.refused_at is None
    inviter = db.session.get_one(User, actor.id)
    with tentatively(is_kept=is_open and invitee is not None):
        invitation_queries.tell_user(invitation, organisation, invitee or inviter, now)
    with tentatively(is_kept=is_open and not is_email_known):
        notifications.send_to_address(
            "account:added",
            channel=Channel.EMAIL,
            address=invitation.email,
            language=actor.language,
            params={
                "organisation": members.names_of(organisation),
                "expires": invitation.expires_at,
            },
            now=now,
            link=urls.SIGN_IN,
            expires_at=invitation.expires_at,
        )


def _target_of(invitation_id: int, actor: Actor) -> tuple[str, int]:
    """Return a pending invitation's address and the actor's organisation.

    Read outside the request's transaction. Raises: NotFound.
    """
    with own_transaction(write=False) as connection:
        row = connection.execute(
            sa.select(Invitation.email, Invitation.organisation_id).where(
                Invitation.id == invitation_id,
                Invitation.organisation_id.in_(permissions.manageable_organisations(actor)),
                Invitation.accepted_at.is_(None),
                Invitation.withdrawn_at.is_(None),
            )
        ).one_or_none()
    if row is None:
        raise NotFound
    return row.email, row.organisation_id


def _active(user_id: int | None) -> User | None:
    user = db.session.get(User, user_id) if user_id is not None else None
    return user if user is not None and user.is_active else None
