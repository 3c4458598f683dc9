"""Finding brokers by what people type."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.licences import search as licence_search
from clearance.models import Broker, Licence
from tests.support.issued_factories import make_licence
from tests.support.plans import plan_of, scanned_tables


def found(typed: str) -> set[str]:
    condition = licence_search.condition(typed)
    assert condition is not None
    return set(
        db.session.scalars(
            sa.select(Licence.number).join(Broker, Broker.id == Licence.broker_id).where(condition)
        )
    )


@pytest.mark.databases
@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("احمد عبدالله", True),
        ("عبد الله أحمد", True),
        ("ALENEZI", True),
        ("nezi", False),
        ("KW-8800", True),
        ("kw-8800", True),
        ("٨٨٠٠", True),
        ("880", False),
        ("p7654", True),
        ("+965 5123 4567", True),
        ("51234567", True),
        ("LG 2519770/011926", True),
        ("٢٥١٩٧٧٠ / 0119", True),
        ("2519770", False),
        ("Ahmed", True),
        ("%", False),
        ("100%", False),
    ],
)
def test_every_way_of_typing_a_broker_finds_him_and_no_other(
    context: Flask, typed: str, fits: bool
) -> None:
    make_licence(
        number="KW-8800",
        passport_no="P7654321",
        mobile="+96551234567",
        guarantee_no="LG 2519770/011926",
    )
    assert found(typed) == ({"KW-8800"} if fits else set())


def test_the_first_digits_of_a_civil_number_are_enough_from_five_on(context: Flask) -> None:
    licence = make_licence()
    civil_id = licence.broker.civil_id
    assert licence.number in found(civil_id[:7])
    assert found(civil_id[:4]) == set()


@pytest.mark.parametrize("typed", ["", "  ", "\u2068\u2069"])
def test_what_does_not_count_narrows_nothing(context: Flask, typed: str) -> None:
    assert licence_search.condition(typed) is None


@pytest.mark.parametrize("typed", ['"', "،؛", "%"])
def test_signs_alone_find_nothing(context: Flask, typed: str) -> None:
    make_licence()
    assert found(typed) == set()


@pytest.mark.databases
@pytest.mark.parametrize(
    "typed", ["KW-8800", "8800", "P7654", "51234567", "29001011", "احمد", "Ahmed"]
)
def test_no_search_reads_every_broker_or_licence(context: Flask, typed: str) -> None:
    make_licence()
    statement = (
        sa.select(Licence.number)
        .join(Broker, Broker.id == Licence.broker_id)
        .where(licence_search.condition(typed))
        .limit(5)
    )
    assert scanned_tables(plan_of(statement)) == set()
