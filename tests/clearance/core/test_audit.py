"""The trail: sealed with the change it tells of, intact or found broken."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clearance.core import audit, chain
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import AccessEvent, ChainHead, Event, EventSeal, LegalEntity
from tests.support.rows import count_of

pytestmark = pytest.mark.databases


def change(times: int = 1) -> None:
    row = db.session.get(LegalEntity, "company")
    for _ in range(times):
        row.position += 1
        audit.record("reference:legal_entity:edit", obj=row, actor_id=None, reason="سبب")


def test_each_committed_event_is_sealed_into_one_chain(context: Flask) -> None:
    change(2)
    db.session.commit()
    change()
    db.session.commit()
    assert count_of(EventSeal) == 3
    assert chain.verify(db.session()).faults == []


def test_a_rolled_back_change_leaves_no_event_and_no_seal(context: Flask) -> None:
    change()
    db.session.rollback()
    db.session.commit()
    assert count_of(Event) == 0
    assert db.session.get(ChainHead, 1).position == 0


def test_a_failed_savepoint_takes_only_its_own_events(context: Flask) -> None:
    change()
    savepoint = db.session.begin_nested()
    change()
    savepoint.rollback()
    db.session.commit()
    assert count_of(Event) == 1
    assert chain.verify(db.session()).faults == []


def bulk(count: int) -> list[dict[str, Any]]:
    return [
        {"at": utc_now(), "kind": "demo:row:added", "object_type": "x", "object_id": str(number)}
        for number in range(count)
    ]


def test_events_written_in_bulk_stand_in_the_same_chain(context: Flask) -> None:
    change()
    db.session.commit()
    audit.record_many(bulk(3))
    change()
    db.session.commit()
    change()
    db.session.commit()
    assert chain.verify(db.session()).faults == []
    kinds = db.session.scalars(
        sa.select(Event.kind)
        .join(EventSeal, EventSeal.event_id == Event.id)
        .order_by(EventSeal.position)
    ).all()
    assert [kind.split(":")[0] for kind in kinds] == [
        "reference",
        *["demo"] * 3,
        *["reference"] * 2,
    ]


def test_events_written_in_bulk_are_gone_when_rolled_back(context: Flask) -> None:
    audit.record_many(bulk(2))
    db.session.rollback()
    change()
    db.session.commit()
    assert db.session.get(ChainHead, 1).position == 1
    assert chain.verify(db.session()).faults == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET reason = 'x'",
        "DELETE FROM event",
        "DELETE FROM event_seal",
        "UPDATE access_event SET result = 'x'",
    ],
)
def test_the_database_refuses_to_change_the_trail(context: Flask, statement: str) -> None:
    change()
    db.session.commit()
    audit.access("test:thing:read")
    with pytest.raises(DBAPIError, match="insert-only"), own_transaction() as connection:
        connection.execute(sa.text(statement))


def test_access_events_stand_even_when_the_request_fails(app: Flask) -> None:
    with app.test_request_context("/", method="POST"):
        audit.access("test:thing:read", object_type="request", object_id="7", result="ok")
        change()
        db.session.rollback()
    with app.app_context():
        assert db.session.scalars(sa.select(AccessEvent.kind)).all() == ["test:thing:read"]
