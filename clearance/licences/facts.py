"""Facts about licences and their brokers, for guards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.licences import validity
from clearance.licences.validity import Validity
from clearance.models import Broker, Licence, Organisation
from clearance.models.enums import LicenceStatus, ValidityLink
from clearance.services.facts import Case, Facts


@dataclass(frozen=True)
class LicenceFact:
    """A licence and its broker as registered.

    is_general_broker: of his organisation. ends: validity links with their last Kuwait days.
    """

    id: int
    number: str
    status: str
    suspended_by: str | None
    expires: date
    broker_id: int
    organisation_id: int
    civil_id: str
    is_general_broker: bool
    ends: tuple[tuple[ValidityLink, date], ...]

    @property
    def validity(self) -> Validity:
        """The effective validity: the earliest end and its link."""
        return validity.earliest(self.ends)


def licence_of(case: Case) -> LicenceFact | None:
    """Return the licence concerned, or None."""
    return case.facts.read(licences).get(case.target.record_id or 0)


def status_of(case: Case) -> LicenceStatus | None:
    """Return the licence's status today, including an expiry no job has recorded yet."""
    licence = licence_of(case)
    return None if licence is None else validity.status_on(licence, case.facts.today)


def licensed(facts: Facts) -> frozenset[str]:
    """Load those of the people who have a licence that is not cancelled."""
    civil_ids = facts.subjects.civil_ids
    if not civil_ids:
        return frozenset()
    found = db.session.scalars(
        sa.select(Broker.civil_id)
        .join(Licence, Licence.broker_id == Broker.id)
        .where(Broker.civil_id.in_(civil_ids), Licence.status != LicenceStatus.CANCELLED)
    )
    return frozenset(found)


def licences(facts: Facts) -> dict[int, LicenceFact]:
    """Load the facts about the licences in question, by id; one query."""
    return load_licences(facts.subjects.record_ids)


def licence_fact(licence: Licence, *, is_general_broker: bool) -> LicenceFact:
    """Return the facts about a licence that is loaded with its broker."""
    broker = licence.broker
    return LicenceFact(
        licence.id,
        licence.number,
        licence.status,
        licence.suspended_by,
        licence.expires,
        broker.id,
        broker.organisation_id,
        broker.civil_id,
        is_general_broker,
        tuple(validity.ends(licence)),
    )


def load_licences(licence_ids: Collection[int]) -> dict[int, LicenceFact]:
    """Return the facts of these licences by id; one query."""
    if not licence_ids:
        return {}
    rows = db.session.execute(
        sa.select(
            Licence.id,
            Licence.number,
            Licence.status,
            Licence.suspended_by,
            Licence.expires,
            Licence.broker_id,
            Broker.organisation_id,
            Broker.civil_id,
            sa.func.coalesce(Organisation.general_broker_id == Broker.id, sa.false()),
            *validity.LINK_COLUMNS.values(),
        )
        .join(Broker, Broker.id == Licence.broker_id)
        .join(Organisation, Organisation.id == Broker.organisation_id)
        .where(Licence.id.in_(licence_ids))
    )
    return {row[0]: LicenceFact(*(*row[:9], tuple(validity.ends_of(row[9:])))) for row in rows}
