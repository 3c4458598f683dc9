"""Effective validity: the link that breaks first, in Python and in SQL alike."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.licences import validity
from clearance.licences.validity import Validity
from clearance.models import Broker, Licence
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink
from tests.support.issued_factories import make_licence

DAY = date(2026, 6, 10)
LATER = date(2030, 1, 1)
COLUMNS = {
    ValidityLink.LICENCE: "expires",
    ValidityLink.GUARANTEE: "guarantee_expiry",
    ValidityLink.CIVIL_ID: "civil_id_expiry",
    ValidityLink.PASSPORT: "passport_expiry",
}


def made(*early: ValidityLink) -> Licence:
    """A licence whose named links end on DAY and the others later."""
    return make_licence(
        **{column: DAY if link in early else LATER for link, column in COLUMNS.items()}
    )


@pytest.mark.databases
def test_earliest_link_counts_and_is_named_in_python_and_sql(context: Flask) -> None:
    expected = {made(link).id: Validity(DAY, link) for link in ValidityLink}
    tie = made(ValidityLink.PASSPORT, ValidityLink.GUARANTEE, ValidityLink.LICENCE)
    expected[tie.id] = Validity(DAY, ValidityLink.LICENCE)
    others = made(ValidityLink.PASSPORT, ValidityLink.CIVIL_ID)
    expected[others.id] = Validity(DAY, ValidityLink.CIVIL_ID)
    rows = db.session.execute(
        sa.select(Licence, validity.until_column(), validity.link_column()).join(
            Broker, Broker.id == Licence.broker_id
        )
    )
    found = {licence.id: (until, link) for licence, until, link in rows}
    assert found == expected
    assert {
        licence.id: validity.of(licence) for licence in db.session.scalars(sa.select(Licence))
    } == expected


def test_ends_come_in_the_order_in_which_they_break(context: Flask) -> None:
    licence = made(ValidityLink.PASSPORT)
    assert [link for link, _day in validity.ends(licence)] == [
        ValidityLink.PASSPORT,
        ValidityLink.LICENCE,
        ValidityLink.GUARANTEE,
        ValidityLink.CIVIL_ID,
    ]


def test_links_that_end_before_a_day_are_told_without_the_licence_itself() -> None:
    ends = [(link, DAY) for link in ValidityLink]
    assert [link for link, _day in validity.breaking_before(ends, DAY + timedelta(days=1))] == [
        ValidityLink.GUARANTEE,
        ValidityLink.CIVIL_ID,
        ValidityLink.PASSPORT,
    ]
    assert validity.breaking_before(ends, DAY) == []


@pytest.mark.parametrize(
    ("status", "by", "after"),
    [
        (LicenceStatus.ACTIVE, None, LicenceStatus.EXPIRED),
        (LicenceStatus.SUSPENDED, SuspendedBy.HOLDER, LicenceStatus.EXPIRED),
        (LicenceStatus.SUSPENDED, SuspendedBy.OFFICE, LicenceStatus.SUSPENDED),
        (LicenceStatus.CANCELLED, None, LicenceStatus.CANCELLED),
    ],
)
def test_state_follows_the_last_day_which_still_counts(
    status: LicenceStatus, by: SuspendedBy | None, after: LicenceStatus
) -> None:
    licence = Licence(status=status, suspended_by=by, expires=DAY)
    assert validity.status_on(licence, DAY) == status
    assert validity.status_on(licence, DAY + timedelta(days=1)) == after
