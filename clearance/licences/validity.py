"""Effective validity: the earliest expiry among a licence and the documents it depends on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from clearance.models import Broker, Licence
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink

LINK_COLUMNS: dict[ValidityLink, Any] = {
    ValidityLink.LICENCE: Licence.expires,
    ValidityLink.GUARANTEE: Licence.guarantee_expiry,
    ValidityLink.CIVIL_ID: Broker.civil_id_expiry,
    ValidityLink.PASSPORT: Broker.passport_expiry,
}
"""Link → column of its last day; of equal days, the first link is named."""


class Validity(NamedTuple):
    """The last Kuwait day of effective validity, inclusive, and the link that ends then."""

    until: date
    link: ValidityLink


class StatusInputs(Protocol):
    """The values that a licence's status depends on."""

    @property
    def status(self) -> str:
        """The status stored in the register."""

    @property
    def suspended_by(self) -> str | None:
        """A SuspendedBy value, or None if it is not suspended."""

    @property
    def expires(self) -> date:
        """The licence's own last day, inclusive."""


def of(licence: Licence) -> Validity:
    """Return the effective validity: the earliest of licence, guarantee, civil ID and passport.

    Source: specification section 5, Effective validity.
    """
    return earliest(ends(licence))


def ends(licence: Licence) -> list[tuple[ValidityLink, date]]:
    """Return (link, last day), earliest first."""
    broker = licence.broker
    days = (
        licence.expires,
        licence.guarantee_expiry,
        broker.civil_id_expiry,
        broker.passport_expiry,
    )
    return ends_of(days)


def ends_of(days: Iterable[date]) -> list[tuple[ValidityLink, date]]:
    """Return `ends` of the values of LINK_COLUMNS."""
    return sorted(zip(LINK_COLUMNS, days, strict=True), key=itemgetter(1))


def earliest(links: Iterable[tuple[ValidityLink, date]]) -> Validity:
    """Return the link that ends first; of equal days, the first given."""
    link, until = min(links, key=itemgetter(1))
    return Validity(until, link)


def breaking_before(
    links: Iterable[tuple[ValidityLink, date]], day: date
) -> list[tuple[ValidityLink, date]]:
    """Return the links other than the licence that end before `day`, such as a new expiry date."""
    return [(link, end) for link, end in links if link != ValidityLink.LICENCE and end < day]


def until_column() -> sa.ColumnElement[date]:
    """Return the last day of effective validity in SQL, over Licence joined with Broker."""
    first, *others = LINK_COLUMNS.values()
    found = first
    for other in others:
        found = sa.case((other < found, other), else_=found)
    return sa.type_coerce(found, sa.Date())


def link_column() -> sa.ColumnElement[str]:
    """Return the link that ends first in SQL, over Licence joined with Broker."""
    until = until_column()
    return sa.case(*((column == until, link.value) for link, column in LINK_COLUMNS.items()))


def status_on(licence: StatusInputs, today: date) -> LicenceStatus:
    """Return a licence's status on a Kuwait day, even before the daily job has expired it.

    The last day is inclusive. Cancelled licences and those suspended by the office do not expire;
    active ones and those suspended by their holder do.
    """
    has_ended = licence.expires < today
    return (
        LicenceStatus.EXPIRED
        if has_ended and is_expirable(licence)
        else LicenceStatus(licence.status)
    )


def is_expirable(licence: StatusInputs) -> bool:
    """Return whether the licence's status becomes expired after its last day."""
    return licence.status == LicenceStatus.ACTIVE or licence.suspended_by == SuspendedBy.HOLDER


def status_column(today: Any) -> sa.ColumnElement[str]:
    """Return `status_on` in SQL, over Licence. today: the day, or a parameter for it."""
    expirable = sa.or_(
        Licence.status == LicenceStatus.ACTIVE, Licence.suspended_by == SuspendedBy.HOLDER
    )
    expired = sa.and_(expirable, Licence.expires < today)
    return sa.case((expired, LicenceStatus.EXPIRED.value), else_=Licence.status)
