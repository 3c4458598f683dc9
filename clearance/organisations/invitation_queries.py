"""Queries and row locks for invitations into organisations.

The inviter never learns whether the person has an account: a refusal looks like no answer yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, i18n, urls
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.errors import NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Invitation, Membership, Organisation, Registration, User
from clearance.organisations import members

LIFETIME = timedelta(days=7)
MOST_AWAITED = 200

_ASK_AGAIN = _l("Ask a general user of the organisation to invite you again.")


@dataclass(frozen=True)
class Awaited:
    """A pending invitation as the list shows it. name: as typed, or "".

    is_backed: whether the latest sender still manages the organisation's users.
    """

    invitation: Invitation
    name: str
    is_expired: bool
    is_backed: bool
    can_resend: bool

    @property
    def is_open(self) -> bool:
        """Return whether the invitation can still be accepted."""
        return self.is_backed and not self.is_expired


def awaited(organisation_id: int, now: datetime) -> list[Awaited]:
    """Return the pending invitations, newest first; refused ones look pending."""
    rows = db.session.execute(
        sa.select(Invitation, Registration, _backed().label("is_backed"))
        .outerjoin(Registration, Registration.invitation_id == Invitation.id)
        .where(*_awaited(organisation_id))
        .order_by(Invitation.id.desc())
        .limit(MOST_AWAITED)
    )
    return [
        Awaited(
            invitation,
            signup.name_in(i18n.language()) if signup is not None else "",
            is_expired=invitation.expires_at <= now,
            is_backed=is_backed,
            can_resend=signup is not None,
        )
        for invitation, signup, is_backed in rows
    ]


def emails_awaited(organisation_id: int) -> list[str]:
    """Return the e-mail addresses of the organisation's pending invitations."""
    query = sa.select(Invitation.email).where(*_awaited(organisation_id))
    return list(db.session.scalars(query))


def find(invitation_id: int, actor: Actor) -> Invitation:
    """Return an invitation addressed to `actor`, open or not. Raises: NotFound."""
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.user_id is None or invitation.user_id != actor.user_id:
        raise NotFound
    return invitation


def open_for(actor: Actor, now: datetime) -> list[Invitation]:
    """Return the invitations that `actor` can answer now, newest first."""
    own = sa.select(Invitation).where(Invitation.user_id == actor.user_id, *is_open(now))
    return list(db.session.scalars(own.order_by(Invitation.id.desc())))


def organisation_of(invitation: Invitation) -> Organisation:
    """Return the inviting organisation. Raises: NotFound for an invitation into the office."""
    if invitation.organisation_id is None:
        raise NotFound
    return db.session.get_one(Organisation, invitation.organisation_id)


def is_open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Return SQL conditions for the invitations that `closed_refusal` accepts."""
    return is_open_between(latest_past(now), now)


def is_open_between(made_by: Any, ending_after: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """Return `is_open` for two instants, which may be parameters of a statement."""
    return (
        Invitation.organisation_id.is_not(None),
        Invitation.accepted_at.is_(None),
        Invitation.refused_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.created_at <= made_by,
        Invitation.expires_at > ending_after,
        _backed(),
    )


def closed_refusal(invitation: Invitation, now: datetime) -> Refusal | None:
    """Return why the invitation cannot be answered, or None."""
    if invitation.accepted_at is not None:
        return Refusal(_l("This invitation was already accepted."))
    if invitation.refused_at is not None:
        return Refusal(_l("You have declined this invitation."), _ASK_AGAIN)
    if invitation.withdrawn_at is not None:
        return Refusal(_l("This invitation was withdrawn."), _ASK_AGAIN)
    if invitation.created_at > latest_past(now) or invitation.expires_at <= now:
        return Refusal(_l("The time to respond to this invitation has passed."), _ASK_AGAIN)
    if not db.session.scalar(sa.select(_backed()).where(Invitation.id == invitation.id)):
        return Refusal(
            _l("The person who sent this invitation no longer manages the organisation's users."),
            _ASK_AGAIN,
        )
    return None


def hold_open(invitation: Invitation, now: datetime) -> Organisation:
    """Lock the organisation and require the invitation to be open. Raises: Refused."""
    organisation = members.lock_exclusive(organisation_of(invitation).id)
    db.session.refresh(invitation)
    refusal = closed_refusal(invitation, now)
    if refusal is not None:
        raise Refused(refusal)
    return organisation


def hold_awaited(invitation_id: int, actor: Actor) -> tuple[Invitation, Organisation]:
    """Lock a pending invitation and its organisation, which the actor must manage.

    Raises: NotFound, also when it was accepted or withdrawn meanwhile.
    """
    organisation_id = db.session.scalar(
        sa.select(Invitation.organisation_id).where(
            Invitation.id == invitation_id,
            Invitation.organisation_id.in_(permissions.manageable_organisations(actor)),
        )
    )
    if organisation_id is None:
        raise NotFound
    organisation = members.lock_for(organisation_id, actor)
    invitation = db.session.get_one(Invitation, invitation_id, populate_existing=True)
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        raise NotFound
    return invitation, organisation


def signup_of(invitation: Invitation) -> Registration | None:
    """Return the registration created with the invitation; None once it was purged."""
    return db.session.scalar(
        sa.select(Registration).where(Registration.invitation_id == invitation.id)
    )


def tell_user(invitation: Invitation, organisation: Organisation, user: User, at: datetime) -> None:
    """Notify an existing user in the portal of the invitation. Flushes."""
    notifications.notify_user(
        "account:invited",
        user_id=user.id,
        params={"organisation": members.names_of(organisation)},
        now=at,
        url=urls.own_invitation_url(invitation.id),
    )


def record(kind: str, invitation: Invitation, actor: Actor, now: datetime) -> None:
    """Record an invitation event and the offered access in the audit trail. Flushes."""
    audit.record(
        kind,
        obj=invitation,
        actor_id=actor.id,
        at=now,
        organisation_id=invitation.organisation_id,
        changes={
            "is_general": [None, invitation.is_general],
            "services": [None, list(invitation.services)],
        },
    )


def _awaited(organisation_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Invitation.organisation_id == organisation_id,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
    )


def _backed() -> sa.ColumnElement[bool]:
    """Require the latest sender to still be an active general user there."""
    return sa.exists().where(
        Membership.organisation_id == Invitation.organisation_id,
        Membership.user_id == Invitation.invited_by_id,
        Membership.is_general.is_(True),
        Membership.is_active.is_(True),
        User.id == Membership.user_id,
        User.is_active.is_(True),
    )
