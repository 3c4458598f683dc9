"""Files and their rows: neither is ever there without the other for long."""

from __future__ import annotations

import io
import os
import stat
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import BadSettings
from clearance.files import storage
from clearance.models import Document, IssuedDocument, User
from tests.support import factories, request_factories


def folder(app: Flask) -> Path:
    return Path(app.extensions["storage"].path)


def is_stored(key: str) -> bool:
    return key in set(storage.keys())


def make_old(app: Flask, key: str, hours: int) -> None:
    then = (utc_now() - timedelta(hours=hours)).timestamp()
    os.utime(folder(app) / key, (then, then))


def document_with_file(agent: User) -> Document:
    """A committed document whose file is really there."""
    req = request_factories.make_draft(agent, with_documents=False)
    stored = storage.put(b"bytes", "image/png")
    document = request_factories.make_document(
        req, "photo", agent, storage_key=stored.key, sha256=stored.sha256
    )
    storage.follow(document)
    db.session.flush()
    db.session.commit()
    return document


def test_a_file_comes_back_as_it_was_stored(context: Flask) -> None:
    stored = storage.put(io.BytesIO(b"some bytes"), "image/png")
    assert (stored.size, len(stored.sha256)) == (10, 64)
    assert storage.read(stored.key, stored.sha256) == b"some bytes"
    with storage.open(stored.key) as stream:
        assert stream.read() == b"some bytes"
    storage.delete(stored.key)
    assert not is_stored(stored.key)
    storage.delete(stored.key)  # again is no fault


def test_changed_bytes_are_not_given_out(context: Flask) -> None:
    stored = storage.put(b"what was checked", "image/png")
    (folder(context) / stored.key / "file").write_bytes(b"what was slipped in")
    with pytest.raises(storage.DamagedFile):
        storage.read(stored.key, stored.sha256)


@pytest.mark.parametrize("key", ["0bf20ccc-b512-4865-972d-5c4ed4728b57", "../../etc/passwd", ""])
def test_a_missing_file_or_foreign_key_is_refused(context: Flask, key: str) -> None:
    with pytest.raises(storage.DamagedFile):
        storage.read(key, "0" * 64)


def test_a_full_disk_says_to_try_again(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(storage.StorageUnavailable) as caught:
        storage.put(b"x", "image/png")
    assert caught.value.status_code == 503


def test_the_folder_is_closed_to_others(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    make_app(storage_url=f"file://{tmp_path / 'a%20b'}")
    assert stat.S_IMODE((tmp_path / "a b").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "url", ["s3://", "s3://Bucket/x", "s3://b/x", "relative/path", "file://host/path", "https://x"]
)
def test_an_address_that_is_neither_folder_nor_bucket_stops_the_start(
    make_app: Callable[..., Flask], url: str
) -> None:
    with pytest.raises(BadSettings, match="STORAGE_URL"):
        make_app(storage_url=url)


def test_what_no_row_follows_goes_when_the_context_ends(app: Flask) -> None:
    with app.app_context():
        key = storage.put(b"never attached", "image/png").key
        assert is_stored(key)
    with app.app_context():
        assert not is_stored(key)


@pytest.mark.databases
def test_what_a_committed_row_follows_stays(app: Flask) -> None:
    with app.app_context():
        key = document_with_file(factories.make_agent()).storage_key
    with app.app_context():
        assert is_stored(key)


def test_after_a_rollback_the_file_goes(app: Flask) -> None:
    with app.app_context():
        agent = factories.make_agent()
        req = request_factories.make_draft(agent, with_documents=False)
        stored = storage.put(b"x", "image/png")
        document = new_document(req.id, agent, stored)
        db.session.add(document)
        storage.follow(document)
        db.session.flush()
        db.session.rollback()
        db.session.commit()
    with app.app_context():
        assert not is_stored(stored.key)


def test_a_deleted_rows_file_goes_with_the_commit_and_not_before(agent: User) -> None:
    document = document_with_file(agent)
    storage.follow(document)
    db.session.delete(document)
    db.session.flush()
    assert is_stored(document.storage_key)
    db.session.commit()
    assert not is_stored(document.storage_key)


def test_a_deletion_rolled_back_leaves_the_file(agent: User) -> None:
    document = document_with_file(agent)
    key = document.storage_key
    storage.follow(document)
    db.session.delete(document)
    db.session.flush()
    db.session.rollback()
    db.session.commit()
    assert is_stored(key)


def test_a_savepoints_rollback_touches_only_what_was_done_in_it(app: Flask) -> None:
    with app.app_context():
        agent = factories.make_agent()
        old = document_with_file(agent)
        before, inside = (storage.put(data, "image/png") for data in (b"before", b"inside"))
        kept = new_document(old.request_id, agent, before)
        db.session.add(kept)
        storage.follow(kept)
        undo_in_savepoint(old, new_document(old.request_id, agent, inside))
        db.session.commit()
        old_key = old.storage_key
    with app.app_context():
        assert is_stored(old_key)
        assert is_stored(before.key)
        assert not is_stored(inside.key)


def undo_in_savepoint(doomed: Document, added: Document) -> None:
    savepoint = db.session.begin_nested()
    storage.follow(doomed)
    db.session.delete(doomed)
    db.session.add(added)
    storage.follow(added)
    db.session.flush()
    savepoint.rollback()


def test_a_released_savepoint_settles_nothing_before_the_commit(app: Flask) -> None:
    with app.app_context():
        document = document_with_file(factories.make_agent())
        key = document.storage_key
        with db.session.begin_nested():
            storage.follow(document)
            db.session.delete(document)
        assert is_stored(key)
        db.session.rollback()
        assert is_stored(key)


@pytest.mark.databases
def test_the_sweep_takes_old_files_that_no_row_tells_of(app: Flask) -> None:
    with app.app_context():
        agent = factories.make_agent()
        document = document_with_file(agent)
        issued = storage.put(b"certificate", "application/pdf")
        db.session.add(
            IssuedDocument(
                request_id=document.request_id,
                organisation_id=document.request.organisation_id,
                kind="letter",
                language="ar",
                check_code="A" * 20,
                content={},
                storage_key=issued.key,
                issued_at=utc_now(),
            )
        )
        db.session.commit()
        store = app.extensions["storage"]  # as a killed process leaves files: followed by nothing
        old, young = (str(uuid.uuid4()) for _ in range(2))
        for key in (old, young):
            store.put(key, io.BytesIO(b"x"), "image/png")
        for key in (document.storage_key, issued.key, old):
            make_old(app, key, 25)
        stray = folder(app) / "not-ours"
        stray.mkdir(exist_ok=True)
        assert storage.sweep_orphans(utc_now()) >= 1
        assert not is_stored(old)
        assert all(is_stored(key) for key in (document.storage_key, issued.key, young))
        assert stray.is_dir()
        assert storage.sweep_orphans(utc_now(), older_than=timedelta(0)) >= 1
        assert not is_stored(young)


def test_the_sweep_takes_a_storing_that_was_broken_off(context: Flask) -> None:
    key = str(uuid.uuid4())
    (folder(context) / key).mkdir()
    (folder(context) / key / "file").write_bytes(b"half")
    make_old(context, key, 30)
    assert storage.sweep_orphans(utc_now()) >= 1
    assert not is_stored(key)


def test_readiness_needs_the_folder(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(storage_url=f"file://{tmp_path / 'depot'}")
    with app.app_context():
        assert storage.is_ready()
        (tmp_path / "depot").rmdir()
        assert not storage.is_ready()


def new_document(request_id: int, agent: User, stored: storage.Stored) -> Document:
    return Document(
        request_id=request_id,
        kind="photo",
        label="photo.png",
        media_type="image/png",
        size=stored.size,
        sha256=stored.sha256,
        storage_key=stored.key,
        uploaded_by_id=agent.id,
        uploaded_at=utc_now(),
    )
