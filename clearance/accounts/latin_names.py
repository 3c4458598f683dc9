"""The user's own name in Latin letters, and the organisations named after them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from clearance.core import audit, name_folding
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import LegalEntity, Membership, Organisation, User


def change(actor: Actor, latin_name: str, now: datetime) -> bool:
    """Store the actor's whole name in Latin letters; return False if it is the same. Flushes.

    Organisations that carry the actor's name get it in English too.
    """
    user = db.session.get_one(User, actor.id, with_for_update=True)
    if user.latin_name == latin_name:
        return False
    before, named_after = user.latin_name, _named_after(user)
    user.latin_name = latin_name
    user.name_folded = name_folding.name_index(user.first_name, user.last_name, latin_name)
    for organisation in named_after:
        organisation.name_en = latin_name
        organisation.name_folded = name_folding.name_index(organisation.name_ar, latin_name)
    audit.record(
        "account:name:changed",
        obj=user,
        actor_id=user.id,
        at=now,
        changes={"latin_name": [before, latin_name]},
    )
    return True


def _named_after(user: User) -> list[Organisation]:
    """Return the organisations opened in the user's name, not those with a name of their own."""
    query = (
        sa.select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
        .where(
            Membership.user_id == user.id,
            Membership.is_general,
            LegalEntity.needs_organisation_name.is_(False),
            Organisation.licence_no.is_(None),
            Organisation.name_ar == user.name_in("ar"),
            Organisation.name_en == user.name_in("en"),
        )
        .with_for_update(of=Organisation)
    )
    return list(db.session.scalars(query))
