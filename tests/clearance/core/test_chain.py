"""Verifying the trail: every change is found, with a checkpoint also a tail that was cut off."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.core import chain
from clearance.core.chain import Checkpoint
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import EventSeal
from tests.clearance.core.test_audit import change
from tests.support.tampering import tamper

pytestmark = pytest.mark.databases
CHANGED = {
    "at": "'2020-01-01 00:00:00'",
    "kind": "'x'",
    "actor_id": "999",
    "organisation_id": "999",
    "request_id": "999",
    "object_type": "'x'",
    "object_id": "'x'",
    "from_status": "'x'",
    "to_status": "'x'",
    "reason": "'x'",
    "changes": "'[1]'",
    "ip": "'10.0.0.1'",
    "session_hash": "'x'",
}


def faults(*checkpoints: Checkpoint) -> list[str]:
    db.session.rollback()
    with force_locale("en"):
        return [str(fault) for fault in chain.verify(db.session(), checkpoints).faults]


def sealed(count: int) -> Checkpoint:
    """Seal events; gives the checkpoint of then."""
    change(count)
    db.session.commit()
    position, last_hash = chain.head(db.session())
    return Checkpoint(utc_now(), position, last_hash)


def test_every_column_of_an_event_is_sealed(context: Flask) -> None:
    assert set(CHANGED) == set(chain.SEALED_FIELDS) - {"id"}
    sealed(len(CHANGED))
    assert faults() == []
    tamper(
        *(
            f"UPDATE event SET {name} = {value} WHERE id = {number}"
            for number, (name, value) in enumerate(CHANGED.items(), 1)
        )
    )
    assert faults() == [
        f"Event {number} does not match its seal." for number in range(1, len(CHANGED) + 1)
    ]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["DELETE FROM event_seal WHERE position = 2"], "Seal 2 is missing."),
        (["DELETE FROM event WHERE id = 2"], "Event 2 of seal 2 was removed."),
        (["DELETE FROM event_seal WHERE position = 3"], "The head of the chain does not match"),
        (["UPDATE chain_head SET position = 2"], "There are seals beyond the head"),
        (["UPDATE event SET reason = 'x' WHERE id = 1"], "Event 1 does not match its seal."),
    ],
)
def test_what_was_changed_or_removed_is_named(
    context: Flask, statements: list[str], found: str
) -> None:
    sealed(3)
    tamper(*statements)
    assert any(found in fault for fault in faults())


CUT = [
    "DELETE FROM event_seal WHERE position > 2",
    "DELETE FROM event WHERE id > 2",
    "UPDATE chain_head SET position = 2, hash = (SELECT hash FROM event_seal WHERE position = 2)",
]
EMPTIED = [
    "DELETE FROM event_seal",
    "DELETE FROM event",
    f"UPDATE chain_head SET position = 0, hash = '{chain.GENESIS}'",
]


@pytest.mark.parametrize(("statements", "left"), [(CUT, 2), (EMPTIED, 0)])
def test_a_tail_that_was_cut_off_is_found_by_a_checkpoint_alone(
    context: Flask, statements: list[str], left: int
) -> None:
    last = sealed(5)
    assert faults(last) == []
    tamper(*statements)
    assert faults() == []  # the chain itself is whole
    (fault,) = faults(last)
    assert fault.startswith(f"The trail ends at seal {left}; the checkpoint of")


def test_a_trail_that_was_written_anew_differs_from_its_checkpoints(context: Flask) -> None:
    first, last = sealed(2), sealed(2)
    tamper(*EMPTIED)
    sealed(4)
    assert faults() == []
    assert [fault.split(" is")[0] for fault in faults(first, last)] == ["Seal 2", "Seal 4"]


def test_events_after_the_last_checkpoint_are_not_proven(context: Flask) -> None:
    last = sealed(2)
    sealed(2)
    verdict = chain.verify(db.session(), [last])
    assert (verdict.sealed, verdict.proven_until) == (4, last.at)


def test_events_sealed_by_an_earlier_release_still_match(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(chain, "SEALED_FIELDS", chain._FIELDS)
        sealed(2)
    sealed(1)
    assert faults() == []
    tamper("UPDATE event SET ip = '10.0.0.1' WHERE id = 3")
    assert faults() == ["Event 3 does not match its seal."]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(EventSeal)) == 3


def test_more_faults_than_can_be_read_are_not_kept(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "MOST_FAULTS", 3)
    sealed(6)
    tamper("UPDATE event SET reason = 'x'")
    assert faults() == [f"Event {number} does not match its seal." for number in (1, 2, 3)]
