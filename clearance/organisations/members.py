"""The users of an organisation: who they are, what they may use, and holding them for a change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from clearance.auth import permissions
from clearance.core import urls
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, Refusal, Refused, StaleEdit
from clearance.core.extensions import db
from clearance.models import Membership, Organisation, User
from clearance.models.enums import Role
from clearance.organisations import subscriptions
from clearance.services import schema, versions


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


NO_ACCESS = Access(is_general=False)


def lock_exclusive(organisation_id: int) -> Organisation:
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


def lock_for(organisation_id: int, actor: Actor) -> Organisation:
    """`lock`, and see that the actor still manages it: who was demoted meanwhile gets NotFound."""
    organisation = lock_exclusive(organisation_id)
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


def grantable(organisation_id: int) -> list[schema.Definition]:
    """The active services that the organisation is subscribed to, in the order of the menu."""
    subscribed = subscriptions.granted_codes(organisation_id)
    current = (version.definition for version in versions.all_current())
    return [each for each in current if each.code in subscribed]


def find(membership_id: int, actor: Actor) -> Membership:
    """A membership in an organisation whose users `actor` manages. Raises: NotFound."""
    membership = db.session.scalar(
        sa.select(Membership)
        .where(
            Membership.id == membership_id,
            Membership.organisation_id.in_(permissions.manageable_organisations(actor)),
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


def standings_of(user_id: int, organisation_ids: Collection[int]) -> dict[int, Membership]:
    """The user's memberships in these organisations as they are now, by organisation."""
    rows = db.session.scalars(
        sa.select(Membership)
        .where(Membership.user_id == user_id, Membership.organisation_id.in_(organisation_ids))
        # The page has read them before their organisations were held.
        .execution_options(populate_existing=True)
    )
    return {row.organisation_id: row for row in rows}


def names_of(organisation: Organisation) -> dict[str, str]:
    """The organisation's name in both languages, as messages want it."""
    return {lang: organisation.name_in(lang) for lang in ("ar", "en")}


LAST_GENERAL_USER = Refusal(
    _l("The organisation would be left without a general user."),
    _l("Make another user a general user first."),
)
NO_SERVICE = Refusal(_l("Grant at least one service to an additional user."))
NOT_SUBSCRIBED = Refusal(
    _l("A service can be granted only while the organisation is subscribed to it."),
    _l("Subscribe the organisation first."),
    urls.SUBSCRIPTIONS,
)
ALREADY_A_MEMBER = Refusal(
    _l("You belong to this organisation already."),
    _l("What you may do there, its general user can change."),
)


def require_version(membership: Membership, before: Access, wanted: Access, version: int) -> None:
    """Refuse a change of what looks different by now. Raises: StaleEdit with both values."""
    if membership.version == version:
        return
    now, given = before.as_changes(), wanted.as_changes()
    changed = {name: (now[name], given[name]) for name in now if now[name] != given[name]}
    raise StaleEdit(changed, membership.version)


def require_grantable(organisation_id: int, wanted: Access, before: Access = NO_ACCESS) -> None:
    """Refuse an access that cannot be given there now; what is held already may stay.

    Raises: Refused for a service that is not subscribed, or for none at all.
    """
    if wanted.is_general:
        return
    subscribed = subscriptions.granted_codes(organisation_id)
    if wanted.services - before.services - subscribed:
        raise Refused(NOT_SUBSCRIBED)
    if wanted.is_active and not wanted.services:
        raise Refused(NO_SERVICE)


def require_general_user(membership: Membership, before: Access, wanted: Access) -> None:
    """Refuse to leave the organisation without an active general user. Raises: Refused."""
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
