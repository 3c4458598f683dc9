"""Notifications about changed access to an organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from clearance import notifications
from clearance.core import urls
from clearance.core.extensions import db
from clearance.models import Membership, Organisation, User
from clearance.organisations.members import NO_ACCESS, Access, names_of
from clearance.services import versions

Bilingual = Mapping[str, str]

# Lines of the placeholder `changes`.
_BECAME_GENERAL: Bilingual = {
    "ar": "لك الآن صلاحية المستخدم العام: جميع الخدمات المشترك بها وإدارة المستخدمين.",
    "en": "You are now a general user: you can use every subscribed service and manage users.",
}
_BECAME_ADDITIONAL: Bilingual = {
    "ar": "لك الآن صلاحية المستخدم الإضافي: الخدمات الممنوحة لك فقط.",
    "en": "You are now an additional user: you can use only the services you have been given.",
}
_ENABLED: Bilingual = {
    "ar": "أُعيد تفعيل صلاحيتك.",
    "en": "You have access again.",
}
_JOINED: Bilingual = {
    "ar": "أُضيفت هذه الجهة إلى الجهات المتاحة لك.",
    "en": "You can now work for this organisation.",
}
_GRANTED = {"ar": "مُنحت لك الخدمة: {service}", "en": "You can now use: {service}"}
_TAKEN = {"ar": "سُحبت منك الخدمة: {service}", "en": "You can no longer use: {service}"}


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
        head.append(_ENABLED)
    if after.is_general != before.is_general:
        became = _BECAME_GENERAL
        head.append(became if after.is_general else _BECAME_ADDITIONAL)
    if after.is_active:
        _tell_changes(membership, head, before, after, now)


def tell_placed(membership: Membership, access: Access, now: datetime) -> None:
    """Notify a user that they may now act for another organisation. Flushes."""
    head = [_JOINED]
    if access.is_general:
        head.append(_BECAME_GENERAL)
    _tell_changes(membership, head, NO_ACCESS, access, now)


def tell_joined(user: User, organisation: Organisation, now: datetime) -> None:
    """Notify the organisation's general users that a user has joined. Flushes."""
    notifications.notify_members(
        "account:member:joined",
        organisation_id=organisation.id,
        params={"name": names_of(user), "organisation": names_of(organisation)},
        now=now,
        url=urls.USERS,
        except_user_id=user.id,
    )


def _tell_changes(
    membership: Membership, head: list[Bilingual], before: Access, after: Access, now: datetime
) -> None:
    organisation = db.session.get_one(Organisation, membership.organisation_id)
    taken = frozenset() if after.is_general else before.services - after.services
    changes = _change_lines(
        head=head,
        granted=service_titles(after.services - before.services),
        taken=service_titles(taken),
    )
    notifications.notify_user(
        "account:access:changed",
        user_id=membership.user_id,
        params={"organisation": names_of(organisation), "changes": changes},
        now=now,
        organisation_id=organisation.id,
        url=urls.SERVICES,
    )


def _change_lines(
    *,
    head: Iterable[Bilingual] = (),
    granted: Iterable[Bilingual] = (),
    taken: Iterable[Bilingual] = (),
) -> dict[str, str]:
    """Return what changed in a user's access, one line per change, in both languages.

    head: any of the lines above. granted, taken: titles of services.
    """
    lines: dict[str, list[str]] = {"ar": [], "en": []}
    for lang, into in lines.items():
        into += [text[lang] for text in head]
        into += [_GRANTED[lang].replace("{service}", title[lang]) for title in granted]
        into += [_TAKEN[lang].replace("{service}", title[lang]) for title in taken]
    return {lang: "\n".join(f"- {line}" for line in into) for lang, into in lines.items()}


def service_titles(codes: Iterable[str]) -> list[Bilingual]:
    """Return the titles of these services, by code; an unknown one's is the code."""
    current = (version.definition for version in versions.all_current())
    titles = {
        definition.code: {"ar": definition.title.ar, "en": definition.title.en}
        for definition in current
    }
    return [titles.get(code) or {"ar": code, "en": code} for code in sorted(codes)]
