"""Brokers and licences in bulk, as subjects of the bulk requests."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa

from clearance.core.clock import kuwait_date
from clearance.core.database import reserve_ids
from clearance.core.extensions import db
from clearance.demo.names import person_columns
from clearance.models import Base, Broker, Licence, LicenceChange
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy

_BROKERS = Base.metadata.tables[Broker.__tablename__]
_LICENCES = Base.metadata.tables[Licence.__tablename__]
_CHANGES = Base.metadata.tables[LicenceChange.__tablename__]
TYPES = ("private", "private", "representative", "general")
CHUNK = 5_000
FIRST_PERSON = 30_000_000
FIRST_NUMBER = 1_000_000
WINDOW = 60  # days before its expiry in which a licence can be renewed
YEARS = 3
# (status, suspended by, days until expiry from … to …) → percentage.
_KINDS: dict[tuple[LicenceStatus, SuspendedBy | None, int, int], int] = {
    (LicenceStatus.ACTIVE, None, WINDOW + 1, 365 * YEARS): 66,
    (LicenceStatus.ACTIVE, None, 1, WINDOW): 12,
    (LicenceStatus.EXPIRED, None, -600, -1): 10,
    (LicenceStatus.SUSPENDED, SuspendedBy.HOLDER, 30, 365 * YEARS): 5,
    (LicenceStatus.SUSPENDED, SuspendedBy.OFFICE, -100, 365 * YEARS): 3,
    (LicenceStatus.CANCELLED, None, -600, 365 * YEARS): 4,
}
_CHOICES, _SHARES = tuple(_KINDS), tuple(accumulate(_KINDS.values()))


class Holder(NamedTuple):
    """A broker with a licence; person: the number that generates the name; dates: last days."""

    broker_id: int
    licence_id: int
    organisation_id: int
    person: int
    broker_type: str
    status: str
    suspended_by: str | None
    expires: date
    guarantee_expiry: date
    civil_id_expiry: date
    passport_expiry: date

    @property
    def passport_no(self) -> str:
        """Return the passport number."""
        return f"P{self.person}"

    @property
    def broker_columns(self) -> dict[str, Any]:
        """Return what the broker's row and the rows of his requests have in common."""
        return {
            "organisation_id": self.organisation_id,
            "broker_type": self.broker_type,
            "civil_id_expiry": self.civil_id_expiry,
            "passport_no": self.passport_no,
            "passport_expiry": self.passport_expiry,
            **person_columns(self.person),
        }

    @property
    def guarantee_no(self) -> str:
        """Return the bank guarantee's number."""
        return f"LG 2519770/{self.licence_id:06d}"


def add_holders(
    count: int, organisations: list[int], shares: list[int], chance: random.Random, now: datetime
) -> list[Holder]:
    """Add `count` brokers with a licence each, spread over the organisations. Flushes."""
    made: list[Holder] = []
    last = db.session.scalar(sa.select(sa.func.max(Broker.id))) or 0
    while len(made) < count:
        size = min(CHUNK, count - len(made))
        homes = chance.choices(organisations, cum_weights=shares, k=size)
        first = FIRST_PERSON + last + len(made)
        made += _chunk(homes, first, chance, now)
    return made


def _chunk(homes: list[int], first: int, chance: random.Random, now: datetime) -> list[Holder]:
    session, today = db.session(), kuwait_date(now)
    brokers = reserve_ids(session, _BROKERS, len(homes))
    licences = reserve_ids(session, _LICENCES, len(homes))
    made = [
        _holder(broker_id, licence_id, home, first + place, chance, today)
        for place, (broker_id, licence_id, home) in enumerate(
            zip(brokers, licences, homes, strict=True)
        )
    ]
    since = now - timedelta(days=365 * 5)
    session.execute(sa.insert(_BROKERS), [_broker(holder, since) for holder in made])
    session.execute(sa.insert(_LICENCES), [_licence(holder) for holder in made])
    session.execute(sa.insert(_CHANGES), [_change(holder, since) for holder in made])
    return made


def _holder(
    broker_id: int,
    licence_id: int,
    organisation_id: int,
    person: int,
    chance: random.Random,
    today: date,
) -> Holder:
    status, suspended_by, earliest, latest = chance.choices(_CHOICES, cum_weights=_SHARES)[0]
    end = chance.randrange(earliest, latest + 1)
    # Papers outlast most licences, so the licence usually expires first.
    later = [max(end, 0) + chance.randrange(-20, 900) for _ in range(3)]
    days = (end, *(max(WINDOW + 1, offset) for offset in later))
    return Holder(
        broker_id,
        licence_id,
        organisation_id,
        person,
        chance.choice(TYPES[:-1]),
        status,
        suspended_by,
        *(today + timedelta(days=offset) for offset in days),
    )


def _broker(holder: Holder, since: datetime) -> dict[str, Any]:
    return {
        "id": holder.broker_id,
        "created_at": since,
        "version": 1,
        **holder.broker_columns,
    }


def _licence(holder: Holder) -> dict[str, Any]:
    return {
        "id": holder.licence_id,
        "number": f"KW-{FIRST_NUMBER + holder.licence_id}",
        "broker_id": holder.broker_id,
        "guarantee_no": holder.guarantee_no,
        "guarantee_expiry": holder.guarantee_expiry,
        "issued": holder.expires - timedelta(days=365 * YEARS),
        "expires": holder.expires,
        "status": holder.status,
        "suspended_by": holder.suspended_by,
        "version": 1,
    }


def _change(holder: Holder, since: datetime) -> dict[str, Any]:
    return {
        "licence_id": holder.licence_id,
        "at": since,
        "kind": LicenceStep.TAKEN_FROM_CUSTOMS,
        "reason": "",
        "changes": {},
    }
