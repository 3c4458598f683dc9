"""Numbers: gapless per prefix and Kuwait year, given back by a rollback."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from clearance.core import numbering
from clearance.core.extensions import db
from clearance.models import Counter
from tests.support.races import race

pytestmark = pytest.mark.databases

NOW = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


def test_numbers_follow_each_other(context: Flask) -> None:
    assert [numbering.next_number("CE", NOW) for _ in range(3)] == ["CE/1/26", "CE/2/26", "CE/3/26"]
    assert numbering.next_number("LR", NOW) == "LR/1/26"


def test_year_begins_in_kuwait(context: Flask) -> None:
    last_minute = datetime(2026, 12, 31, 20, 59, tzinfo=UTC)
    assert numbering.next_number("CE", last_minute) == "CE/1/26"
    assert numbering.next_number("CE", last_minute.replace(hour=21)) == "CE/1/27"
    assert numbering.next_number("CE", datetime(2109, 1, 1, 12, tzinfo=UTC)) == "CE/1/09"


def test_rollback_gives_the_number_back(context: Flask) -> None:
    assert numbering.next_number("CE", NOW) == "CE/1/26"
    db.session.commit()
    assert numbering.next_number("CE", NOW) == "CE/2/26"
    db.session.rollback()
    assert numbering.next_number("CE", NOW) == "CE/2/26"


def test_rolled_back_savepoint_gives_the_number_back(context: Flask) -> None:
    savepoint = db.session.begin_nested()
    assert numbering.next_number("CE", NOW) == "CE/1/26"
    savepoint.rollback()
    assert numbering.next_number("CE", NOW) == "CE/1/26"


def test_holding_counters_takes_no_numbers(context: Flask) -> None:
    assert numbering.next_number("CE", NOW) == "CE/1/26"
    numbering.hold(["LR", "CE", "LR"], NOW)
    assert numbering.next_number("LR", NOW) == "LR/1/26"
    assert numbering.next_number("CE", NOW) == "CE/2/26"


def test_first_numbers_asked_at_once_make_one_counter(app: Flask) -> None:
    def take(number: int) -> str:
        taken = numbering.next_number("CE", NOW)
        if number % 5 == 4:
            raise RuntimeError("this one rolls back")
        db.session.commit()
        return taken

    taken = [outcome for outcome in race(app, 40, take) if isinstance(outcome, str)]
    assert sorted(taken) == sorted(f"CE/{serial}/26" for serial in range(1, 33))
    with app.app_context():
        assert db.session.get_one(Counter, ("CE", 2026)).last == 32
