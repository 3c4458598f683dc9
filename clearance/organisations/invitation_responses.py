"""Answering an invitation into an organisation: in the portal, or by finishing registration."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import Invitation, Membership, Organisation, Registration, User
from clearance.organisations import membership_changes
from clearance.organisations.invitation_queries import (
    find,
    hold_open,
    is_open,
    organisation_of,
    signup_of,
    tell_user,
)
from clearance.organisations.members import Access


def accept(invitation_id: int, actor: Actor, now: datetime) -> Membership:
    """Join the organisation that invited `actor`, with the access granted then. Flushes.

    Raises: NotFound for another person's; Refused when it is not open, or they are a member.
    """
    invitation = find(invitation_id, actor)
    membership = _use(invitation, db.session.get_one(User, actor.id), now)
    signup = signup_of(invitation)
    if signup is not None:
        signup.completed_at = now
    return membership


def refuse(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Decline without notifying the inviter. Flushes. Raises: NotFound, Refused."""
    invitation = find(invitation_id, actor)
    hold_open(invitation, now)
    invitation.refused_at = now
    audit.record(
        "member:invitation:refused",
        obj=invitation,
        actor_id=actor.id,
        at=now,
        organisation_id=invitation.organisation_id,
    )


def complete_after_registration(
    registration: Registration, user: User, now: datetime
) -> Organisation:
    """Add the user from an invited registration. Flushes. Raises: Refused when it is closed."""
    invitation = db.session.get_one(Invitation, registration.invitation_id)
    membership = _use(invitation, user, now)
    return db.session.get_one(Organisation, membership.organisation_id)


def link_open_invitations(user: User, now: datetime) -> None:
    """Link the other open invitations to the user's e-mail or civil number. Flushes.

    Several organisations may have invited them; they answer these in the portal.
    """
    of_person = sa.select(Registration.invitation_id).where(
        Registration.civil_id == user.civil_id, Registration.invitation_id.is_not(None)
    )
    found = db.session.scalars(
        sa.select(Invitation).where(
            *is_open(now),
            Invitation.user_id.is_(None),
            sa.or_(Invitation.email == user.email, Invitation.id.in_(of_person)),
        )
    )
    for invitation in found.all():
        invitation.user_id = user.id
        tell_user(invitation, organisation_of(invitation), user, now)
    db.session.flush()


def _use(invitation: Invitation, user: User, now: datetime) -> Membership:
    organisation = hold_open(invitation, now)
    access = Access(invitation.is_general, frozenset(invitation.services))
    membership = membership_changes.join(user, organisation.id, access, now)
    invitation.accepted_at = now
    invitation.user_id = user.id
    db.session.flush()
    return membership
