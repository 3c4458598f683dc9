"""Members of an organisation: queries, row locks and access checks."""

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
    """A membership's access. services: granted codes; empty for a general user, who has all."""

    is_general: bool
    services: frozenset[str] = frozenset()
    is_active: bool = True

    def as_changes(self) -> dict[str, Any]:
        """Return the values as shown in the audit trail and in a stale form."""
        return {
            "is_general": self.is_general,
            "services": sorted(self.services),
            "is_active": self.is_active,
        }


NO_ACCESS = Access(is_general=False)


def lock_exclusive(organisation_id: int) -> Organisation:
    """Lock the organisation's row to serialise changes of its users.

    Lock several organisations in the order of their ids.
    """
    # Not FOR UPDATE: rows that reference the organisation may still be inserted.
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
    """Lock the organisation and require that the actor still manages it. Raises: NotFound."""
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
    """Return the active services the organisation is subscribed to, in menu order."""
    subscribed = subscriptions.granted_codes(organisation_id)
    current = (version.definition for version in versions.all_current())
    return [definition for definition in current if definition.code in subscribed]


def find(membership_id: int, actor: Actor) -> Membership:
    """Return a membership in an organisation whose users `actor` manages. Raises: NotFound."""
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
    """Return the membership's current access."""
    services = frozenset(grant.service_code for grant in membership.grants)
    return Access(
        membership.is_general,
        frozenset() if membership.is_general else services,
        membership.is_active,
    )


def has_email(organisation_id: int, email: str) -> bool:
    """Return whether a member of the organisation, active or not, has that e-mail."""
    query = (
        sa.select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == organisation_id, User.email == email)
    )
    return db.session.scalar(query) is not None


def standings_of(user_id: int, organisation_ids: Collection[int]) -> dict[int, Membership]:
    """Return the user's current memberships in these organisations, by organisation id."""
    rows = db.session.scalars(
        sa.select(Membership)
        .where(Membership.user_id == user_id, Membership.organisation_id.in_(organisation_ids))
        # The page read them before their organisations were locked.
        .execution_options(populate_existing=True)
    )
    return {row.organisation_id: row for row in rows}


def names_of(named: Organisation | User | Actor) -> dict[str, str]:
    """Return the name of an organisation or a person in both languages, as message parameters."""
    return {lang: named.name_in(lang) for lang in ("ar", "en")}


LAST_GENERAL_USER = Refusal(
    _l("The organisation would have no general user left."),
    _l("Make another user a general user first."),
)
NO_SERVICE = Refusal(_l("Give an additional user access to at least one service."))
NOT_SUBSCRIBED = Refusal(
    _l("The organisation must be subscribed to a service before users can be given access to it."),
    _l("Subscribe the organisation first."),
    urls.SUBSCRIPTIONS,
)
ALREADY_A_MEMBER = Refusal(
    _l("You already belong to this organisation."),
    _l("Its general user can change what you can do there."),
)


def require_version(membership: Membership, before: Access, wanted: Access, version: int) -> None:
    """Refuse to change a membership edited meanwhile. Raises: StaleEdit with both values."""
    if membership.version == version:
        return
    now, given = before.as_changes(), wanted.as_changes()
    changed = {name: (now[name], given[name]) for name in now if now[name] != given[name]}
    raise StaleEdit(changed, membership.version)


def require_grantable(organisation_id: int, wanted: Access, before: Access = NO_ACCESS) -> None:
    """Refuse access that cannot be granted there now; services already granted may stay.

    Raises: Refused for a service without a subscription, or for no service at all.
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
