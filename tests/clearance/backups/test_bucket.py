"""Backups into an S3 bucket, over HTTP: no entry before the last part, none that was not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.backups.places import InBucket
from clearance.core.extensions import db
from clearance.files import s3, s3_large
from clearance.models import User
from tests.clearance.backups.conftest import Places, run, send
from tests.support import factories
from tests.support import s3 as server_of_s3
from tests.support.parallel import run_together
from tests.support.s3 import FaultyS3

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultyS3]:
    with server_of_s3.running() as server:
        yield server


@pytest.fixture
def server(shared_server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    monkeypatch.setattr(s3_large, "PART_BYTES", 5 * 1024 * 1024)  # S3 takes no smaller ones
    yield shared_server
    shared_server.fault = ""


@pytest.fixture
def keys(server: FaultyS3) -> dict[str, Any]:
    """The settings of the server."""
    return {
        "s3_endpoint": server.endpoint,
        "aws_default_region": "us-east-1",
        **server_of_s3.KEYS,
    }


@pytest.fixture
def destination() -> str:
    return f"s3://{server_of_s3.BUCKET}/{uuid4()}"


@pytest.fixture
def portal(make_app: MakeApp, keys: dict[str, Any], tmp_path: Path) -> Flask:
    """A portal with a sent request, whose files are in the bucket too."""
    app = make_app(storage_url=f"s3://{server_of_s3.BUCKET}/{uuid4()}", **keys)
    with app.app_context():
        send(factories.make_agent())
        db.session.remove()
    return app


def test_an_entry_in_a_bucket_is_made_verified_kept_and_restored(
    portal: Flask, places: Places, keys: dict[str, Any], destination: str
) -> None:
    first = run(portal, "backup", "make", destination)
    assert first.exit_code == 0, first.output
    second = run(portal, "backup", "make", destination, "--keep", "1d")
    entry = second.stdout.splitlines()[-1]
    assert entry.startswith(f"{destination}/clearance-") and "removed: clearance-" in second.stdout
    assert run(portal, "backup", "verify", entry).exit_code == 0
    gone = run(portal, "backup", "verify", first.stdout.splitlines()[-1])
    assert gone.exit_code == 1 and "There is no backup at" in gone.stderr
    restored = places.empty(**keys)
    result = run(restored, "restore", entry)
    assert result.exit_code == 0, result.output
    with restored.app_context():
        assert db.session.scalar(sa.select(sa.func.count(User.id))) == 1


@pytest.mark.parametrize("fault", ["503", "gone", "flipped", "half", "swallowed"])
def test_what_the_bucket_does_not_take_or_keep_is_no_entry(
    portal: Flask, server: FaultyS3, destination: str, fault: str, places: Places
) -> None:
    local = portal.extensions["storage"]
    portal.extensions["storage"] = _Unfailing(local, server)
    server.fault = fault
    result = run(portal, "backup", "make", destination)
    server.fault = ""
    portal.extensions["storage"] = local
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("No backup was made. ")
    listed = run(portal, "backup", "make", destination)
    assert listed.exit_code == 0  # and it is the only one
    with portal.app_context():
        bucket = s3.Bucket(destination, portal.extensions["settings"])
        assert len(list(bucket.files())) == 1


class _Unfailing:
    """The portal's files, which the fault is not about."""

    def __init__(self, store: Any, server: FaultyS3) -> None:
        self._store, self._server = store, server

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **options: Any) -> Any:
            fault, self._server.fault = self._server.fault, ""
            try:
                return method(*args, **options)
            finally:
                self._server.fault = fault

        return call


def test_two_at_once_into_one_prefix_make_two_entries(portal: Flask, destination: str) -> None:
    names: list[str] = []

    def work(_number: int) -> None:
        with portal.app_context():
            bucket = InBucket(destination)
            draft = bucket.create()
            draft.stream.write(draft.name.encode())
            draft.reopen().close()
            draft.publish()
            names.append(draft.name)

    run_together(work, 3)
    with portal.app_context():
        bucket = InBucket(destination)
        assert len(set(names)) == len(bucket.entries()) == 3
        for name in names:
            with bucket.open(name) as stream:
                assert stream.read() == name.encode()


def test_parts_of_a_killed_upload_are_forgotten_after_a_day(
    portal: Flask, destination: str, server: FaultyS3
) -> None:
    with portal.app_context():
        bucket = s3.Bucket(destination, portal.extensions["settings"])
        s3_large.Upload(bucket, "clearance-20260101T000000Z")
        assert list(bucket.files()) == []
        assert s3_large.forget_uploads(bucket, datetime(2000, 1, 1, tzinfo=UTC)) == 0
        assert s3_large.forget_uploads(bucket, datetime(2100, 1, 1, tzinfo=UTC)) == 1
        server.fault = "forgetful"
        assert s3_large.forget_uploads(bucket, datetime(2100, 1, 1, tzinfo=UTC)) == 0


def test_a_download_that_breaks_off_goes_on_where_it_was(
    portal: Flask, destination: str, server: FaultyS3
) -> None:
    with portal.app_context():
        bucket = s3.Bucket(destination, portal.extensions["settings"])
        upload = s3_large.Upload(bucket, "large")
        content = bytes(range(256)) * 40_000
        upload.write(content)
        upload.complete()
        server.fault = "cut"
        with s3_large.read(bucket, "large") as stream:
            assert stream.read(5_000_000) == content[:5_000_000]
            server.fault = ""
            assert stream.read() == content[5_000_000:]


def test_a_destination_that_is_no_bucket_is_refused(portal: Flask) -> None:
    result = run(portal, "backup", "make", "s3://")
    assert result.exit_code == 1
    assert "The destination must name a bucket" in result.stderr
