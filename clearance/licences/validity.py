"""Effective validity: how long a licence really counts, and which of its links breaks first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
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
"""The column of each link's last day; in the order in which ties are broken."""


class Validity(NamedTuple):
    """The last Kuwait day of the effective validity, inclusive, and the link that breaks then."""

    until: date
    link: ValidityLink


class StatusInputs(Protocol):
    """What the state of a licence depends on."""

    @property
    def status(self) -> str:
        """As the register keeps it."""

    @property
    def suspended_by(self) -> str | None:
        """At whose will it is suspended."""

    @property
    def expires(self) -> date:
        """Its own last day, inclusive."""


def of(licence: Licence) -> Validity:
    """The effective validity: the earliest of licence, guarantee, civil ID and passport.

    Of links that end on the same day the licence is named first.
    Source: specification section 5, Effective validity.
    """
    return earliest(ends(licence))


def ends(licence: Licence) -> list[tuple[ValidityLink, date]]:
    """Each link with its last day, the earliest first."""
    broker = licence.broker
    days = (
        licence.expires,
        licence.guarantee_expiry,
        broker.civil_id_expiry,
        broker.passport_expiry,
    )
    return sorted(zip(LINK_COLUMNS, days, strict=True), key=lambda each: each[1])


def earliest(links: Iterable[tuple[ValidityLink, date]]) -> Validity:
    """The link that breaks first; of equal days the one that stands first."""
    link, until = min(links, key=lambda each: each[1])
    return Validity(until, link)


def breaking_before(
    links: Iterable[tuple[ValidityLink, date]], day: date
) -> list[tuple[ValidityLink, date]]:
    """The links besides the licence itself that end before `day`, such as a new expiry date."""
    return [(link, end) for link, end in links if link != ValidityLink.LICENCE and end < day]


def until_column() -> sa.ColumnElement[date]:
    """The effective validity's last day in SQL, over Licence joined with Broker."""
    first, *others = LINK_COLUMNS.values()
    found = first
    for each in others:
        found = sa.case((each < found, each), else_=found)
    return sa.type_coerce(found, sa.Date())


def link_column() -> sa.ColumnElement[str]:
    """The link that breaks first in SQL, over Licence joined with Broker."""
    until = until_column()
    return sa.case(*((column == until, link.value) for link, column in LINK_COLUMNS.items()))


def status_on(licence: StatusInputs, today: date) -> LicenceStatus:
    """The state of a licence on a Kuwait day, also before the daily job has noted its expiry.

    The last day is inclusive. What the office suspended stays suspended, and a cancelled licence
    cancelled; an active one, or one suspended at its holder's will, expires.
    """
    has_ended = licence.expires < today
    return (
        LicenceStatus.EXPIRED
        if has_ended and is_expirable(licence)
        else LicenceStatus(licence.status)
    )


def is_expirable(licence: StatusInputs) -> bool:
    """Whether the licence's state becomes expired when its last day is over."""
    return licence.status == LicenceStatus.ACTIVE or licence.suspended_by == SuspendedBy.HOLDER


def status_column(today: date) -> sa.ColumnElement[str]:
    """`status_on` in SQL, over Licence."""
    expirable = sa.or_(
        Licence.status == LicenceStatus.ACTIVE, Licence.suspended_by == SuspendedBy.HOLDER
    )
    expired = sa.and_(expirable, Licence.expires < today)
    return sa.case((expired, LicenceStatus.EXPIRED.value), else_=Licence.status)
