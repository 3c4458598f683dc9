"""Receipts of issued files: proven by the published keys alone, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.files import receipts
from clearance.files.receipts import State
from tests.support import files

OTHER_SECRET = "of-another-portal-" + "1" * 32


def published() -> list[receipts.Key]:
    """The keys as anybody reads them from the well-known address."""
    return receipts.read_document(json.dumps(receipts.document(receipts.keys())))


def state_of(data: bytes) -> State:
    return receipts.judge(data, published())[0]


def test_a_file_with_its_receipt_is_genuine_and_stays_a_pdf(context: Flask, tmp_path: Path) -> None:
    issued = receipts.with_receipt(files.pdf())
    assert issued.startswith(files.pdf())
    assert state_of(issued) == State.GENUINE
    (tmp_path / "issued.pdf").write_bytes(issued)
    with pikepdf.open(tmp_path / "issued.pdf") as opened:
        assert len(opened.pages) == 1


def test_every_flipped_byte_is_found(context: Flask) -> None:
    issued = receipts.with_receipt(files.pdf())
    signature = len(issued) - 87
    for place in {*range(0, signature, 37), *range(signature, len(issued) - 1, 5)}:
        changed = bytearray(issued)
        changed[place] ^= 1
        assert state_of(bytes(changed)) in {State.CHANGED, State.OTHER, State.NONE}, place
    for place in range(0, len(files.pdf()), 101):
        changed = bytearray(issued)
        changed[place] ^= 1
        assert state_of(bytes(changed)) == State.CHANGED


@pytest.mark.parametrize("added", [b"\n", b"%", b"1 0 obj\n<< >>\nendobj\n%%EOF\n"])
def test_what_is_added_after_the_receipt_is_found(context: Flask, added: bytes) -> None:
    assert state_of(receipts.with_receipt(files.pdf()) + added) == State.CHANGED


def test_a_second_receipt_does_not_hide_what_was_added(
    context: Flask, make_app: Callable[..., Flask]
) -> None:
    issued = receipts.with_receipt(files.pdf()) + b"added"
    with make_app(secret_key=OTHER_SECRET).app_context():
        forged = receipts.with_receipt(issued)
    assert state_of(forged) == State.OTHER


def test_a_file_that_was_printed_again_has_no_receipt(context: Flask, tmp_path: Path) -> None:
    (tmp_path / "issued.pdf").write_bytes(receipts.with_receipt(files.pdf()))
    with pikepdf.open(tmp_path / "issued.pdf") as opened:
        opened.save(tmp_path / "again.pdf")
    assert state_of((tmp_path / "again.pdf").read_bytes()) == State.NONE
    assert state_of(b"") == State.NONE


def test_a_file_of_another_portal_is_not_proven(make_app: Callable[..., Flask]) -> None:
    with make_app(secret_key=OTHER_SECRET).app_context():
        issued = receipts.with_receipt(files.pdf())
    with make_app().app_context():
        assert state_of(issued) == State.OTHER


@pytest.mark.databases
def test_receipts_outlive_a_change_of_the_secret(make_app: Callable[..., Flask]) -> None:
    with make_app().app_context():
        issued = receipts.with_receipt(files.pdf())
        for _again in range(2):
            with own_transaction() as connection:
                receipts.publish_key(connection, utc_now())
    with make_app(secret_key=OTHER_SECRET).app_context():
        assert state_of(issued) == State.FORMER
        assert state_of(receipts.with_receipt(files.pdf())) == State.GENUINE
        keys = published()
        assert [key.is_current for key in keys] == [True, False]
        swapped = [replace(keys[1], x=keys[0].x, y=keys[0].y)]
        assert receipts.judge(issued, swapped)[0] == State.CHANGED


def test_the_command_checks_a_file_by_the_published_keys(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        (tmp_path / "issued.pdf").write_bytes(receipts.with_receipt(files.pdf()))
    keys = app.test_client().get(receipts.ADDRESS)
    assert keys.mimetype == "application/json"
    (tmp_path / "keys.json").write_bytes(keys.data)
    (tmp_path / "again.pdf").write_bytes(files.pdf())
    (tmp_path / "no-keys.json").write_text("[]")
    run = app.test_cli_runner().invoke
    issued = str(tmp_path / "issued.pdf")
    for options in ([], ["--keys", str(tmp_path / "keys.json")]):
        found = run(args=["receipt", "verify", issued, *options])
        assert (found.exit_code, "Genuine" in found.output) == (0, True), found.output
    found = run(args=["receipt", "verify", str(tmp_path / "again.pdf")])
    assert (found.exit_code, "printed" in found.output) == (1, True)
    found = run(args=["receipt", "verify", issued, "--keys", str(tmp_path / "no-keys.json")])
    assert found.exit_code == 1
    assert "no keys of receipts" in found.output
