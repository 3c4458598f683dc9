"""Checkpoints of the trail: in the storage, in the log, by e-mail; what they prove, and to whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import checkpoints, storage
from clearance.files.folder import Folder
from clearance.jobs import trail
from tests.clearance.core.test_audit import change
from tests.clearance.core.test_chain import CUT
from tests.support.gateways import SmtpGateway, text_of
from tests.support.tampering import tamper


@pytest.fixture(autouse=True)
def own_storage(context: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Checkpoints of other tests are not in the storage."""
    monkeypatch.setitem(context.extensions, "storage", Folder(f"file://{tmp_path}"))
    return tmp_path


def sealed(count: int) -> None:
    change(count)
    db.session.commit()


def test_a_checkpoint_proves_the_trail_up_to_its_instant() -> None:
    sealed(2)
    now = utc_now().replace(microsecond=0)
    checkpoints.take(now)
    sealed(1)
    verdict = checkpoints.verify()
    assert (verdict.is_intact, verdict.sealed, verdict.proven_until) == (True, 3, now)


def test_a_cut_tail_is_found_and_logged_at_the_next_checkpoint(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sealed(4)
    checkpoints.take(utc_now())
    assert "differs" not in caplog.text
    tamper(*CUT)
    assert not checkpoints.verify().is_intact
    checkpoints.take(utc_now())
    assert "audit trail differs from its last checkpoint" in caplog.text
    assert not checkpoints.verify().is_intact  # the new checkpoint does not make it whole


@pytest.mark.parametrize(
    "forged",
    ["{", "[]", "null", '{"at": 3}', '{"at": "2026-01-01T00:00:00+00:00", "position": 1}'],
)
def test_a_line_that_is_no_checkpoint_proves_nothing(forged: str) -> None:
    assert checkpoints.read(forged) is None


def test_a_changed_checkpoint_is_not_believed(own_storage: Path) -> None:
    sealed(1)
    line = checkpoints.take(utc_now())
    changed = json.dumps({**json.loads(line), "position": 7})
    assert checkpoints.read(changed) is None
    (own_storage / checkpoints.FILE).write_text(f"{changed}\n", encoding="utf-8")
    kept = checkpoints.kept()
    assert (kept.checkpoints, kept.unsigned) == ((), 1)
    assert checkpoints.verify().proven_until is None


def test_a_checkpoint_of_an_earlier_key_still_counts(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(1)
    line = checkpoints.take(utc_now())
    settings = context.extensions["settings"]
    new = "another-secret-of-the-portal-0123456789"
    changed = replace(settings, secret_key=new, secret_key_fallbacks=(settings.secret_key,))
    monkeypatch.setitem(context.extensions, "settings", changed)
    assert checkpoints.read(line) is not None
    monkeypatch.setitem(context.extensions, "settings", replace(settings, secret_key=new))
    assert checkpoints.read(line) is None


def test_a_storage_that_takes_nothing_refuses_the_checkpoint(own_storage: Path) -> None:
    (own_storage / checkpoints.FILE).mkdir()
    with pytest.raises(storage.StorageUnavailable):
        checkpoints.take(utc_now())


def test_the_sweep_of_orphans_leaves_the_checkpoints() -> None:
    sealed(1)
    checkpoints.take(utc_now())
    assert checkpoints.FILE not in set(storage.keys())
    storage.sweep_orphans(utc_now())
    assert len(checkpoints.kept().checkpoints) == 1


def test_the_mailed_line_finds_what_is_gone_with_the_storage_too(
    make_app: Callable[..., Flask], own_storage: Path, tmp_path: Path, mail: SmtpGateway
) -> None:
    app = make_app(
        mail_server="127.0.0.1", mail_port=mail.port, checkpoint_mailto=("audit@example.com",)
    )
    with app.app_context():
        sealed(4)
        trail.send(utc_now())
        (message,) = mail.to("audit@example.com")
        text = text_of(message)
        tamper(*CUT)
        kept = app.extensions["storage"].path / checkpoints.FILE
        kept.unlink()
        mailed = tmp_path / "mailed.txt"
        mailed.write_text(text.splitlines()[-1], encoding="utf-8")
        run = app.test_cli_runner().invoke
        assert run(args=["audit", "verify"]).exit_code == 0
        found = run(args=["audit", "verify", "--checkpoint", str(mailed)])
        assert found.exit_code == 1
        assert "The trail ends at seal 2; the checkpoint of" in found.output


def test_nothing_is_mailed_without_an_address(
    make_app: Callable[..., Flask], mail: SmtpGateway
) -> None:
    app = make_app(mail_server="127.0.0.1", mail_port=mail.port)
    with app.app_context():
        trail.send(utc_now())
    assert mail.messages == []


def test_the_command_says_what_is_proven(context: Flask) -> None:
    sealed(2)
    run = context.test_cli_runner().invoke
    output = run(args=["audit", "verify"]).output
    assert "intact: 2 events" in output and "No checkpoint confirms it" in output
    assert checkpoints.read(run(args=["audit", "checkpoint"]).output) is not None
    assert "Checkpoints confirm it up to" in run(args=["audit", "verify"]).output
    tamper("UPDATE event SET kind = 'other' WHERE id = 1")
    broken = run(args=["audit", "verify"])
    assert broken.exit_code == 1 and "Event 1 does not match its seal." in broken.output
