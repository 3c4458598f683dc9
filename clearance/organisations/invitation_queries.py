"""Invitations into organisations: whose they are, which are open, and why one is not.

Whoever invites never learns whether the person is known: a refusal looks like no answer yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, urls
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
    """Somebody added who has not come yet, as the list shows them. name: as typed, or "".

    is_backed: whether whoever sent it last still manages the users.
    """

    invitation: Invitation
    name: str
    is_expired: bool
    is_backed: bool
    can_resend: bool

    @property
    def is_open(self) -> bool:
        """Whether it can still be taken up."""
        return self.is_backed and not self.is_expired


def awaited(organisation_id: int, now: datetime) -> list[Awaited]:
    """Who was added and has not come yet, newest first; a refusal does not show."""
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
            f"{signup.first_name} {signup.last_name}" if signup is not None else "",
            is_expired=invitation.expires_at <= now,
            is_backed=is_backed,
            can_resend=signup is not None,
        )
        for invitation, signup, is_backed in rows
    ]


def emails_awaited(organisation_id: int) -> list[str]:
    """The addresses of all who were added there and have not come yet."""
    query = sa.select(Invitation.email).where(*_awaited(organisation_id))
    return list(db.session.scalars(query))


def find(invitation_id: int, actor: Actor) -> Invitation:
    """An invitation that is for `actor`, open or not. Raises: NotFound."""
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.user_id is None or invitation.user_id != actor.user_id:
        raise NotFound
    return invitation


def open_for(actor: Actor, now: datetime) -> list[Invitation]:
    """The invitations that `actor` can answer now, newest first."""
    mine = Invitation.user_id == actor.user_id
    query = sa.select(Invitation).where(mine, *is_open(now)).order_by(Invitation.id.desc())
    return list(db.session.scalars(query))


def organisation_of(invitation: Invitation) -> Organisation:
    """The organisation that invites. Raises: NotFound for an invitation into the office."""
    if invitation.organisation_id is None:
        raise NotFound
    return db.session.get_one(Organisation, invitation.organisation_id)


def is_open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions that leave the invitations for which `closed_refusal` has nothing to say."""
    return (
        Invitation.organisation_id.is_not(None),
        Invitation.accepted_at.is_(None),
        Invitation.refused_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.created_at <= latest_past(now),
        Invitation.expires_at > now,
        _backed(),
    )


def closed_refusal(invitation: Invitation, now: datetime) -> Refusal | None:
    """Why the invitation cannot be answered (any more), or None."""
    if invitation.accepted_at is not None:
        return Refusal(_l("This invitation was accepted already."))
    if invitation.refused_at is not None:
        return Refusal(_l("You have declined this invitation."), _ASK_AGAIN)
    if invitation.withdrawn_at is not None:
        return Refusal(_l("This invitation was withdrawn."), _ASK_AGAIN)
    if invitation.created_at > latest_past(now) or invitation.expires_at <= now:
        return Refusal(_l("The time to answer this invitation is over."), _ASK_AGAIN)
    if not db.session.scalar(sa.select(_backed()).where(Invitation.id == invitation.id)):
        return Refusal(
            _l("Whoever sent this invitation no longer manages the users of the organisation."),
            _ASK_AGAIN,
        )
    return None


def hold_open(invitation: Invitation, now: datetime) -> Organisation:
    """Hold the organisation and see that the invitation is still open. Raises: Refused."""
    organisation = members.lock_exclusive(organisation_of(invitation).id)
    db.session.refresh(invitation)
    refusal = closed_refusal(invitation, now)
    if refusal is not None:
        raise Refused(refusal)
    return organisation


def hold_awaited(invitation_id: int, actor: Actor) -> tuple[Invitation, Organisation]:
    """An invitation of an organisation the actor manages, not accepted yet; both held.

    Raises: NotFound, also when it was accepted meanwhile, or withdrawn.
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
    """The sign-up that was made with the invitation; None once it was purged."""
    return db.session.scalar(
        sa.select(Registration).where(Registration.invitation_id == invitation.id)
    )


def tell_user(invitation: Invitation, organisation: Organisation, user: User, at: datetime) -> None:
    """Tell somebody in the portal that they are invited. Flushes."""
    notifications.notify_user(
        "account:invited",
        user_id=user.id,
        params={"organisation": members.names_of(organisation)},
        now=at,
        url=urls.own_invitation_url(invitation.id),
    )


def record(kind: str, invitation: Invitation, actor: Actor, now: datetime) -> None:
    """Write down in the trail what happened to the invitation, and what it offers. Flushes."""
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
    """Whoever sent it (last) is still a general user there: no disabled one lets others in."""
    return sa.exists().where(
        Membership.organisation_id == Invitation.organisation_id,
        Membership.user_id == Invitation.invited_by_id,
        Membership.is_general.is_(True),
        Membership.is_active.is_(True),
        User.id == Membership.user_id,
        User.is_active.is_(True),
    )
