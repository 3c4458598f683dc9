"""Spare codes: each opens once, its owner's account alone, until they are replaced."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import recovery_codes
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import RecoveryCode
from tests.support import factories
from tests.support.parallel import run_together


def made_for(user_id: int) -> list[str]:
    spares = recovery_codes.replace(user_id)
    db.session.commit()
    return spares


def test_every_code_works_once_in_either_case_and_is_counted(context: Flask) -> None:
    user_id = factories.make_agent().id
    spares = made_for(user_id)
    assert len(set(spares)) == recovery_codes.COUNT
    for used, spare in enumerate(spares, start=1):
        assert recovery_codes.use(user_id, spare.lower(), utc_now())
        assert not recovery_codes.use(user_id, spare, utc_now())
        assert recovery_codes.left(user_id) == recovery_codes.COUNT - used
        db.session.rollback()


def test_the_database_keeps_no_code(context: Flask) -> None:
    spares = made_for(factories.make_agent().id)
    hashes = set(db.session.scalars(sa.select(RecoveryCode.code_hash)))
    assert len(hashes) == recovery_codes.COUNT
    assert not hashes & set(spares)


def test_a_code_of_somebody_else_fails(context: Flask) -> None:
    owner, other = factories.make_agent().id, factories.make_agent().id
    spares = made_for(owner)
    made_for(other)
    assert not recovery_codes.use(other, spares[0], utc_now())
    assert recovery_codes.left(owner) == recovery_codes.COUNT


def test_replaced_and_dropped_codes_are_void(context: Flask) -> None:
    user_id = factories.make_agent().id
    old, new = made_for(user_id), made_for(user_id)
    assert not recovery_codes.use(user_id, old[0], utc_now())
    recovery_codes.drop(user_id)
    db.session.commit()
    assert not recovery_codes.use(user_id, new[0], utc_now())


@pytest.mark.databases
def test_a_code_sent_eight_times_at_once_works_once(app: Flask) -> None:
    with app.app_context():
        user_id = factories.make_agent().id
        spare = made_for(user_id)[0]
        db.session.remove()
    worked: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            if recovery_codes.use(user_id, spare, utc_now()):
                worked.append(number)

    run_together(attempt, 8)
    assert len(worked) == 1
