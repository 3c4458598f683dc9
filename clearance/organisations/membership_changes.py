"""Membership changes: granting, demoting, disabling, and adding to organisations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from clearance.auth import sessions
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.models import Grant, Membership, Organisation, User
from clearance.organisations import handover, members, subscriptions
from clearance.organisations import notifications as member_notices
from clearance.organisations.members import Access, access_of, find, lock_for, standings_of


def edit(
    membership_id: int,
    wanted: Access,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    hand_over_to: int | None = None,
) -> Membership:
    """Set a member's access, from their next request on, and notify them. Flushes.

    version: the membership's as the actor saw it. hand_over_to: the membership of the colleague
    who takes over; needed when disabling a member with open requests or drafts.
    Raises: NotFound (also when the actor no longer manages the organisation); StaleEdit; Refused
    for an unsubscribed service, no service, the last general user, or an unsuitable colleague.
    """
    seen = find(membership_id, actor)
    if not wanted.is_active:
        handover.lock_exclusive(seen.organisation_id, seen.user_id)
    lock_for(seen.organisation_id, actor)
    membership = _again(membership_id)
    before, wanted = access_of(membership), _tidy(wanted)
    members.require_version(membership, before, wanted, version)
    if wanted == before:
        return membership
    members.require_grantable(membership.organisation_id, wanted, before)
    members.require_general_user(membership, before, wanted)
    if before.is_active and not wanted.is_active:
        handover.hand_over(membership, hand_over_to, actor, now)
    _write(membership, wanted)
    _record(membership, before, wanted, actor.id, now)
    member_notices.tell_change(membership, before, wanted, now)
    if not wanted.is_active:
        _end_sessions(membership.user_id, now)
    return membership


def update_in_all_organisations(
    membership_id: int,
    wanted: Access,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    hand_over_to: int | None = None,
    added: Collection[int] = (),
    removed: Collection[int] = (),
) -> Membership:
    """Like `edit`, and add or remove the member in the actor's other organisations. Flushes.

    added: organisations in which the member gets the same access. removed: those in which they are
    disabled; the actor takes over there. Raises: as `edit`.
    """
    seen = find(membership_id, actor)
    for organisation_id in sorted(removed):
        handover.lock_exclusive(organisation_id, seen.user_id)
    if not wanted.is_active:
        handover.lock_exclusive(seen.organisation_id, seen.user_id)
    for organisation_id in sorted({seen.organisation_id, *added, *removed}):
        lock_for(organisation_id, actor)
    membership = edit(membership_id, wanted, actor, now, version=version, hand_over_to=hand_over_to)
    own = standings_of(actor.id, removed)
    for organisation_id, other in sorted(standings_of(seen.user_id, removed).items()):
        before = access_of(other)
        off = Access(before.is_general, before.services, is_active=False)
        heir = own[organisation_id].id
        edit(other.id, off, actor, now, version=other.version, hand_over_to=heir)
    for organisation_id in sorted(added):
        add_to_organisation(seen.user, organisation_id, wanted, actor, now)
    return membership


def add_to_organisation(
    user: User, organisation_id: int, access: Access, actor: Actor, now: datetime
) -> Membership:
    """Add a user the actor manages to another organisation the actor manages. Flushes.

    A member disabled there is enabled again. Raises: NotFound; Refused as for `edit`.
    """
    lock_for(organisation_id, actor)
    access = Access(access.is_general, access.services)  # starts active
    earlier = standings_of(user.id, [organisation_id]).get(organisation_id)
    if earlier is not None:
        if earlier.is_active:
            return earlier
        return edit(earlier.id, access, actor, now, version=earlier.version)
    members.require_grantable(organisation_id, access)
    membership = _make(user, organisation_id, access, actor.id, now)
    member_notices.tell_placed(membership, access, now)
    return membership


def join(user: User, organisation_id: int, access: Access, now: datetime) -> Membership:
    """Make an invited user a member; the caller holds the organisation's lock. Flushes.

    Services no longer subscribed are left out. Raises: Refused when they are a member already.
    """
    if standings_of(user.id, [organisation_id]):
        raise Refused(members.ALREADY_A_MEMBER)
    subscribed = subscriptions.granted_codes(organisation_id)
    given = Access(access.is_general, frozenset(access.services & subscribed))
    membership = _make(user, organisation_id, given, user.id, now)
    organisation = db.session.get_one(Organisation, organisation_id)
    member_notices.tell_joined(user, organisation, now)
    return membership


def make_general_user(user: User, organisation_id: int, now: datetime) -> Membership:
    """Make a user the general user of an organisation without one; the caller holds its lock.

    An existing member, disabled or not, is promoted. Flushes and notifies them.
    """
    wanted = Access(is_general=True)
    earlier = standings_of(user.id, [organisation_id]).get(organisation_id)
    if earlier is None:
        membership = _make(user, organisation_id, wanted, user.id, now)
        member_notices.tell_placed(membership, wanted, now)
        return membership
    before = access_of(earlier)
    _write(earlier, wanted)
    _record(earlier, before, wanted, user.id, now)
    member_notices.tell_change(earlier, before, wanted, now)
    return earlier


def _tidy(wanted: Access) -> Access:
    services = frozenset() if wanted.is_general else wanted.services
    return Access(wanted.is_general, services, wanted.is_active)


def _again(membership_id: int) -> Membership:
    """Re-read the membership, now that its organisation is locked."""
    return db.session.scalars(
        sa.select(Membership)
        .where(Membership.id == membership_id)
        .options(selectinload(Membership.grants))
        .execution_options(populate_existing=True)
    ).one()


def _make(
    user: User, organisation_id: int, access: Access, actor_id: int, now: datetime
) -> Membership:
    services = () if access.is_general else sorted(access.services)
    membership = Membership(
        user_id=user.id,
        organisation_id=organisation_id,
        is_general=access.is_general,
        created_at=now,
        grants=[Grant(service_code=code) for code in services],
    )
    db.session.add(membership)
    db.session.flush()
    _record(membership, None, access, actor_id, now)
    return membership


def _write(membership: Membership, wanted: Access) -> None:
    kept = {grant.service_code: grant for grant in membership.grants}
    membership.grants = [
        kept.get(code) or Grant(service_code=code) for code in sorted(wanted.services)
    ]
    membership.is_general = wanted.is_general
    membership.is_active = wanted.is_active
    membership.version += 1
    db.session.flush()


def _record(
    membership: Membership, before: Access | None, after: Access, actor_id: int, now: datetime
) -> None:
    old = before.as_changes() if before is not None else {}
    new = after.as_changes()
    audit.record(
        "member:user:joined" if before is None else "member:access:changed",
        obj=membership,
        actor_id=actor_id,
        at=now,
        organisation_id=membership.organisation_id,
        changes={
            name: [old.get(name), value] for name, value in new.items() if old.get(name) != value
        },
    )


def _end_sessions(user_id: int, now: datetime) -> None:
    """Sign the user out everywhere if they belong to no organisation any more."""
    elsewhere = db.session.scalar(
        sa.select(Membership.id)
        .where(Membership.user_id == user_id, Membership.is_active.is_(True))
        .limit(1)
    )
    if elsewhere is None:
        sessions.end_sessions(now, user_id=user_id)
