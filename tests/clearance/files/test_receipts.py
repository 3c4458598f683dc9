"""Receipts of issued files: proven by the published keys alone, and by nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.files import receipts
from clearance.files.receipts import State
from clearance.issuing import file_of
from clearance.models import Event
from clearance.models.enums import IssuedKind
from tests.support import files, issued_factories

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
    for bit in range(8):  # also those of the last letter that carry nothing of the signature
        changed = bytearray(issued)
        changed[-2] ^= 1 << bit
        assert state_of(bytes(changed)) in {State.CHANGED, State.NONE}, bit
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


@pytest.mark.databases
def test_a_withdrawn_key_proves_nothing_and_the_portals_own_records_do(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app()
    with app.app_context():
        document = issued_factories.make_issued(IssuedKind.LETTER)
        issued = file_of(document.id)
        stolen = receipts.with_receipt(files.pdf())  # by a thief, whatever day it names
        kid = receipts.keys()[0].kid
    paths = {name: tmp_path / name for name in ("issued.pdf", "stolen.pdf", "keys.json")}
    paths["issued.pdf"].write_bytes(issued)
    paths["stolen.pdf"].write_bytes(stolen)
    refused = app.test_cli_runner().invoke(args=["receipt", "withdraw", kid])
    assert refused.exit_code == 1 and "signs now: change SECRET_KEY" in refused.output
    changed = make_app(secret_key=OTHER_SECRET)
    run = changed.test_cli_runner().invoke
    unknown = run(args=["receipt", "withdraw", "0" * 16])
    assert unknown.exit_code == 1 and "No receipt was ever made" in unknown.output
    assert "Withdrawn." in run(args=["receipt", "withdraw", kid]).output
    assert "It was withdrawn before." in run(args=["receipt", "withdraw", kid]).output
    client = changed.test_client()
    client.set_cookie("lang", "en")
    (withdrawn,) = [
        key for key in client.get(receipts.ADDRESS).get_json()["keys"] if key["kid"] == kid
    ]
    assert withdrawn["withdrawn"] == utc_now().date().isoformat()
    paths["keys.json"].write_bytes(client.get(receipts.ADDRESS).data)
    for name, offline, found in (
        ("issued.pdf", False, (0, "Genuine by the portal's records")),
        ("stolen.pdf", False, (1, "NOT genuine")),
        ("issued.pdf", True, (1, "NOT proven: the key of its receipt was withdrawn")),
    ):
        options = ["--keys", str(paths["keys.json"])] if offline else []
        result = run(args=["receipt", "verify", str(paths[name]), *options])
        assert (result.exit_code, found[1] in result.output) == (found[0], True), result.output
    for data, status, words in (
        (issued, 200, "/check/"),
        (stolen, 404, "has not issued this file"),
    ):
        page = client.get(f"/receipt/{hashlib.sha256(data).hexdigest()}")
        assert (page.status_code, words in page.text) == (status, True)
    with changed.app_context():
        event = db.session.scalars(sa.select(Event).where(Event.kind == receipts.WITHDRAWN)).one()
        assert event.object_id == kid


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"keys": [{"kid": "a"}]}',
        '{"keys": [{"kid": "a", "x": "AA", "y": "AA"}]}',
        "[" * 9999,
    ],
)
def test_a_list_of_keys_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="these are no keys of receipts"):
        receipts.read_document(text)


def test_a_file_larger_than_any_that_is_issued_is_not_read_to_its_end(
    app: Flask, tmp_path: Path
) -> None:
    with (tmp_path / "large.pdf").open("wb") as stream:
        stream.truncate(1024**4)
    result = app.test_cli_runner().invoke(args=["receipt", "verify", str(tmp_path / "large.pdf")])
    assert (result.exit_code, "No receipt" in result.output) == (1, True)


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
