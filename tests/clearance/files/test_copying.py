"""Moving the files from a folder to a bucket and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask

from clearance.core.extensions import db
from clearance.files import checkpoints, copying, s3, storage
from clearance.files.folder import Folder
from clearance.models import Document
from tests.support import factories, request_factories
from tests.support import s3 as server_of_s3
from tests.support.s3 import FaultyS3, bucket

CONTENTS = (b"one", b"two" * 1000, b"three" * 100_000)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with server_of_s3.running() as running:
        yield running


@pytest.fixture
def portal(make_app: Callable[..., Flask], server: FaultyS3) -> Iterator[Flask]:
    """A portal with three documents in its folder, and a checkpoint."""
    app = make_app(s3_endpoint=server.endpoint, aws_default_region="us-east-1", **server_of_s3.KEYS)
    with app.app_context():
        agent = factories.make_agent()
        req = request_factories.make_draft(agent, with_documents=False)
        for content in CONTENTS:
            stored = storage.put(content, "image/png")
            document = request_factories.make_document(
                req, "photo", agent, storage_key=stored.key, sha256=stored.sha256
            )
            storage.follow(document)
        db.session.commit()
        storage.append(checkpoints.FILE, "a checkpoint")
        yield app


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["storage", "copy", *options])


def keys() -> list[str]:
    return [row.storage_key for row in db.session.query(Document).order_by(Document.id)]


@pytest.mark.databases
def test_the_files_go_to_a_bucket_and_back(portal: Flask, server: FaultyS3, tmp_path: Path) -> None:
    there, back = str(uuid4()), f"file://{tmp_path / 'back'}"
    address = f"s3://{server_of_s3.BUCKET}/{there}"
    assert "3 files copied, 0 were there already." in run(portal, "--to", address).output
    assert "0 files copied, 3 were there already." in run(portal, "--to", address).output
    assert bucket(server, there).lines(checkpoints.FILE) == ["a checkpoint"]
    found = run(portal, "--from", address, "--to", back)
    assert "3 files copied" in found.output and found.exit_code == 0
    store = Folder(back)
    assert [store.open(key).read() for key in keys()] == list(CONTENTS)
    assert store.lines(checkpoints.FILE) == ["a checkpoint"]


def test_a_run_that_was_stopped_goes_on_and_mends_what_it_left_half_done(
    portal: Flask, server: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = str(uuid4())
    address = f"s3://{server_of_s3.BUCKET}/{prefix}"
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    first = bucket(server, prefix)
    with portal.extensions["storage"].open(keys()[0]) as stream:
        first.put(keys()[0], stream, "image/png")
    server.fault = "half"
    stopped = run(portal, "--to", address)
    server.fault = ""
    assert stopped.exit_code == 1 and "Run it again: it goes on." in stopped.output
    assert "2 files copied, 1 were there already." in run(portal, "--to", address).output


def test_what_is_missing_or_changed_is_named_with_its_row(portal: Flask, tmp_path: Path) -> None:
    missing, changed, _whole = keys()
    store: Folder = portal.extensions["storage"]
    store.delete(missing)
    (store.path / changed / "file").write_bytes(b"changed")
    found = run(portal, "--to", f"file://{tmp_path / 'other'}")
    ids = [row.id for row in db.session.query(Document).order_by(Document.id)]
    assert found.exit_code == 1
    assert "1 files copied, 0 were there already." in found.output
    assert f"{missing} is missing: document {ids[0]}" in found.output
    assert f"{changed} is not what the database says: document {ids[1]}" in found.output


@pytest.mark.parametrize("url", ["ftp://x", "s3://x?y"])
def test_an_address_that_is_no_store_is_refused(portal: Flask, url: str) -> None:
    assert run(portal, "--to", url).exit_code != 0
    own = portal.extensions["settings"].storage_url
    assert "that is where the files are" in run(portal, "--to", own + "/").output
