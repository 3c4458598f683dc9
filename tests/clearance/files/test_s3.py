"""Files in a bucket of a real HTTP server: kept, verified, and said to be away when it is."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import BadSettings, Settings
from clearance.files import checkpoints, s3, storage
from clearance.files.s3 import Bucket
from clearance.files.stores import StoreDown
from clearance.models import Document
from tests.support import factories, files, request_factories
from tests.support import s3 as server_of_s3
from tests.support.pages import PageClient
from tests.support.s3 import FaultyS3, bucket

CONTENT = bytes(range(256)) * 100
LARGE = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultyS3]:
    with server_of_s3.running() as server:
        yield server


@pytest.fixture
def server(shared_server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    yield shared_server
    shared_server.fault = ""


@pytest.fixture
def portal(make_app: Callable[..., Flask], server: FaultyS3) -> Iterator[Flask]:
    """The portal with its files in a part of the bucket of its own."""
    app = make_app(
        storage_url=f"s3://{server_of_s3.BUCKET}/{uuid4()}/files",
        s3_endpoint=server.endpoint,
        aws_default_region="us-east-1",
        **server_of_s3.KEYS,
    )
    with app.app_context():
        yield app


def stored(portal: Flask, content: bytes = CONTENT) -> storage.Stored:
    file = storage.put(content, "image/png")
    storage.keep(file.key)
    return file


def test_a_file_comes_back_as_it_was_stored_and_goes(portal: Flask) -> None:
    file = stored(portal)
    assert (file.size, file.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert storage.read(file.key, file.sha256) == CONTENT
    with storage.open_checked(file.key, file.sha256) as stream:
        assert stream.read(3) == CONTENT[:3]
    assert list(storage.keys()) == [file.key]
    assert storage.delete(file.key) and storage.delete(file.key)
    with pytest.raises(storage.DamagedFile):
        storage.read(file.key, file.sha256)


def test_what_no_row_follows_goes_when_the_context_ends(portal: Flask) -> None:
    with portal.app_context():
        storage.put(b"never attached", "image/png")
        assert len(list(storage.keys())) == 1
    assert list(storage.keys()) == []


def test_the_sweep_takes_old_files_without_a_row(portal: Flask) -> None:
    stored(portal)
    storage.append("lines.jsonl", "stays")
    assert storage.sweep_orphans(utc_now()) == 0
    assert storage.sweep_orphans(utc_now() + timedelta(hours=25)) == 1
    assert storage.lines("lines.jsonl") == ["stays"]


def test_objects_are_below_the_prefix_and_other_parts_are_left_alone(
    portal: Flask, server: FaultyS3
) -> None:
    other = bucket(server, str(uuid4()))
    other.put(str(uuid4()), io.BytesIO(b"other"), "image/png")
    storage.clear(last=stored(portal).key)
    assert storage.is_empty() and len(list(other.files())) == 1


def test_checkpoints_of_the_trail_are_kept_there(portal: Flask) -> None:
    assert checkpoints.kept().checkpoints == ()
    for _ in range(2):
        checkpoints.take(utc_now())
    assert len(storage.lines(checkpoints.FILE)) == 2


def test_two_processes_that_add_lines_lose_none(server: FaultyS3) -> None:
    prefix = str(uuid4())

    def add(number: int) -> None:
        store = bucket(server, prefix)
        for line in range(5):
            store.append("lines", f"{number}.{line}")

    threads = [Thread(target=add, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bucket(server, prefix).lines("lines")) == 10


@pytest.mark.parametrize("fault", ["503", "403", "slow", "gone"])
def test_a_server_that_is_away_is_told_in_words_and_nothing_is_recorded(
    portal: Flask, server: FaultyS3, fault: str
) -> None:
    file = stored(portal)
    server.fault, began = fault, time.monotonic()
    with pytest.raises(storage.StorageUnavailable) as caught:
        storage.put(CONTENT, "image/png")
    assert caught.value.status_code == 503
    with pytest.raises(storage.StorageUnavailable):
        storage.read(file.key, file.sha256)
    with pytest.raises(storage.StorageUnavailable):
        storage.append("lines", "x")
    assert not storage.is_ready()
    assert not storage.delete(file.key)
    assert time.monotonic() - began < 40
    server.fault = ""
    assert storage.is_ready()
    assert storage.read(file.key, file.sha256) == CONTENT
    assert list(storage.keys()) == [file.key]


@pytest.mark.parametrize("lie", ["half", "flipped", "swallowed"])
def test_a_write_that_was_acknowledged_and_not_done_is_found(
    portal: Flask, server: FaultyS3, lie: str
) -> None:
    server.fault = lie
    with pytest.raises(storage.StorageUnavailable):
        storage.put(CONTENT, "image/png")
    assert not storage.is_ready()


def test_an_unlike_tag_is_settled_by_reading_the_object(
    server: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With keys of a key service the tag is not the MD5 of the content."""
    store, key = bucket(server, str(uuid4())), str(uuid4())
    head = store.client.head_object
    monkeypatch.setattr(
        store.client, "head_object", lambda **about: head(**about) | {"ETag": '"of the service"'}
    )
    store.put(key, io.BytesIO(CONTENT), "image/png")
    server.fault = "flipped"
    with pytest.raises(StoreDown, match="is not what was sent"):
        store.put(key, io.BytesIO(CONTENT), "image/png")


@pytest.mark.parametrize("fault", ["cut", "dripping"])
def test_a_download_that_breaks_off_is_tried_again_and_then_refused(
    portal: Flask, server: FaultyS3, fault: str
) -> None:
    file = stored(portal)
    server.fault = fault
    server.seen.clear()
    with pytest.raises(storage.StorageUnavailable):
        storage.open(file.key)
    assert len([line for line in server.seen if line.startswith("GET")]) == s3.ATTEMPTS


def test_changed_bytes_are_not_given_out(portal: Flask) -> None:
    file = stored(portal)
    store: Bucket = portal.extensions["storage"]
    store.put(file.key, io.BytesIO(b"slipped in"), "image/png")
    with pytest.raises(storage.DamagedFile):
        storage.read(file.key, file.sha256)


def test_a_large_file_is_on_disk_and_not_in_memory(portal: Flask) -> None:
    file = stored(portal, b"\1" * LARGE)
    with storage.open_checked(file.key, file.sha256) as stream:
        assert stream._rolled  # type: ignore[attr-defined]  # a SpooledTemporaryFile


def test_the_doctor_and_readiness_try_to_write(portal: Flask, server: FaultyS3) -> None:
    run, client = portal.test_cli_runner().invoke, portal.test_client()
    assert client.get("/readyz").status_code == 200
    assert "ok       storage\n" in run(args=["doctor"]).output
    server.fault = "careless"
    assert "warning  storage: the S3 server ignores If-None-Match" in run(args=["doctor"]).output
    server.fault = "403"
    assert client.get("/readyz").status_code == 503
    assert "FAULT    storage: no file can be written" in run(args=["doctor"]).output


def test_the_doctor_finds_a_bucket_that_is_open_to_strangers(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Bucket = portal.extensions["storage"]
    assert store.is_ready() and not store.is_public()
    store.client.put_object_acl(**store.named("ready"), ACL="public-read")
    monkeypatch.setattr(store, "is_ready", lambda: True)  # it would write a private one
    found = portal.test_cli_runner().invoke(args=["doctor"]).output
    assert "FAULT    storage: strangers can read the files" in found


@pytest.mark.parametrize(
    ("name", "value"), [("s3_endpoint", "minio:9000"), ("storage_url", "s3://bucket?x=1")]
)
def test_an_invalid_setting_stops_the_start(
    make_app: Callable[..., Flask], name: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=name.upper()):
        make_app(**({"storage_url": "s3://bucket/x"} | {name: value}))


def test_settings_show_no_secret() -> None:
    shown = repr(Settings(aws_secret_access_key="hidden-1", aws_session_token="hidden-2"))
    assert "hidden" not in shown


def test_a_person_whose_upload_fails_is_told_so_and_can_send_it_again(
    portal: Flask, server: FaultyS3
) -> None:
    agent = factories.make_agent()
    req = request_factories.make_draft(agent, with_documents=False)
    db.session.commit()
    client = PageClient(portal, language="ar")
    factories.sign_in(client, agent)

    def send() -> Any:
        data = {
            "csrf_token": client.csrf_token(),
            "files": (io.BytesIO(files.pdf()), "صورة.pdf"),
            "kind": "civil_id_copy",
        }
        address, headers = f"/my/requests/{req.id}/documents", {"Accept": "application/json"}
        return client.http.post(address, data=data, headers=headers)

    server.fault = "503"
    refused = send()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert refused.json["error"].startswith("لا يمكن حفظ الملفات")
    assert db.session.query(Document).count() == 0
    server.fault = ""
    assert send().status_code == 200
    document = db.session.query(Document).one()
    assert storage.read(document.storage_key, document.sha256)
