"""The trail: sealed with the change it tells of, intact or found broken."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clearance.core import audit
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
    assert audit.verify_chain(db.session()) == []


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
    assert audit.verify_chain(db.session()) == []


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
    assert audit.verify_chain(db.session()) == []
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
    assert audit.verify_chain(db.session()) == []


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


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE event SET reason = 'other' WHERE id = 2", "event 2 does not match"),
        ("DELETE FROM event_seal WHERE position = 2", "seal 2 is missing"),
        ("DELETE FROM event_seal WHERE position = 3", "head of the chain"),
    ],
)
def test_verifying_finds_what_was_tampered_with(context: Flask, statement: str, found: str) -> None:
    change(3)
    db.session.commit()
    _without_triggers(statement)
    assert any(found in fault for fault in audit.verify_chain(db.session()))


def test_access_events_stand_even_when_the_request_fails(app: Flask) -> None:
    with app.test_request_context("/", method="POST"):
        audit.access("test:thing:read", object_type="request", object_id="7", result="ok")
        change()
        db.session.rollback()
    with app.app_context():
        assert db.session.scalars(sa.select(AccessEvent.kind)).all() == ["test:thing:read"]


def test_the_command_tells_whether_the_chain_is_whole(context: Flask) -> None:
    change(2)
    db.session.commit()
    runner = context.test_cli_runner()
    assert "intact" in runner.invoke(args=["audit", "verify"]).output
    _without_triggers("UPDATE event SET kind = 'other' WHERE id = 1")
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1
    assert "event 1 does not match its seal" in broken.output


def _without_triggers(statement: str) -> None:
    """Change the trail as somebody with full power over the database could."""
    db.session.rollback()
    sqlite = db.engine.dialect.name == "sqlite"
    with own_transaction() as connection:
        if sqlite:
            for verb in ("update", "delete"):
                for table in ("event", "event_seal"):
                    connection.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}"))
        else:
            connection.execute(sa.text("SET session_replication_role = replica"))
        connection.execute(sa.text(statement))
        if not sqlite:
            connection.execute(sa.text("SET session_replication_role = DEFAULT"))
