"""Constraints are told by their names on both databases."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from clearance.core.constraints import is_violation_of
from clearance.core.extensions import db
from clearance.models import User
from tests.support import factories

pytestmark = pytest.mark.databases


def violation(**columns: object) -> IntegrityError:
    """What the database says to a user with these columns."""
    with pytest.raises(IntegrityError) as refused:
        factories.make_user(**columns)
    db.session.rollback()
    return refused.value


def test_unique_constraint_is_known_by_its_name(context: Flask) -> None:
    first = factories.make_user()
    by_email = violation(email=first.email)
    by_number = violation(civil_id=first.civil_id)
    assert is_violation_of(by_email, "uq_user_email")
    assert not is_violation_of(by_email, "uq_user_civil_id")
    assert is_violation_of(by_number, "uq_user_civil_id")


def test_other_violations_are_not_taken_for_it(context: Flask) -> None:
    assert not is_violation_of(violation(role="emperor"), "uq_user_email")
    assert not is_violation_of(violation(created_by_id=999), "uq_user_email")
    assert db.session.query(User).count() == 0


def test_misspelt_name_is_a_fault_of_the_caller(app: Flask) -> None:
    with app.app_context():
        if db.engine.dialect.name == "sqlite":  # PostgreSQL tells names itself
            first = factories.make_user()
            with pytest.raises(LookupError):
                is_violation_of(violation(email=first.email), "uq_user_emial")
        db.session.remove()
