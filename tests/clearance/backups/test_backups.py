"""A backup under work and its restoring, on both databases, as an operator does it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.backups import contents, loading, making, restoring, snapshot, unfinished
from clearance.backups.errors import BackupError
from clearance.backups.places import Folder
from clearance.core import crypto, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import BadSettings
from clearance.files import storage
from clearance.models import (
    Counter,
    Delivery,
    Document,
    Event,
    Hold,
    Request,
    User,
    UserSession,
    VerificationCode,
)
from clearance.notifications import delivery, outbox
from tests.clearance.backups.conftest import Places, made, run, send
from tests.support import factories
from tests.support.gateways import SmtpGateway
from tests.support.pages import PageClient
from tests.support.parallel import run_together
from tests.support.tampering import tamper

SECOND_KEY = "a-key-for-backups-alone-0123456789"
MakeApp = Callable[..., Flask]


def content_of(app: Flask) -> dict[str, Any]:
    """Everything that must come back: rows of all tables, and the bytes of all files."""
    found: dict[str, Any] = {}
    with app.app_context():
        for table in (Request, Event, Document, User, Counter, Delivery):
            rows = db.session.execute(sa.select(*table.__table__.columns)).all()
            found[table.__tablename__] = sorted(map(repr, rows))
        for key, sha256 in db.session.execute(sa.select(Document.storage_key, Document.sha256)):
            found[key] = storage.read(key, sha256)
        db.session.rollback()
    return found


@pytest.mark.databases
@pytest.mark.parametrize("key", ["", SECOND_KEY])
def test_a_restored_portal_is_as_it_was_with_sessions_ended_and_the_outbox_held(
    portal: Flask, places: Places, make_app: MakeApp, mail: SmtpGateway, key: str
) -> None:
    app = make_app(backup_key=key)
    with app.app_context():
        user = db.session.scalars(sa.select(User)).first()
        assert user is not None
        factories.sign_in(PageClient(app), user)
        db.session.add(_code())
        db.session.commit()
        db.session.remove()
    entry = made(app, places)
    assert run(app, "backup", "verify", str(entry)).exit_code == 0
    before = content_of(app)
    second = places.empty(backup_key=key, mail_server="127.0.0.1", mail_port=mail.port)
    result = run(second, "restore", str(entry))
    assert result.exit_code == 0, result.output
    after = content_of(second)
    (restored,) = set(after.pop("event")) - set(before["event"])
    assert "portal:backup:restored" in restored and entry.name in restored
    del before["event"]
    assert after == before
    with second.app_context():
        assert db.session.scalars(sa.select(UserSession.ended_at)).all() != [None]
        assert None not in db.session.scalars(sa.select(VerificationCode.voided_at)).all()
        db.session.rollback()
        assert delivery.deliver_due(utc_now()).sent == 0 and mail.messages == []
        assert outbox.waiting(utc_now()).queued > 0
        db.session.rollback()
        send(db.session.scalars(sa.select(User)).one())  # work goes on: ids, numbers, seals
    assert "audit trail is intact" in run(second, "audit", "verify").output
    assert "messages wait to be sent" in run(second, "outbox", "release").output
    with second.app_context():
        assert delivery.deliver_due(utc_now()).sent > 0


def _code() -> VerificationCode:
    now = utc_now()
    return VerificationCode(
        owner="user:1",
        purpose="reset",
        channel="email",
        address="a@example.com",
        code_hash="0" * 64,
        created_at=now,
        expires_at=now + timedelta(minutes=10),
    )


@pytest.mark.databases
def test_what_was_acknowledged_before_the_start_is_in_while_others_go_on_writing(
    portal: Flask, places: Places
) -> None:
    acknowledged: list[int] = []
    is_over = threading.Event()

    def work() -> None:
        with portal.app_context():
            agent = db.session.scalars(sa.select(User)).first()
            while not is_over.is_set():
                acknowledged.append(send(agent))

    writers = [threading.Thread(target=work) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        while len(acknowledged) < 4:
            is_over.wait(0.01)
        before = set(acknowledged)
        entry = made(portal, places)
    finally:
        is_over.set()
        for writer in writers:
            writer.join()
    second = places.empty()
    assert run(second, "restore", str(entry)).exit_code == 0
    with second.app_context():
        assert before <= set(db.session.scalars(sa.select(Request.id)))


@pytest.mark.databases
def test_a_file_whose_row_goes_during_the_backup_is_in_it_and_left_to_the_sweep(
    portal: Flask, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_files = making._copy_files

    def remove_first(*args: Any) -> None:
        document = db.session.scalars(sa.select(Document)).first()
        assert document is not None
        db.session.delete(document)
        storage.follow(document)
        db.session.commit()
        storage.sweep_orphans(utc_now(), timedelta(0))
        copy_files(*args)

    monkeypatch.setattr(making, "_copy_files", remove_first)
    before = content_of(portal)["document"]
    entry = made(portal, places)
    second = places.empty()
    assert run(second, "restore", str(entry)).exit_code == 0
    assert content_of(second)["document"] == before
    with portal.app_context():
        later = utc_now() + 2 * making.HELD
        assert storage.sweep_orphans(later, timedelta(0)) == 1


def test_a_missing_or_changed_file_is_named_and_there_is_no_entry(
    portal: Flask, places: Places
) -> None:
    with portal.app_context():
        changed, missing = db.session.scalars(sa.select(Document.storage_key).limit(2))
        folder = Path(portal.extensions["storage"].path)
        storage.delete(missing)
    stored = folder / changed / "file"
    stored.write_bytes(stored.read_bytes()[:-1] + b"0")
    result = run(portal, "backup", "make", str(places.folder))
    assert result.exit_code == 1 and changed in result.stderr and missing in result.stderr
    assert places.entries() == []


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_disk_that_is_full_or_a_stop_in_the_middle_leaves_no_entry(
    portal: Flask, places: Places, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    first = made(portal, places)

    def fail(*_args: Any) -> None:
        raise fault

    monkeypatch.setattr(contents.ContentWriter, "close", fail)
    result = run(portal, "backup", "make", str(places.folder), "--keep", "1d")
    assert result.exit_code != 0
    assert places.entries() == [first]


def test_what_a_killed_run_left_is_recognised_and_removed_by_the_next_but_not_a_living_one(
    portal: Flask, places: Places
) -> None:
    places.folder.mkdir()
    left = places.folder / ".unfinished-clearance-20200101T000000Z"
    left.write_bytes(b"half")
    result = run(portal, "backup", "verify", str(left))
    assert result.exit_code == 1 and "not finished" in result.stderr
    writing = Folder(places.folder).create()
    entry = made(portal, places)
    assert places.entries() == sorted([places.folder / f".unfinished-{writing.name}", entry])
    writing.discard()


def test_two_at_once_make_two_entries(portal: Flask, places: Places) -> None:
    def work(_number: int) -> None:
        with portal.app_context():
            making.make(Folder(places.folder), None, lambda _text: None)

    run_together(work, 2)
    assert len(places.entries()) == 2
    for entry in places.entries():
        assert run(portal, "backup", "verify", str(entry)).exit_code == 0


def test_older_entries_go_only_after_the_new_one_is_whole(
    portal: Flask, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made(portal, places)
    yesterday = old.rename(old.with_name("clearance-20260101T000000Z"))
    monkeypatch.setattr(making, "verify_stream", _refuse)
    assert run(portal, "backup", "make", str(places.folder), "--keep", "1d").exit_code == 1
    assert places.entries() == [yesterday]
    monkeypatch.undo()
    new = made(portal, places, "--keep", "1d")
    assert places.entries() == [new]
    assert run(portal, "backup", "make", str(places.folder), "--keep", "1x").exit_code == 2


def _refuse(*_args: Any) -> None:
    raise BackupError("not as it was written")


def test_a_place_that_cannot_be_written_is_refused_in_one_line(
    portal: Flask, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    result = run(portal, "backup", "make", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("No backup was made. ")


@pytest.mark.databases
def test_only_an_empty_place_takes_a_backup(portal: Flask, places: Places) -> None:
    entry = made(portal, places)
    result = run(portal, "restore", str(entry))
    assert result.exit_code == 1 and "database" in result.stderr
    second = places.empty()
    assert run(second, "restore", str(entry)).exit_code == 0
    again = run(second, "restore", str(entry))
    assert again.exit_code == 1 and "The database is not empty" in again.stderr
    with_files = places.empty(storage_url=portal.extensions["settings"].storage_url)
    result = run(with_files, "restore", str(entry))
    assert result.exit_code == 1 and "The storage is not empty" in result.stderr


@pytest.mark.databases
def test_a_database_that_somebody_uses_takes_no_backup(portal: Flask, places: Places) -> None:
    entry = made(portal, places)
    second = places.empty()
    url = second.extensions["settings"].database_url
    schema.upgrade(url)
    other = sa.create_engine(url)
    with other.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # as the portal has it
        connection.execute(sa.text("SELECT count(*) FROM setting"))
        result = run(second, "restore", str(entry))
    other.dispose()
    assert result.exit_code == 1 and "Stop the web processes" in result.stderr
    assert run(second, "restore", str(entry)).exit_code == 0  # a schema without people is empty


@pytest.mark.databases
def test_while_the_schema_is_migrated_no_backup_sees_half_of_it(
    portal: Flask, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_PATIENT", "-c lock_timeout=100")
    with schema.migrating(portal.extensions["settings"].database_url) as connection:
        connection.execute(sa.text("CREATE TABLE half_made (id integer)"))
        if connection.dialect.name == "postgresql":
            result = run(portal, "backup", "make", str(places.folder))
            assert result.exit_code == 1 and "is being migrated" in result.stderr
            return
        # SQLite's one writer is the migration: the removal of files cannot be held meanwhile.
        monkeypatch.setattr(making._Hold, "renew", lambda _hold: None)
        monkeypatch.setattr(making.audit, "access", lambda *_args, **_more: None)
        entry = made(portal, places)
    second = places.empty()
    assert run(second, "restore", str(entry)).exit_code == 0
    with second.app_context():
        assert not sa.inspect(db.engine).has_table("half_made")


def test_a_left_over_log_of_another_database_is_refused(portal: Flask, places: Places) -> None:
    entry = made(portal, places)
    second = places.empty()
    left = Path(f"{second.extensions['settings'].database_url.removeprefix('sqlite:///')}-wal")
    left.write_bytes(b"pages of another database")
    result = run(second, "restore", str(entry))
    assert result.exit_code == 1 and str(left) in result.stderr
    left.unlink()


@pytest.mark.parametrize("place", ["-1", "len(data) // 2", "40"])
def test_a_changed_or_cut_entry_restores_nothing(portal: Flask, places: Places, place: str) -> None:
    entry = made(portal, places)
    data = entry.read_bytes()
    at = {"-1": len(data) - 1, "40": 40}.get(place, len(data) // 2)
    second = places.empty()
    for wrong in (data[:at], data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]):
        entry.write_bytes(wrong)
        assert run(second, "backup", "verify", str(entry)).exit_code == 1
        result = run(second, "restore", str(entry))
        assert result.exit_code == 1 and result.stderr.startswith("Nothing was restored. ")
    with second.app_context():
        assert storage.is_empty()
    entry.write_bytes(data)
    assert run(second, "restore", str(entry)).exit_code == 0


@pytest.mark.databases
def test_a_restore_that_fails_at_the_end_leaves_the_place_empty(
    portal: Flask, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = made(portal, places)
    second = places.empty()
    monkeypatch.setattr(restoring, "_make_safe", _refuse)
    assert run(second, "restore", str(entry)).exit_code == 1
    with second.app_context():
        assert storage.is_empty()
    monkeypatch.undo()
    assert run(second, "restore", str(entry)).exit_code == 0


_KILLED = """
import os, signal, sys
from app import create_app
from clearance.files import storage

put_back = storage.put_back
def stop(*given):
    put_back(*given)
    os.kill(os.getpid(), signal.SIGKILL)
storage.put_back = stop
secret, database, files, entry = sys.argv[1:]
app = create_app(testing=True, secret_key=secret, database_url=database, storage_url=files)
app.test_cli_runner().invoke(args=["restore", entry])
"""


@pytest.mark.databases
def test_a_killed_restore_leaves_a_marked_place_that_the_next_one_clears(
    portal: Flask, places: Places
) -> None:
    entry = made(portal, places)
    second = places.empty()
    settings = second.extensions["settings"]
    places_of = (settings.secret_key, settings.database_url, settings.storage_url)
    killed = subprocess.run([sys.executable, "-c", _KILLED, *places_of, str(entry)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with second.app_context():
        assert not storage.is_empty()
        with pytest.raises(BadSettings, match="was stopped before its end: run flask restore"):
            unfinished.check()
        db.session.remove()
        db.engine.dispose()
    jobs = run(second, "jobs")
    assert jobs.exit_code == 3 and f"The restore of {entry.name} was stopped" in jobs.stderr
    assert run(second, "restore", str(entry)).exit_code == 0
    with second.app_context():
        unfinished.check()
        assert not unfinished.entry()
        assert set(storage.keys()) == set(db.session.scalars(sa.select(Document.storage_key)))
        storage.append(unfinished.MARK, entry.name)  # killed at the end, before the mark went
        unfinished.check()
        assert not unfinished.entry()


@pytest.mark.databases
def test_of_two_restores_at_once_the_second_leaves_the_files_of_the_first(
    portal: Flask, places: Places
) -> None:
    entry = made(portal, places)
    second = places.empty()
    url = second.extensions["settings"].database_url
    with second.app_context():
        db.engine.dispose()
        unfinished.begin("the-first")
        with loading.opened(url, db.engine.dialect.name, "0026"):
            result = run(second, "restore", str(entry))
        assert result.exit_code == 1
        assert unfinished.entry() == "the-first"


@pytest.mark.databases
def test_a_backup_of_an_earlier_schema_is_restored_and_upgraded(
    portal: Flask, places: Places
) -> None:
    url = portal.extensions["settings"].database_url
    with portal.app_context():
        db.session.remove()
        db.engine.dispose()
    schema.downgrade(url, "0026")
    entry = made(portal, places)
    before = run(portal, "backup", "verify", str(entry)).stdout
    assert "schema 0026" in before
    second = places.empty()
    assert run(second, "restore", str(entry)).exit_code == 0
    with second.app_context():
        assert db.session.get(Hold, "outbox") is not None
        assert db.session.scalar(sa.select(sa.func.count(Request.id))) == 1


def test_a_backup_of_a_later_schema_is_refused(portal: Flask, places: Places) -> None:
    with portal.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.commit()
    entry = made(portal, places)
    result = run(places.empty(), "restore", str(entry))
    assert result.exit_code == 1 and "of a later release" in result.stderr


def test_a_key_that_the_data_need_is_asked_for(
    portal: Flask, places: Places, make_app: MakeApp
) -> None:
    new, old = "the-newer-secret-of-the-portal-987654", portal.extensions["settings"].secret_key
    with portal.app_context():
        db.session.execute(sa.update(User).values(totp_secret=crypto.encrypt("JBSWY3DP")))
        db.session.commit()
    entry = made(make_app(secret_key=new, secret_key_fallbacks=(old,)), places)
    result = run(make_app(secret_key=new), "backup", "verify", str(entry))
    assert result.exit_code == 1 and "SECRET_KEY_FALLBACKS lacks the key" in result.stderr
    result = run(
        make_app(secret_key="a-third-secret-of-no-portal-12345678"), "backup", "verify", str(entry)
    )
    assert result.exit_code == 1 and "SECRET_KEY is not the key" in result.stderr
    assert run(portal, "backup", "verify", str(entry)).exit_code == 1
    with_both = places.empty(secret_key=new, secret_key_fallbacks=(old,))
    assert run(with_both, "restore", str(entry)).exit_code == 0


@pytest.mark.databases
def test_a_trail_that_was_broken_and_a_number_that_was_gone_are_said_after_the_restore(
    portal: Flask, places: Places
) -> None:
    with portal.app_context():
        db.session.execute(sa.update(Counter).values(last=Counter.last + 1))
        db.session.commit()
        tamper("UPDATE event SET kind = 'other' WHERE id = (SELECT max(id) FROM event)")
    entry = made(portal, places)
    result = run(places.empty(), "restore", str(entry))
    assert result.exit_code == 1 and "were wrong when the backup was made" in result.output
    assert "does not match its seal" in result.output and "Of the numbers " in result.output


def test_the_outbox_says_that_it_is_held(portal: Flask, places: Places) -> None:
    assert "not held" in run(portal, "outbox", "release").output
    entry = made(portal, places)
    second = places.empty()
    run(second, "restore", str(entry))
    assert f"FAULT    outbox: held since {entry.name} was restored" in run(second, "doctor").output
    run(second, "outbox", "release")
    assert "held" not in run(second, "doctor").output
    with second.app_context():
        kinds = db.session.scalars(sa.select(Event.kind).order_by(Event.id.desc()).limit(2)).all()
    assert kinds == ["portal:outbox:released", "portal:backup:restored"]
