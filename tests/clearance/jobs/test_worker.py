"""Work outside requests: waking after commits, the clock, the consumer, serving and stopping."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from clearance.cli import notification_docs
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.database import tentatively
from clearance.core.extensions import db
from clearance.core.settings import ROOT, Mode
from clearance.jobs import retention, runs, worker
from clearance.models import (
    AccessEvent,
    Captcha,
    Delivery,
    Event,
    Holiday,
    JobRun,
    OneTimeKey,
    Registration,
    ThrottleCount,
    UserSession,
)
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import delivery as notification_delivery
from clearance.notifications import notices
from clearance.services.extension import Job
from tests.support import extension_modules
from tests.support.factories import make_registration, make_user
from tests.support.gateways import SmtpGateway, free_port, queue_code
from tests.support.pages import PageClient
from tests.support.rows import count_of

ABOUT = {"number": "CE/8/26", "service": {"ar": "طلب امتحان", "en": "Exam request"}}
PATIENCE_SECONDS = 60
MakeApp = Callable[..., Flask]


@pytest.fixture
def woken(context: Flask, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time the sender was woken."""
    calls: list[bool] = []
    monkeypatch.setattr(context.extensions["jobs"], "wake", lambda: calls.append(True))
    return calls


@contextmanager
def registered(seconds: int, work: Any) -> Iterator[Any]:
    """`work` as periodic work for the length of the block; the rest of the table is put aside."""
    before = dict(worker._periodic)
    worker._periodic.clear()
    worker.every(seconds)(work)
    try:
        yield next(iter(worker._periodic.values()))
    finally:
        worker._periodic.clear()
        worker._periodic.update(before)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


def test_a_commit_that_queued_messages_wakes_the_sender_once(woken: list[bool]) -> None:
    user = make_user()
    assert woken == []
    for _ in range(3):
        notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=utc_now())
    assert woken == []
    db.session.commit()
    assert woken == [True]
    user.first_name = "سعد"
    db.session.commit()
    assert woken == [True]


def test_a_rollback_wakes_nobody(woken: list[bool]) -> None:
    user = make_user()
    notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=utc_now())
    db.session.rollback()
    make_user()
    assert woken == []


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_end_of_a_savepoint_neither_wakes_nor_forgets_to_wake(
    woken: list[bool], is_kept: bool
) -> None:
    user = make_user()
    with tentatively(is_kept=is_kept):
        notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=utc_now())
    assert woken == []
    db.session.commit()
    assert woken == [True]


def test_a_queue_that_fails_does_not_undo_what_was_committed(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(mode=Mode.DEMO)

    def fail() -> None:
        raise OSError("disk full")

    with app.app_context():
        monkeypatch.setattr(app.extensions["jobs"], "_queue_all", fail)
        queue_code()
        assert db.session.scalar(sa.select(sa.func.count(Delivery.id))) == 1
        db.session.remove()


@pytest.mark.databases
def test_the_consumer_sends_what_a_commit_queued(make_app: MakeApp) -> None:
    with SmtpGateway() as gateway:
        app = make_app(mail_server="127.0.0.1", mail_port=gateway.port)
        app.extensions["jobs"].start()
        try:
            with app.app_context():
                queue_code()
                wait_for(lambda: gateway.messages, "the code's mail")
        finally:
            app.extensions["jobs"].stop()
        assert gateway.code_for("someone@example.com") == "483920"
        with app.app_context():
            row = db.session.scalars(sa.select(Delivery)).one()
            assert (row.status, row.body) == (DeliveryStatus.SENT, "")
            differences = schema.differences(db.session.connection())
            db.session.remove()
            db.engine.dispose()
        assert differences == []


def test_what_was_put_off_is_tried_again_without_anybody_waking(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        notification_delivery, "pause_after", lambda attempts: timedelta(seconds=0.5)
    )
    gateway = SmtpGateway()
    app = make_app(mail_server="127.0.0.1", mail_port=gateway.port)
    with app.app_context():
        app.extensions["jobs"].start()
        try:
            queue_code()
            wait_for(tries_of_one, "the first try")
            with gateway:
                wait_for(lambda: gateway.messages, "the mail, when the gateway is back")
        finally:
            app.extensions["jobs"].stop()


def tries_of_one() -> int:
    tries = db.session.scalar(sa.select(Delivery.attempts)) or 0
    db.session.rollback()
    return tries


@pytest.mark.databases
def test_periodic_work_runs_once_in_its_span_whoever_ticks(make_app: MakeApp) -> None:
    moments: list[datetime] = []
    first, second = make_app(), make_app()
    now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    with registered(3600, moments.append) as job:
        for app in (first, second, first):
            app.extensions["jobs"]._run_once(job, now)
            app.extensions["jobs"]._run_once(job, now + timedelta(minutes=59))
        assert moments == [now]
        second.extensions["jobs"]._run_once(job, now + timedelta(hours=1))
    assert moments == [now, now + timedelta(hours=1)]


def test_periodic_work_is_committed_and_a_failure_is_rolled_back_and_tried_again(
    make_app: MakeApp,
) -> None:
    app = make_app()
    runner = app.extensions["jobs"]
    now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    fails = [True, False]

    def work(now: datetime) -> None:
        db.session.add(Holiday(day=now.date(), name_ar="عطلة", name_en="Holiday"))
        db.session.flush()
        if fails.pop(0):
            raise RuntimeError("once")

    def count() -> int:
        with app.app_context():
            return count_of(Holiday)

    before = count()
    with registered(3600, work) as job:
        runner._run_once(job, now)
        assert count() == before
        runner._run_once(job, now)
        assert count() == before + 1
        runner._run_once(job, now)
        assert fails == []


def test_one_failing_job_does_not_keep_the_others_from_running(make_app: MakeApp) -> None:
    ran: list[datetime] = []

    def fail(now: datetime) -> None:
        raise RuntimeError("always")

    with registered(60, fail):
        worker.every(60)(ran.append)
        make_app().extensions["jobs"].tick()
    assert len(ran) == 1


def test_each_run_of_a_job_leaves_its_end(make_app: MakeApp) -> None:
    def work(now: datetime) -> None:
        """Do nothing."""

    def fail(now: datetime) -> None:
        raise RuntimeError("always")

    app = make_app()
    with registered(60, work):
        worker.every(60)(fail)
        app.extensions["jobs"].tick()
        with app.app_context():
            rows = {
                row.name.rpartition(".")[2]: row for row in db.session.scalars(sa.select(JobRun))
            }
            assert rows["work"].finished_at and rows["work"].failed_at is None
            assert rows["fail"].failed_at and rows["fail"].finished_at is None
            late = dict(runs.overdue(app.extensions["jobs"].periodic, utc_now()))
            assert "work" not in {job.name.rpartition(".")[2] for job in late}
            assert "fail" in {job.name.rpartition(".")[2] for job in late}
    counters = {family.name: family for family in app.extensions["metrics"].collect()}
    found = {tuple(s.labels.values()): s.value for s in counters["clearance_job_runs"].samples}
    name = f"{__name__}.test_each_run_of_a_job_leaves_its_end.<locals>"
    assert found[f"{name}.work", "finished"] == found[f"{name}.fail", "failed"] == 1


def test_the_clock_knows_the_work_of_the_portal() -> None:
    assert {
        "clearance.jobs.retention.purge",
        "clearance.jobs.maintenance.run",
        "clearance.jobs.worker._report_outbox",
        "clearance.requests.transitions.lapse_returned",
    } <= set(worker._periodic)


def test_the_clock_runs_the_jobs_of_an_extension(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[datetime] = []

    def look_around(now: datetime) -> None:
        ran.append(now)

    extension_modules.put(monkeypatch, "own", jobs=(Job(look_around, seconds=60),))
    with registered(60, lambda now: None):
        make_app().extensions["jobs"].tick()
        assert not ran
        make_app(extensions=("own",)).extensions["jobs"].tick()
    assert len(ran) == 1


@pytest.mark.databases
def test_expired_rows_are_purged_and_the_others_stay(context: Flask) -> None:
    now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    old = make_registration(created_at=now - timedelta(days=8))
    fresh = make_registration(created_at=now - timedelta(days=6))
    db.session.add_all(
        [
            ThrottleCount(key="old", hits=1, expires_at=now - timedelta(seconds=1)),
            ThrottleCount(key="new", hits=1, expires_at=now + timedelta(seconds=1)),
            OneTimeKey(key="old", owner="x", created_at=now - timedelta(days=3)),
            OneTimeKey(key="new", owner="x", created_at=now),
            captcha("old", now - timedelta(seconds=1)),
            captcha("new", now + timedelta(minutes=1)),
            session_of(old, now),
            delivery("old", DeliveryStatus.SENT, now - timedelta(days=181)),
            delivery("waiting", DeliveryStatus.QUEUED, now - timedelta(days=181)),
            delivery("new", DeliveryStatus.SENT, now - timedelta(days=179)),
        ]
    )
    db.session.commit()
    removed = retention.purge(now)
    assert removed == {
        "captcha": 1,
        "throttle_count": 1,
        "one_time_key": 1,
        "registration": 1,
        "delivery": 1,
    }
    assert db.session.scalars(sa.select(Registration.id)).all() == [fresh.id]
    assert db.session.scalars(sa.select(UserSession.id)).all() == []
    kept = db.session.scalars(sa.select(Delivery.message_id).order_by(Delivery.id)).all()
    assert kept == ["waiting", "new"]
    noted = db.session.scalars(sa.select(Event).where(Event.kind == "retention:data:purged")).one()
    assert noted.changes["registration"] == {"removed": 1, "days": 7, "held": 0}
    db.session.rollback()
    assert retention.purge(now) == {}


@pytest.mark.databases
def test_maintenance_is_a_command_that_leaves_statistics_and_an_access_record(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["maintain"])
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.output.splitlines()] == [
        "purge",
        "secrets",
        "statistics",
    ]
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        known = "sqlite_stat1 WHERE tbl" if is_sqlite else "pg_stats WHERE tablename"
        counted = sa.text(f"SELECT count(*) FROM {known} = 'document_kind'")
        assert db.session.execute(counted).scalar_one() > 0
        noted = db.session.scalars(
            sa.select(AccessEvent).where(AccessEvent.kind == "maintenance:run:done")
        ).one()
        assert "statistics: done" in noted.detail


def test_purge_is_a_command(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["purge"])
    assert (result.exit_code, result.output) == (0, "0 rows removed.\n")


def test_the_page_of_notices_is_current(context: Flask) -> None:
    page = (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
    assert page == notification_docs.notices_page(), "flask messages document > docs/notices.md"


def test_the_outbox_is_reported_when_it_waits(
    context: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    now = utc_now()
    worker._report_outbox(now)
    assert "messages wait" not in caplog.text
    db.session.add(delivery("one", DeliveryStatus.QUEUED, now - timedelta(hours=1)))
    db.session.commit()
    worker._report_outbox(now)
    assert "messages wait" in caplog.text
    assert "'oldest_minutes': 60" in caplog.text


def test_the_demos_message_page_shows_codes_newest_first_and_filters(make_app: MakeApp) -> None:
    app = make_app(mode=Mode.DEMO)
    with app.app_context():
        queue_code("first@example.com")
        queue_code("second@example.com")
        notification_delivery.deliver_due(utc_now())
        db.session.remove()
    client = PageClient(app, language="en")
    page = client.get("/dev/messages")
    addresses = [article["data-address"] for article in page.soup.select("article")]
    assert addresses == ["second@example.com", "first@example.com"]
    assert page.text.count("483920") == 2
    page = client.get("/dev/messages?address=first%40")
    assert [article["data-address"] for article in page.soup.select("article")] == [
        "first@example.com"
    ]
    assert page.soup.find("input", attrs={"name": "address"})["value"] == "first@"
    assert client.get("/dev/messages?address=%25").soup.select("article") == []


def test_the_message_page_does_not_exist_outside_demo_mode(client: PageClient) -> None:
    assert client.http.get("/dev/messages").status_code in {302, 404}
    assert not any(str(rule).startswith("/dev") for rule in client.app.url_map.iter_rules())


def test_serving_makes_the_database_first_and_stops_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    with started([sys.executable, "app.py"], tmp_path, port, free_port()) as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "readiness")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert "Traceback" not in (tmp_path / "errors.txt").read_text()


def test_serving_sends_what_waits_and_stops_on_sigint(tmp_path: Path) -> None:
    queue_in(tmp_path)
    command = [sys.executable, "app.py"]
    with (
        SmtpGateway() as gateway,
        started(command, tmp_path, free_port(), gateway.port) as process,
    ):
        wait_for(lambda: gateway.messages, "the mail")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert "Traceback" not in (tmp_path / "errors.txt").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_flask_jobs_sends_what_waits_and_stops_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    queue_in(tmp_path)
    command = [sys.executable, "-m", "flask", "jobs"]
    with (
        SmtpGateway() as gateway,
        started(command, tmp_path, free_port(), gateway.port) as process,
    ):
        wait_for(lambda: gateway.messages, "the mail")
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0


def queue_in(folder: Path) -> None:
    """Make the database that `started` uses, with one message waiting in it."""
    schema.upgrade(f"sqlite:///{folder / 'served.sqlite'}")
    engine = sa.create_engine(f"sqlite:///{folder / 'served.sqlite'}")
    with Session(engine) as session, session.begin():
        session.add(delivery("one", DeliveryStatus.QUEUED, utc_now()))
    engine.dispose()


@contextmanager
def started(
    command: list[str], folder: Path, port: int, smtp_port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The command as an operator starts it: production, on loopback, everything in `folder`."""
    environment = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}
    } | {
        "FLASK_APP": "app",
        "SECRET_KEY": "only-for-this-test-" + "k" * 32,
        "DATABASE_URL": f"sqlite:///{folder / 'served.sqlite'}",
        "STORAGE_URL": f"file://{folder / 'files'}",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(smtp_port),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(re.fullmatch(rb"ok\s*", response.read()))
    except OSError:
        return False


def captcha(ref: str, expires_at: datetime) -> Captcha:
    return Captcha(
        ref=ref,
        form="register",
        image_text="ABCDEF",
        spoken_digits="123456",
        created_at=expires_at - timedelta(minutes=5),
        expires_at=expires_at,
    )


def session_of(registration: Registration, now: datetime) -> UserSession:
    return UserSession(
        key_hash="k" * 64,
        registration_id=registration.id,
        stage="verify",
        ip="",
        user_agent="",
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(hours=1),
    )


def delivery(message_id: str, status: str, at: datetime) -> Delivery:
    return Delivery(
        event="request:sent",
        channel=Channel.EMAIL,
        address="a@example.com",
        language="ar",
        subject="s",
        body="b",
        status=status,
        created_at=at,
        next_at=at,
        message_id=message_id,
    )
