"""The organisation's address and contacts, edited by its general users."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import StaleEdit
from clearance.models import Organisation
from clearance.organisations import members


@dataclass(frozen=True)
class Profile:
    """The editable fields. phone: digits, perhaps with +. email: lower-cased."""

    address: str
    phone: str
    email: str


def profile_of(organisation: Organisation) -> Profile:
    """Return the current values."""
    return Profile(organisation.address, organisation.phone, organisation.email)


def change(
    organisation_id: int, profile: Profile, actor: Actor, now: datetime, *, version: int
) -> Organisation:
    """Change the organisation's contacts, recording both values in the audit trail. Flushes.

    version: the organisation's as the actor saw it. Raises: NotFound for all but its general
    users; StaleEdit. Source: specification section 4, security rule 56.
    """
    organisation = members.lock_for(organisation_id, actor)
    saved, given = asdict(profile_of(organisation)), asdict(profile)
    changed = {name: (saved[name], given[name]) for name in saved if saved[name] != given[name]}
    if organisation.version != version:
        raise StaleEdit(changed, organisation.version)
    if not changed:
        return organisation
    for name, (_before, after) in changed.items():
        setattr(organisation, name, after)
    organisation.version += 1
    audit.record(
        "organisation:profile:changed",
        obj=organisation,
        actor_id=actor.id,
        at=now,
        organisation_id=organisation.id,
        changes={name: list(pair) for name, pair in changed.items()},
    )
    return organisation
