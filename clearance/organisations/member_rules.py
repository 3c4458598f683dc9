"""What may not be done to the users of an organisation, and why; the organisation is held."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import urls
from clearance.core.errors import Refusal, Refused, StaleEdit
from clearance.core.extensions import db
from clearance.models import Membership, User
from clearance.models.enums import Role
from clearance.organisations import subscriptions
from clearance.organisations.members import NO_ACCESS, Access

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
