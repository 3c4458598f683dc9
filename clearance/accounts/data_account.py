"""Of a copy of somebody's data: their account, where they belong, what they were told and did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from clearance.auth import known_devices, second_factor
from clearance.core.extensions import db
from clearance.models import (
    AccessEvent,
    Grant,
    LegalEntity,
    Membership,
    Notice,
    Organisation,
    User,
    UserSession,
)
from clearance.notifications import inbox

ROWS_AT_ONCE = 100


def profile(user: User) -> dict[str, Any]:
    """What the account says of the person; no hash, no key."""
    entity = db.session.get(LegalEntity, user.legal_entity) if user.legal_entity else None
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "gender": user.gender,
        "civil_id": user.civil_id,
        "email": user.email,
        "email_proved_at": user.email_proved_at,
        "mobile": user.mobile,
        "mobile_proved_at": user.mobile_proved_at,
        "role": user.role,
        "legal_entity": names(entity) if entity is not None else None,
        "language": user.language,
        "second_factor": str(second_factor.means_of(user)),
        "created_at": user.created_at,
    }


def memberships(user_id: int) -> Iterator[dict[str, Any]]:
    """The organisations of the user, past ones too, and the services granted in each."""
    rows = db.session.execute(
        sa.select(Membership, Organisation)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    ).all()
    for membership, organisation in rows:
        granted = sa.select(Grant.service_code).where(Grant.membership_id == membership.id)
        yield {
            "organisation": names(organisation),
            "is_general_user": membership.is_general,
            "is_active": membership.is_active,
            "since": membership.created_at,
            "granted_services": sorted(db.session.scalars(granted)),
        }


def told(user_id: int, language: str) -> Iterator[dict[str, Any]]:
    """The notices of the user, in the language of their account."""
    query = sa.select(Notice).where(Notice.user_id == user_id).order_by(Notice.id)
    for part in db.session.scalars(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        for notice, (title, text) in zip(part, inbox.texts_of(part, language), strict=True):
            yield {
                "at": notice.created_at,
                "read_at": notice.read_at,
                "event": notice.event,
                "title": title,
                "text": text,
            }


def sessions(user_id: int) -> Iterator[dict[str, Any]]:
    """When and from which browser the user was signed in."""
    query = (
        sa.select(
            UserSession.created_at,
            UserSession.last_seen_at,
            UserSession.expires_at,
            UserSession.ended_at,
            UserSession.ip,
            UserSession.user_agent,
        )
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield {**row._mapping, "device": known_devices.describe(row.user_agent)}


def access(user_id: int) -> Iterator[dict[str, Any]]:
    """Sign-ins and other uses of the account; nothing of what was read."""
    query = (
        sa.select(AccessEvent.at, AccessEvent.kind, AccessEvent.ip, AccessEvent.result)
        .where(AccessEvent.user_id == user_id)
        .order_by(AccessEvent.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield dict(row._mapping)


def names(row: LegalEntity | Organisation) -> dict[str, str]:
    """What something is called in both languages."""
    return {"ar": row.name_ar, "en": row.name_en}
