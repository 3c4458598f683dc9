"""Adding users to an organisation: the invitation, its answer, and the sign-up of who is new.

Whoever adds somebody never learns whether that person is known: the same rows are made, the same
answer is given, and a refusal looks like an invitation not answered yet.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import SessionTransaction

from clearance import (
    audit,
    codes,
    known_people,
    links,
    members,
    new_passwords,
    notices,
    policies,
    secrets_box,
    sessions,
    throttle,
)
from clearance.actor import Actor
from clearance.database import own_transaction
from clearance.errors import NotFound, Refusal, Refused
from clearance.extensions import db
from clearance.members import Access
from clearance.models import (
    Invitation,
    Membership,
    Organisation,
    Registration,
    User,
)
from clearance.passwords import hash_password
from clearance.vocabulary import Channel, Role

LIFETIME = timedelta(days=7)
LISTED = 200

AWAITED_ALREADY = Refusal(
    _l("This e-mail has been added already and is awaited."),
    _l("In the list of users you can send the invitation again or withdraw it."),
)
_ASK_AGAIN = _l("Ask a general user of the organisation to invite you again.")


@dataclass(frozen=True)
class Added:
    """What the form gave, cleaned as for registering. language: the sign-up's at first."""

    first_name: str
    last_name: str
    gender: str
    civil_id: str
    mobile: str
    email: str
    password: str = field(repr=False)
    access: Access
    language: str

    @property
    def words(self) -> tuple[str, ...]:
        """What the person is called, which must not make a password up."""
        return (self.first_name, self.last_name, self.email, self.mobile, self.civil_id)


@dataclass(frozen=True)
class Awaited:
    """Somebody added who has not come yet, as the list shows them. name: as typed, or ""."""

    invitation: Invitation
    name: str
    is_expired: bool
    can_resend: bool


def add(added: Added, actor: Actor, now: datetime) -> Invitation:
    """Add somebody to the organisation chosen in the header; flushes.

    Who is new signs in with the e-mail and this password, chooses an own one, proves both codes,
    and has then what is granted here. Who has that e-mail, or else that civil number, already gets
    an invitation to answer in the portal. Slow: call it before the request's first query.
    Raises: NotFound when the actor manages the organisation no more; WeakPassword; TooManyTries;
    Refused for an access that cannot be given, or an e-mail that is awaited already.
    Source: specification sections 3 and 4, security rules 5, 10 and 11.
    """
    standing = actor.standing
    if standing is None or not policies.governs_chosen(actor):
        raise NotFound
    new_passwords.require_strong(added.password, added.words)
    _count(added, standing.organisation_id, now)
    password_hash = hash_password(added.password)
    organisation = members.lock_for(standing.organisation_id, actor)
    members.require_grantable(organisation.id, added.access)
    _require_new(organisation.id, added.email)
    owners = known_people.owners(email=added.email, mobile=added.mobile, civil_id=added.civil_id)
    invitee = _invitee(owners, added)
    invitation = _invite(added, organisation, actor, now)
    invitation.user_id = invitee.id if invitee is not None else None
    _sign_up(added, organisation, invitation, password_hash, now, is_void=bool(owners))
    _record("member:user:added", invitation, actor, now)
    others = [owner for owner in owners if invitee is None or owner.id != invitee.id]
    known_people.tell(others, email=added.email, mobile=added.mobile, now=now)
    is_email_known = any(owner.email == added.email for owner in owners)
    _tell(invitation, organisation, invitee, actor, now, is_email_known=is_email_known)
    return invitation


def awaited(organisation_id: int, now: datetime) -> list[Awaited]:
    """Who was added and has not come yet, newest first; a refusal does not show."""
    rows = db.session.execute(
        sa.select(Invitation, Registration)
        .outerjoin(Registration, Registration.invitation_id == Invitation.id)
        .where(
            Invitation.organisation_id == organisation_id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .order_by(Invitation.id.desc())
        .limit(LISTED)
    )
    return [
        Awaited(
            invitation,
            f"{signup.first_name} {signup.last_name}" if signup is not None else "",
            is_expired=invitation.expires_at <= now,
            can_resend=signup is not None,
        )
        for invitation, signup in rows
    ]


def resend(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Send an invitation again, and let it live anew; flushes. Nobody who refused hears of it.

    Call it before the request's first query. Raises: NotFound; TooManyTries (once a minute).
    """
    with own_transaction(write=False) as connection:
        email = connection.scalar(
            sa.select(Invitation.email).where(
                Invitation.id == invitation_id,
                Invitation.organisation_id.in_(policies.governed_by(actor)),
                Invitation.accepted_at.is_(None),
                Invitation.withdrawn_at.is_(None),
            )
        )
    if email is None:
        raise NotFound
    throttle.hit("invitation_sent", email, now)
    invitation, organisation = _held(invitation_id, actor)
    signup = _signup_of(invitation)
    if signup is None:
        raise NotFound
    invitation.expires_at = now + LIFETIME
    signup.created_at = now
    _record("member:invitation:sent_again", invitation, actor, now)
    invitee = _active_agent(invitation.user_id)
    if invitation.refused_at is None:
        is_email_known = known_people.is_known(Channel.EMAIL, invitation.email)
        _tell(invitation, organisation, invitee, actor, now, is_email_known=is_email_known)


def withdraw(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Take an invitation back: the sign-up is over, its open sessions end at once. Flushes.

    Raises: NotFound (also when it was accepted meanwhile, or withdrawn before).
    """
    invitation, _organisation = _held(invitation_id, actor)
    invitation.withdrawn_at = now
    signup = _signup_of(invitation)
    if signup is not None:
        sessions.end_signup_sessions(now, registration_id=signup.id)
    _record("member:invitation:withdrawn", invitation, actor, now)


def find(invitation_id: int, actor: Actor) -> Invitation:
    """An invitation that is for `actor`, open or not. Raises: NotFound."""
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.user_id is None or invitation.user_id != actor.user_id:
        raise NotFound
    return invitation


def open_for(actor: Actor, now: datetime) -> list[Invitation]:
    """The invitations that `actor` can answer now, newest first."""
    rows = db.session.scalars(
        sa.select(Invitation)
        .where(Invitation.user_id == actor.user_id, Invitation.organisation_id.is_not(None))
        .order_by(Invitation.id.desc())
    )
    return [row for row in rows if closed_refusal(row, now) is None]


def organisation_of(invitation: Invitation) -> Organisation:
    """The organisation that invites. Raises: NotFound for an invitation into the office."""
    if invitation.organisation_id is None:
        raise NotFound
    return db.session.get_one(Organisation, invitation.organisation_id)


def closed_refusal(invitation: Invitation, now: datetime) -> Refusal | None:
    """Why the invitation cannot be answered (any more), or None."""
    if invitation.accepted_at is not None:
        return Refusal(_l("This invitation was accepted already."))
    if invitation.refused_at is not None:
        return Refusal(_l("You have declined this invitation."), _ASK_AGAIN)
    if invitation.withdrawn_at is not None:
        return Refusal(_l("This invitation was withdrawn."), _ASK_AGAIN)
    if not invitation.created_at <= now < invitation.expires_at:
        return Refusal(_l("The time to answer this invitation is over."), _ASK_AGAIN)
    return None


def accept(invitation_id: int, actor: Actor, now: datetime) -> Membership:
    """Join the organisation that invited `actor`, with what was granted then; flushes.

    Raises: NotFound for another person's; Refused when it is not open, or they belong to it.
    """
    invitation = find(invitation_id, actor)
    user = db.session.get_one(User, actor.id)
    membership = _use(invitation, user, now)
    signup = _signup_of(invitation)
    if signup is not None:
        signup.completed_at = now
    return membership


def refuse(invitation_id: int, actor: Actor, now: datetime) -> None:
    """Decline it; whoever invited is not told. Flushes. Raises: NotFound, Refused."""
    invitation = find(invitation_id, actor)
    _hold_open(invitation, now)
    invitation.refused_at = now
    audit.record(
        "member:invitation:refused",
        obj=invitation,
        actor_id=actor.id,
        at=now,
        organisation_id=invitation.organisation_id,
    )


def take_up(registration: Registration, user: User, now: datetime) -> Organisation:
    """Let the user made of an invited sign-up join; flushes. Raises: Refused when it is closed."""
    invitation = db.session.get_one(Invitation, registration.invitation_id)
    membership = _use(invitation, user, now)
    return db.session.get_one(Organisation, membership.organisation_id)


def adopt(user: User, now: datetime) -> None:
    """Give a new user the other open invitations to their e-mail or civil number; flushes.

    They were added by several organisations at once; each is theirs to answer from now on.
    """
    of_person = sa.select(Registration.invitation_id).where(
        Registration.civil_id == user.civil_id, Registration.invitation_id.is_not(None)
    )
    found = db.session.scalars(
        sa.select(Invitation).where(
            Invitation.organisation_id.is_not(None),
            Invitation.user_id.is_(None),
            sa.or_(Invitation.email == user.email, Invitation.id.in_(of_person)),
        )
    )
    for invitation in found:
        if closed_refusal(invitation, now) is None:
            invitation.user_id = user.id
            _tell_user(invitation, organisation_of(invitation), user, now)
    db.session.flush()


def _count(added: Added, organisation_id: int, now: datetime) -> None:
    throttle.hit_all(
        [
            ("registration_target", f"email:{added.email}"),
            ("registration_target", f"mobile:{added.mobile}"),
            ("registration_target", f"civil:{added.civil_id}"),
            ("member_added", f"organisation:{organisation_id}"),
        ],
        now,
    )
    audit.access(
        "member:add", object_type="invitation", detail=codes.masked(Channel.EMAIL, added.email)
    )


def _require_new(organisation_id: int, email: str) -> None:
    """Only what the actor sees in the own list anyway is spoken of."""
    waiting = db.session.scalar(
        sa.select(Invitation.id).where(
            Invitation.organisation_id == organisation_id,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
    )
    if waiting is not None:
        raise Refused(AWAITED_ALREADY)


def _invitee(owners: Sequence[User], added: Added) -> User | None:
    """The agent who is meant: who has the e-mail, else who has the civil number."""
    agents = [owner for owner in owners if owner.role == Role.AGENT and owner.is_active]
    by_email = next((each for each in agents if each.email == added.email), None)
    if by_email is not None or any(owner.email == added.email for owner in owners):
        return by_email
    return next((each for each in agents if each.civil_id == added.civil_id), None)


def _invite(added: Added, organisation: Organisation, actor: Actor, now: datetime) -> Invitation:
    access = added.access
    invitation = Invitation(
        email=added.email,
        role=Role.AGENT,
        organisation_id=organisation.id,
        is_general=access.is_general,
        services=[] if access.is_general else sorted(access.services),
        token_hash=secrets_box.token_hash(secrets.token_urlsafe(32)),  # answered in the portal
        invited_by_id=actor.id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


def _sign_up(
    added: Added,
    organisation: Organisation,
    invitation: Invitation,
    password_hash: str,
    now: datetime,
    *,
    is_void: bool,
) -> None:
    db.session.add(
        Registration(
            email=added.email,
            mobile=added.mobile,
            civil_id=added.civil_id,
            first_name=added.first_name,
            last_name=added.last_name,
            gender=added.gender,
            legal_entity=organisation.legal_entity,
            organisation_name="",
            password_hash=password_hash,
            language=added.language,
            is_void=is_void,
            invitation_id=invitation.id,
            must_change_password=True,
            created_at=now,
        )
    )
    db.session.flush()


def _tell(
    invitation: Invitation,
    organisation: Organisation,
    invitee: User | None,
    actor: Actor,
    now: datetime,
    *,
    is_email_known: bool,
) -> None:
    """Tell the invitee in the portal, or write to the address. Both are prepared, for the time."""
    attempt = db.session.begin_nested()
    _tell_user(invitation, organisation, invitee or db.session.get_one(User, actor.id), now)
    _end(attempt, is_kept=invitee is not None)
    attempt = db.session.begin_nested()
    notices.tell_address(
        "account:added",
        channel=Channel.EMAIL,
        address=invitation.email,
        language=actor.language,
        params={"organisation": members.names_of(organisation), "expires": invitation.expires_at},
        now=now,
        link=links.SIGN_IN,
        expires_at=invitation.expires_at,
    )
    _end(attempt, is_kept=not is_email_known)


def _end(attempt: SessionTransaction, *, is_kept: bool) -> None:
    if is_kept:
        attempt.commit()
    else:
        attempt.rollback()


def _tell_user(
    invitation: Invitation, organisation: Organisation, user: User, now: datetime
) -> None:
    notices.tell(
        "account:invited",
        user_id=user.id,
        params={"organisation": members.names_of(organisation)},
        now=now,
        url=links.own_invitation_url(invitation.id),
    )


def _record(kind: str, invitation: Invitation, actor: Actor, now: datetime) -> None:
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


def _held(invitation_id: int, actor: Actor) -> tuple[Invitation, Organisation]:
    """An invitation of an organisation the actor manages, not answered yet; both held."""
    organisation_id = db.session.scalar(
        sa.select(Invitation.organisation_id).where(
            Invitation.id == invitation_id,
            Invitation.organisation_id.in_(policies.governed_by(actor)),
        )
    )
    if organisation_id is None:
        raise NotFound
    organisation = members.lock_for(organisation_id, actor)
    invitation = db.session.get_one(Invitation, invitation_id, populate_existing=True)
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        raise NotFound
    return invitation, organisation


def _hold_open(invitation: Invitation, now: datetime) -> None:
    """Hold the organisation and see that the invitation is still open. Raises: Refused."""
    if invitation.organisation_id is None:
        raise NotFound
    members.lock(invitation.organisation_id)
    db.session.refresh(invitation)
    refusal = closed_refusal(invitation, now)
    if refusal is not None:
        raise Refused(refusal)


def _use(invitation: Invitation, user: User, now: datetime) -> Membership:
    _hold_open(invitation, now)
    access = Access(invitation.is_general, frozenset(invitation.services))
    membership = members.join(user, int(invitation.organisation_id or 0), access, now)
    invitation.accepted_at = now
    invitation.user_id = user.id
    db.session.flush()
    return membership


def _signup_of(invitation: Invitation) -> Registration | None:
    return db.session.scalar(
        sa.select(Registration).where(Registration.invitation_id == invitation.id)
    )


def _active_agent(user_id: int | None) -> User | None:
    user = db.session.get(User, user_id) if user_id is not None else None
    return user if user is not None and user.is_active else None
