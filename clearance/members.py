"""The users of an organisation: who they are, what they may use, and every change of that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from clearance import (
    audit,
    definition,
    handing_over,
    links,
    member_wording,
    notices,
    policies,
    sessions,
    subscriptions,
)
from clearance.actor import Actor
from clearance.errors import NotFound, Refusal, Refused, StaleEdit
from clearance.extensions import db
from clearance.models import Grant, Membership, Organisation, User
from clearance.vocabulary import Role

LAST_GENERAL_USER = Refusal(
    _l("The organisation would be left without a general user."),
    _l("Make another user a general user first."),
)
NO_SERVICE = Refusal(_l("Grant at least one service to an additional user."))
NOT_SUBSCRIBED = Refusal(
    _l("A service can be granted only while the organisation is subscribed to it."),
    _l("Subscribe the organisation first."),
    links.SUBSCRIPTIONS,
)
ALREADY_A_MEMBER = Refusal(
    _l("You belong to this organisation already."),
    _l("What you may do there, its general user can change."),
)


@dataclass(frozen=True)
class Access:
    """What a membership gives. services: granted codes; a general user has all and none here."""

    is_general: bool
    services: frozenset[str] = frozenset()
    is_active: bool = True

    def as_changes(self) -> dict[str, Any]:
        """The values as the trail and a stale form show them."""
        return {
            "is_general": self.is_general,
            "services": sorted(self.services),
            "is_active": self.is_active,
        }


def lock(organisation_id: int) -> Organisation:
    """Hold the organisation's row, so that changes of its users happen one after the other.

    Whoever changes several organisations locks them in the order of their ids.
    """
    # Not FOR UPDATE: rows that point at the organisation may go on being written meanwhile.
    organisation = db.session.get(
        Organisation,
        organisation_id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )
    if organisation is None:
        raise NotFound
    return organisation


def grantable(organisation_id: int) -> list[definition.Definition]:
    """The active services that the organisation is subscribed to, in the order of the menu."""
    subscribed = subscriptions.granted_codes(organisation_id)
    current = (version.definition for version in definition.all_current())
    return [each for each in current if each.code in subscribed]


def find(membership_id: int, actor: Actor) -> Membership:
    """A membership in an organisation whose users `actor` manages. Raises: NotFound."""
    membership = db.session.scalar(
        sa.select(Membership)
        .where(
            Membership.id == membership_id,
            Membership.organisation_id.in_(policies.governed_by(actor)),
        )
        .options(
            joinedload(Membership.user),
            joinedload(Membership.organisation),
            selectinload(Membership.grants),
        )
    )
    if membership is None:
        raise NotFound
    return membership


def access_of(membership: Membership) -> Access:
    """What the membership gives now."""
    services = frozenset(grant.service_code for grant in membership.grants)
    return Access(
        membership.is_general,
        frozenset() if membership.is_general else services,
        membership.is_active,
    )


def has_email(organisation_id: int, email: str) -> bool:
    """Whether a user of the organisation, active or not, has that e-mail."""
    query = (
        sa.select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == organisation_id, User.email == email)
    )
    return db.session.scalar(query) is not None


def edit(
    membership_id: int,
    wanted: Access,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    hand_over_to: int | None = None,
) -> Membership:
    """Give a member the access `wanted`, from their next request on, and tell them. Flushes.

    version: the membership's as the actor saw it. hand_over_to: the membership of the colleague
    who takes over, needed when disabling somebody who has open requests or drafts.
    Raises: NotFound (also when the actor manages the organisation no more); StaleEdit; Refused for
    a service not subscribed, none at all, the last general user, a colleague who cannot take over.
    """
    seen = find(membership_id, actor)
    if not wanted.is_active:
        handing_over.hold(seen.organisation_id, seen.user_id)
    lock_for(seen.organisation_id, actor)
    membership = _again(membership_id)
    before = access_of(membership)
    wanted = Access(
        wanted.is_general,
        frozenset() if wanted.is_general else wanted.services,
        wanted.is_active,
    )
    _check_version(membership, before, wanted, version)
    if wanted == before:
        return membership
    _require_services(membership.organisation_id, before, wanted)
    _require_general_user(membership, before, wanted)
    if before.is_active and not wanted.is_active:
        handing_over.hand_over(membership, hand_over_to, actor, now)
    _write(membership, wanted)
    _record(membership, before, wanted, actor.id, now)
    _tell(membership, before, wanted, now)
    if not wanted.is_active:
        _end_sessions(membership.user_id, now)
    return membership


def edit_everywhere(
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
    """`edit`, and let the member act for other organisations of the actor too, or no more. Flushes.

    added: organisations in which the member gets the same access. removed: those in which they are
    disabled; the actor takes over there. Raises: as `edit`.
    """
    seen = find(membership_id, actor)
    for organisation_id in sorted(removed):
        handing_over.hold(organisation_id, seen.user_id)
    if not wanted.is_active:
        handing_over.hold(seen.organisation_id, seen.user_id)
    for organisation_id in sorted({seen.organisation_id, *added, *removed}):
        lock_for(organisation_id, actor)
    membership = edit(membership_id, wanted, actor, now, version=version, hand_over_to=hand_over_to)
    there = standings_of(seen.user_id, removed)
    own = standings_of(actor.id, removed)
    for organisation_id, other in sorted(there.items()):
        before = access_of(other)
        off = Access(before.is_general, before.services, is_active=False)
        heir = own[organisation_id].id
        edit(other.id, off, actor, now, version=other.version, hand_over_to=heir)
    for organisation_id in sorted(added):
        place(seen.user, organisation_id, wanted, actor, now)
    return membership


def place(
    user: User, organisation_id: int, access: Access, actor: Actor, now: datetime
) -> Membership:
    """Let one of the actor's people act for another organisation that the actor manages. Flushes.

    Who was disabled there is enabled again. Raises: NotFound; Refused as for `edit`.
    """
    lock_for(organisation_id, actor)
    access = Access(access.is_general, access.services)  # there it begins active
    earlier = db.session.scalar(
        sa.select(Membership).where(
            Membership.user_id == user.id, Membership.organisation_id == organisation_id
        )
    )
    if earlier is not None:
        if earlier.is_active:
            return earlier
        return edit(earlier.id, access, actor, now, version=earlier.version)
    _require_services(organisation_id, Access(False), access)
    membership = _make(user, organisation_id, access, now)
    _record(membership, None, access, actor.id, now)
    head = [member_wording.JOINED]
    _tell_changes(membership, head, access, Access(False), now)
    return membership


def join(user: User, organisation_id: int, access: Access, now: datetime) -> Membership:
    """Make somebody who was invited a member; the caller holds the organisation. Flushes.

    What is no longer subscribed is left out. Raises: Refused when they belong to it already.
    """
    earlier = db.session.scalar(
        sa.select(Membership.id).where(
            Membership.user_id == user.id, Membership.organisation_id == organisation_id
        )
    )
    if earlier is not None:
        raise Refused(ALREADY_A_MEMBER)
    subscribed = subscriptions.granted_codes(organisation_id)
    given = Access(access.is_general, frozenset(access.services & subscribed))
    membership = _make(user, organisation_id, given, now)
    _record(membership, None, given, user.id, now)
    organisation = db.session.get_one(Organisation, organisation_id)
    notices.tell_members(
        "account:member:joined",
        organisation_id=organisation_id,
        params={"name": user.full_name, "organisation": names_of(organisation)},
        now=now,
        url=links.USERS,
        except_user_id=user.id,
    )
    return membership


def require_grantable(organisation_id: int, access: Access) -> None:
    """Refuse an access that nobody can be given there now. Raises: Refused."""
    _require_services(organisation_id, Access(False), access)


def lock_for(organisation_id: int, actor: Actor) -> Organisation:
    """`lock`, and see that the actor still manages it: who was demoted meanwhile gets NotFound."""
    organisation = lock(organisation_id)
    still = db.session.scalar(
        sa.select(Membership.id).where(
            Membership.user_id == actor.user_id,
            Membership.organisation_id == organisation_id,
            Membership.is_general.is_(True),
            Membership.is_active.is_(True),
        )
    )
    if still is None:
        raise NotFound
    return organisation


def standings_of(user_id: int, organisation_ids: Collection[int]) -> dict[int, Membership]:
    """The user's memberships in these organisations, by organisation."""
    rows = db.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == user_id, Membership.organisation_id.in_(organisation_ids)
        )
    )
    return {row.organisation_id: row for row in rows}


def names_of(organisation: Organisation) -> dict[str, str]:
    """The organisation's name in both languages, as messages want it."""
    return {lang: organisation.name_in(lang) for lang in ("ar", "en")}


def _again(membership_id: int) -> Membership:
    """Read the membership anew, now that its organisation is held."""
    return db.session.scalars(
        sa.select(Membership)
        .where(Membership.id == membership_id)
        .options(selectinload(Membership.grants))
        .execution_options(populate_existing=True)
    ).one()


def _check_version(membership: Membership, before: Access, wanted: Access, version: int) -> None:
    if membership.version == version:
        return
    now, given = before.as_changes(), wanted.as_changes()
    changed = {name: (now[name], given[name]) for name in now if now[name] != given[name]}
    raise StaleEdit(changed, membership.version)


def _require_services(organisation_id: int, before: Access, wanted: Access) -> None:
    if wanted.is_general:
        return
    subscribed = subscriptions.granted_codes(organisation_id)
    if wanted.services - before.services - subscribed:
        raise Refused(NOT_SUBSCRIBED)
    if wanted.is_active and not wanted.services:
        raise Refused(NO_SERVICE)


def _require_general_user(membership: Membership, before: Access, wanted: Access) -> None:
    if not (before.is_general and before.is_active) or (wanted.is_general and wanted.is_active):
        return
    others = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == membership.organisation_id,
            Membership.id != membership.id,
            Membership.is_general.is_(True),
            Membership.is_active.is_(True),
            User.is_active.is_(True),
            User.role == Role.AGENT,
        )
    )
    if not others:
        raise Refused(LAST_GENERAL_USER)


def _make(user: User, organisation_id: int, access: Access, now: datetime) -> Membership:
    membership = Membership(
        user_id=user.id,
        organisation_id=organisation_id,
        is_general=access.is_general,
        created_at=now,
        grants=_grants(access),
    )
    db.session.add(membership)
    db.session.flush()
    return membership


def _grants(access: Access) -> list[Grant]:
    services = () if access.is_general else sorted(access.services)
    return [Grant(service_code=code) for code in services]


def _write(membership: Membership, wanted: Access) -> None:
    kept = {grant.service_code: grant for grant in membership.grants}
    codes: Iterable[str] = () if wanted.is_general else sorted(wanted.services)
    membership.grants = [kept.get(code) or Grant(service_code=code) for code in codes]
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


def _tell(membership: Membership, before: Access, after: Access, now: datetime) -> None:
    """Tell the member what became different for them."""
    if before.is_active and not after.is_active:
        organisation = db.session.get_one(Organisation, membership.organisation_id)
        notices.tell(
            "account:member:disabled",
            user_id=membership.user_id,
            params={"organisation": names_of(organisation)},
            now=now,
            organisation_id=organisation.id,
        )
        return
    head = []
    if after.is_active and not before.is_active:
        head.append(member_wording.ENABLED)
    if after.is_general != before.is_general:
        became = member_wording.BECAME_GENERAL
        head.append(became if after.is_general else member_wording.BECAME_ADDITIONAL)
    if after.is_active:
        _tell_changes(membership, head, after, before, now)


def _tell_changes(
    membership: Membership,
    head: list[member_wording.Bilingual],
    after: Access,
    before: Access,
    now: datetime,
) -> None:
    organisation = db.session.get_one(Organisation, membership.organisation_id)
    titles = _titles()
    taken = frozenset() if after.is_general else before.services - after.services
    changes = member_wording.change_lines(
        head=head,
        granted=[_title(titles, code) for code in sorted(after.services - before.services)],
        taken=[_title(titles, code) for code in sorted(taken)],
    )
    notices.tell(
        "account:access:changed",
        user_id=membership.user_id,
        params={"organisation": names_of(organisation), "changes": changes},
        now=now,
        organisation_id=organisation.id,
        url=links.SERVICES,
    )


def _titles() -> dict[str, Mapping[str, str]]:
    current = (version.definition for version in definition.all_current())
    return {each.code: {"ar": each.title.ar, "en": each.title.en} for each in current}


def _title(titles: Mapping[str, Mapping[str, str]], code: str) -> Mapping[str, str]:
    return titles.get(code) or {"ar": code, "en": code}


def _end_sessions(user_id: int, now: datetime) -> None:
    """Who belongs to no organisation any more is signed out everywhere."""
    elsewhere = db.session.scalar(
        sa.select(Membership.id)
        .where(Membership.user_id == user_id, Membership.is_active.is_(True))
        .limit(1)
    )
    if elsewhere is None:
        sessions.end_sessions(now, user_id=user_id)
