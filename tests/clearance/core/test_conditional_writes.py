"""Writes that depend on the rows there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.conditional_writes import changed_rows, insert_ignoring, insert_into
from clearance.core.extensions import db
from clearance.models import Counter

pytestmark = pytest.mark.databases


def last() -> int | None:
    return db.session.scalar(sa.select(Counter.last).where(Counter.prefix == "ZZ"))


def test_an_insert_gives_way_to_the_row_there(context: Flask) -> None:
    assert insert_ignoring(Counter, prefix="ZZ", year=2026, last=3)
    assert not insert_ignoring(Counter, prefix="ZZ", year=2026, last=9)
    assert last() == 3


def test_an_insert_may_change_the_row_there(context: Flask) -> None:
    insert_ignoring(Counter, prefix="ZZ", year=2026, last=3)
    statement = insert_into(Counter, db.engine.dialect.name)
    statement = statement.values(prefix="ZZ", year=2026, last=9)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[Counter.prefix, Counter.year], set_={"last": statement.excluded.last}
        )
    )
    assert last() == 9


def test_a_condition_is_met_once(context: Flask) -> None:
    insert_ignoring(Counter, prefix="ZZ", year=2026, last=3)
    taking = sa.update(Counter).where(Counter.prefix == "ZZ", Counter.last < 4).values(last=4)
    assert [changed_rows(taking), changed_rows(taking)] == [1, 0]
    assert changed_rows(sa.delete(Counter).where(Counter.prefix == "ZZ")) == 1
