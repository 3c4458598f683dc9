"""The organisation's own profile: address and contacts, kept by its general users."""

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
    """What may be changed. phone: digits, perhaps with +. email: lower-cased."""

    address: str
    phone: str
    email: str


def profile_of(organisation: Organisation) -> Profile:
    """What stands there now."""
    return Profile(organisation.address, organisation.phone, organisation.email)


def change(
    organisation_id: int, profile: Profile, actor: Actor, now: datetime, *, version: int
) -> Organisation:
    """Keep new contacts of the organisation; the trail has both values. Flushes.

    version: the organisation's as the actor saw it. Raises: NotFound for all but its general
    users; StaleEdit. Source: specification section 4, security rule 56.
    """
    organisation = members.lock_for(organisation_id, actor)
    stands, given = asdict(profile_of(organisation)), asdict(profile)
    changed = {name: (stands[name], given[name]) for name in stands if stands[name] != given[name]}
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
