"""Notifications about changed access to an organisation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clearance import notifications
from clearance.core import urls
from clearance.core.extensions import db
from clearance.models import Membership, Organisation, User
from clearance.notifications.wording import members as member_wording
from clearance.notifications.wording.members import Bilingual
from clearance.organisations.members import NO_ACCESS, Access, names_of
from clearance.services import versions


def tell_change(membership: Membership, before: Access, after: Access, now: datetime) -> None:
    """Notify the member of what changed in their access. Flushes."""
    if before.is_active and not after.is_active:
        organisation = db.session.get_one(Organisation, membership.organisation_id)
        notifications.notify_user(
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
        _tell_changes(membership, head, before, after, now)


def tell_placed(membership: Membership, access: Access, now: datetime) -> None:
    """Notify a user that they may now act for another organisation. Flushes."""
    head = [member_wording.JOINED]
    if access.is_general:
        head.append(member_wording.BECAME_GENERAL)
    _tell_changes(membership, head, NO_ACCESS, access, now)


def tell_joined(user: User, organisation: Organisation, now: datetime) -> None:
    """Notify the organisation's general users that a user has joined. Flushes."""
    notifications.notify_members(
        "account:member:joined",
        organisation_id=organisation.id,
        params={"name": user.full_name, "organisation": names_of(organisation)},
        now=now,
        url=urls.USERS,
        except_user_id=user.id,
    )


def _tell_changes(
    membership: Membership, head: list[Bilingual], before: Access, after: Access, now: datetime
) -> None:
    organisation = db.session.get_one(Organisation, membership.organisation_id)
    taken = frozenset() if after.is_general else before.services - after.services
    changes = member_wording.change_lines(
        head=head,
        granted=_titles(after.services - before.services),
        taken=_titles(taken),
    )
    notifications.notify_user(
        "account:access:changed",
        user_id=membership.user_id,
        params={"organisation": names_of(organisation), "changes": changes},
        now=now,
        organisation_id=organisation.id,
        url=urls.SERVICES,
    )


def _titles(codes: Iterable[str]) -> list[Bilingual]:
    current = (version.definition for version in versions.all_current())
    titles = {
        definition.code: {"ar": definition.title.ar, "en": definition.title.en}
        for definition in current
    }
    return [titles.get(code) or {"ar": code, "en": code} for code in sorted(codes)]
