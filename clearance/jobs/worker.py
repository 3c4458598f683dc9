"""Work outside requests: huey wakes the sender and runs periodic jobs; all state is in the rows.

On SQLite the queue is a file next to the database's, on PostgreSQL tables in a schema of their own.
Losing the queue loses nothing: the periodic jobs find what is due.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from types import FrameType
from typing import Any

import click
import structlog
from flask import Flask, current_app, g
from flask.cli import with_appcontext
from huey import Huey, crontab
from huey.consumer import Consumer
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance import backups, exports, issuing
from clearance.accounts import data_exports
from clearance.core import metrics, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import Settings, one_line_for_bad_settings
from clearance.files import checkpoints
from clearance.jobs import maintenance, retention, runs, trail
from clearance.jobs import queue as job_queue
from clearance.models.enums import Channel
from clearance.notifications import delivery, outbox
from clearance.requests import deadlines, moving, transitions
from clearance.services import registry, versions
from clearance.services.extension import Job
from clearance.web import serving

SENDERS = 4
RUN_LIMIT = 50
STOP_SECONDS = 25  # one message may take 20

_log = structlog.get_logger(__name__)
_Work = Callable[[datetime], object]


_periodic: dict[str, Job] = {}


def every(seconds: int) -> Callable[[_Work], _Work]:
    """Register `function(now)` as a job of every application; see `Job`."""

    def register(work: _Work) -> _Work:
        job = Job(work, seconds)
        _periodic[job.name] = job
        return work

    return register


def init_app(app: Flask) -> None:
    """Set up the queue, the waking after commits, and the command."""
    app.extensions["jobs"] = Jobs(app)
    app.cli.add_command(_command)
    if not event.contains(Session, "after_commit", _after_commit):
        event.listen(Session, "after_commit", _after_commit)
        event.listen(Session, "after_rollback", _after_rollback)


def enqueue_delivery() -> None:
    """Wake the sender after a commit; automatic for `db.session` commits that queue deliveries."""
    jobs: Jobs = current_app.extensions["jobs"]
    jobs.wake()


def enqueue_pdf_rendering() -> None:
    """Wake document rendering after a commit; automatic for `db.session` commits that issue one."""
    jobs: Jobs = current_app.extensions["jobs"]
    jobs.wake_printer()


def enqueue_data_exports() -> None:
    """Wake data exports after a commit; automatic for `db.session` commits that request one."""
    jobs: Jobs = current_app.extensions["jobs"]
    jobs.wake_copier()


def enqueue_list_exports() -> None:
    """Wake exports of lists after a commit; automatic for `db.session` commits that order one."""
    jobs: Jobs = current_app.extensions["jobs"]
    jobs.wake_exporter()


def serve(app: Flask) -> None:
    """Upgrade the schema, load services, then run waitress and the consumer until stopped."""
    settings: Settings = app.extensions["settings"]
    schema.upgrade(settings.database_url)
    jobs: Jobs = app.extensions["jobs"]
    with app.app_context():
        for work in jobs.at_start:
            work(utc_now())
            db.session.commit()
    server = serving.make_server(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    jobs.start()
    click.echo(f"Clearance runs on http://{settings.host}:{server.effective_port}")
    try:
        server.run()
    finally:
        server.close()
        jobs.stop()


class Jobs:
    """An application's queue and, if started, its consumer.

    at_start: functions of the time that run, and are committed, when `python app.py` starts.
    """

    def __init__(self, app: Flask) -> None:
        self.at_start: list[_Work] = [versions.publish_missing]
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._consumer: Consumer | None = None
        self._thread: threading.Thread | None = None
        self._patience = job_queue.Patience(app, lambda: self._is_stopping)
        self._printer = threading.Lock()
        self._copier = threading.Lock()
        self._exporter = threading.Lock()

    @cached_property
    def huey(self) -> Huey:
        """The queue, created on first use."""
        huey = job_queue.make(self._settings.database_url, self._patience)
        huey.periodic_task(crontab(), name="tick")(self._patience.patient(self.tick))
        return huey

    @cached_property
    def _deliver(self) -> Any:
        return self.huey.task(name="deliver")(self._patience.patient(self.deliver))

    @cached_property
    def _make_files(self) -> Any:
        return self.huey.task(name="make_files")(self._patience.patient(self.make_files))

    @cached_property
    def _make_copies(self) -> Any:
        return self.huey.task(name="make_copies")(self._patience.patient(self.make_copies))

    @cached_property
    def _make_lists(self) -> Any:
        return self.huey.task(name="make_lists")(self._patience.patient(self.make_lists))

    @property
    def periodic(self) -> list[Job]:
        """The periodic jobs of the portal and of its extensions."""
        services: registry.Registry = self._app.extensions["services"]
        return [*_periodic.values(), *services.jobs.values()]

    @property
    def is_awake(self) -> bool:
        """Whether waking makes sense: always, except in tests without a consumer."""
        return self._consumer is not None or not self._app.testing

    def wake(self) -> None:
        """Queue delivery on every channel; queue failures are only logged, as `tick` catches up."""
        if not self.is_awake:
            return
        try:
            self._queue_all()
        except Exception:  # the transaction is committed and must not appear to have failed
            _log.exception("the sender could not be woken")

    def wake_printer(self) -> None:
        """Queue the rendering of files; queue failures are only logged, as `tick` catches up."""
        if not self.is_awake:
            return
        try:
            self._make_files()
        except Exception:  # the decision is committed and must not appear to have failed
            _log.exception("the printer could not be woken")

    def wake_copier(self) -> None:
        """Queue the data exports; queue failures are only logged, as `tick` catches up."""
        if not self.is_awake:
            return
        try:
            self._make_copies()
        except Exception:  # the request is committed and must not appear to have failed
            _log.exception("the copier could not be woken")

    def wake_exporter(self) -> None:
        """Queue exports of lists; queue failures are only logged, as `tick` catches up."""
        if not self.is_awake:
            return
        try:
            self._make_lists()
        except Exception:  # the order is committed and must not appear to have failed
            _log.exception("the exporter could not be woken")

    def make_files(self) -> None:
        """Render the missing files of issued documents, in one thread of this process at a time."""
        if not self._printer.acquire(blocking=False):
            return  # the running thread continues until none is missing
        try:
            with self._app.app_context():
                issuing.render_missing(utc_now())
        finally:
            self._printer.release()

    def make_copies(self) -> None:
        """Build the requested data exports, in one thread of this process at a time."""
        if not self._copier.acquire(blocking=False):
            return  # the running thread continues until none is waiting
        try:
            with self._app.app_context():
                data_exports.make_waiting(utc_now())
        finally:
            self._copier.release()

    def make_lists(self) -> None:
        """Write the ordered workbooks of lists, in one thread of this process at a time."""
        if not self._exporter.acquire(blocking=False):
            return  # the running thread continues until none is waiting
        try:
            with self._app.app_context():
                exports.make_waiting(utc_now())
        finally:
            self._exporter.release()

    def deliver(self, channel: str) -> None:
        """Send what is due on one channel, and schedule another run for postponed messages."""
        times = []
        has_more = True
        with self._app.app_context():
            while has_more and not self._is_stopping:
                outcome = delivery.deliver_due(utc_now(), RUN_LIMIT, (channel,))
                has_more = outcome.has_more
                if outcome.next_at is not None:
                    times.append(outcome.next_at)
        if times:
            delay = (min(times) - utc_now()).total_seconds()
            self._deliver.schedule(args=(channel,), delay=max(1, delay))

    def tick(self) -> None:
        """Run every minute: outbox, missing files and exports, then the due periodic jobs."""
        self._queue_all()
        self._make_files()
        self._make_copies()
        self._make_lists()
        for job in self.periodic:
            self._run_once(job, utc_now())

    def start(self) -> None:
        """Start the consumer in threads of this process; only one process may do so."""
        delivery.check_gateway(self._settings)
        self._consumer = _QuietConsumer(self.huey, **_CONSUMER)
        self._thread = threading.Thread(target=self._consumer.run, name="jobs", daemon=True)
        self._thread.start()
        self.wake()
        self.wake_printer()
        self.wake_copier()
        self.wake_exporter()

    def stop(self) -> None:
        """Stop the consumer after the messages being sent; takes at most 25 s."""
        if self._consumer is None or self._thread is None:
            return
        self._consumer.stop(graceful=True)
        self._thread.join(STOP_SECONDS)
        self._consumer = self._thread = None

    def run(self) -> None:
        """Run the consumer as a process of its own (`flask jobs`) until SIGTERM or SIGINT."""
        delivery.check_gateway(self._settings)
        self._patience.wait()
        with self._patience.work():
            self._queue_all()
            self._make_files()
            self._make_copies()
            self._make_lists()
        self._consumer = Consumer(self.huey, graceful_signal="TERM", **_CONSUMER)
        self._consumer.run()

    @property
    def _is_stopping(self) -> bool:
        return self._consumer is not None and self._consumer.stop_flag.is_set()

    def _queue_all(self) -> None:
        for channel in Channel:
            self._deliver(str(channel))

    def _run_once(self, job: Job, now: datetime) -> None:
        span = int(now.timestamp()) // max(60, job.seconds)
        storage = self.huey.storage
        if not storage.put_if_empty(f"{job.name}:{span}", b"1"):
            return
        storage.pop_data(f"{job.name}:{span - 1}")
        with self._app.app_context():
            began = time.monotonic()
            try:
                job.work(now)
                db.session.commit()
            except Exception:  # one failing job must not stop the others
                db.session.rollback()
                storage.pop_data(f"{job.name}:{span}")
                _log.exception("periodic work failed", job=job.name)
                _note_run(job, "failed", began)
                runs.failed(job, now)
            else:
                _note_run(job, "finished", began)
                runs.finished(job, now, time.monotonic() - began)


def _note_run(job: Job, outcome: str, began: float) -> None:
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    _log.info(
        "job", job=job.name, outcome=outcome, ms=milliseconds, statements=g.get("statements", 0)
    )
    metrics.add(metrics.JOB_RUNS, job.name, outcome)


class _QuietConsumer(Consumer):  # type: ignore[misc]  # huey is untyped
    """A consumer in a process that handles signals itself."""

    def _set_signal_handlers(self) -> None:
        """Leave the signals to `serve`."""


_CONSUMER: dict[str, Any] = {
    "workers": SENDERS,
    "max_delay": 1,  # seconds between polls; codes should not wait longer
    "shutdown_timeout": STOP_SECONDS,
}


@click.command("jobs")
@with_appcontext
def _command() -> None:
    """Send messages and run periodic jobs; may run in several processes."""
    with one_line_for_bad_settings():
        backups.check_restored()
        current_app.extensions["jobs"].run()


def _after_commit(session: Session) -> None:
    if session.in_nested_transaction():  # releasing a savepoint commits nothing
        return
    if session.info.pop(outbox.QUEUED_MARK, False):
        enqueue_delivery()
    if session.info.pop(issuing.WAITING_MARK, False):
        enqueue_pdf_rendering()
    if session.info.pop(data_exports.WAITING_MARK, False):
        enqueue_data_exports()
    if session.info.pop(exports.WAITING_MARK, False):
        enqueue_list_exports()


def _after_rollback(session: Session) -> None:
    if session.in_nested_transaction():  # work queued before the savepoint is still pending
        return
    session.info.pop(outbox.QUEUED_MARK, None)
    session.info.pop(issuing.WAITING_MARK, None)
    session.info.pop(data_exports.WAITING_MARK, None)
    session.info.pop(exports.WAITING_MARK, None)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


@every(900)
def _report_outbox(now: datetime) -> None:
    state = outbox.waiting(now)
    if state.is_late or state.given_up:
        _log.warning(
            "messages wait",
            queued=state.queued,
            given_up=state.given_up,
            oldest_minutes=state.oldest_minutes,
        )


every(3600)(retention.purge)
every(86_400)(maintenance.run)
every(3600)(checkpoints.take)
every(86_400)(trail.send)
every(86_400)(trail.verify)
every(3600)(transitions.lapse_returned)
every(900)(deadlines.tell_late)
every(300)(moving.move_due)
