"""What `/metrics` says of the present: open requests, outbox, jobs, disks."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import sqlalchemy as sa
import structlog
from flask import Flask, current_app
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from clearance.core import metrics
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.database import own_transaction
from clearance.files import storage
from clearance.jobs import worker
from clearance.models import Delivery, JobRun, Request
from clearance.models.enums import Channel, DeliveryStatus
from clearance.services import registry
from clearance.web.template_globals import VERSION

KEPT_SECONDS = 15
PERIODIC = metrics.JOB_RUNS.labels[0]

log = structlog.get_logger("clearance.jobs")


def init_app(app: Flask) -> None:
    """Have gauges, read anew each time in tests."""
    app.extensions["gauges"] = Gauges(0 if app.testing else KEPT_SECONDS)


class Gauges:
    """A collector of prometheus-client; what it read is kept for `kept_seconds`."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        self._lock = threading.Lock()
        self._kept_seconds = kept_seconds
        self._read_at = -kept_seconds
        self._kept: list[GaugeMetricFamily] = []

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the gauges; those of rows are absent while the database is away."""
        with self._lock:
            if time.monotonic() - self._read_at >= self._kept_seconds:
                self._kept, self._read_at = list(_read()), time.monotonic()
            return self._kept


def _read() -> Iterator[GaugeMetricFamily]:
    yield _gauge("clearance_info", "The release.", ("version",), [((VERSION,), 1)])
    yield from _disks()
    yield from _spans()
    try:
        with own_transaction(write=False) as connection:
            of_rows = [family for read in _OF_ROWS for family in read(connection)]
    except SQLAlchemyError as fault:
        log.error("gauges_not_read", exc_info=fault)
        of_rows = []
    yield _gauge("clearance_database_up", "1 if the database answers.", (), [((), bool(of_rows))])
    yield from of_rows


def _open_requests(connection: sa.Connection) -> Iterator[GaugeMetricFamily]:
    """Count what is sent and undecided, in the index of status and due date."""
    is_late = sa.case((Request.due_on < kuwait_date(utc_now()), 1), else_=0)
    rows = connection.execute(
        sa.select(Request.status, sa.func.count(), sa.func.sum(is_late))
        .where(registry.is_open())
        .group_by(Request.status)
    ).all()
    yield _gauge(
        "clearance_open_requests",
        "Requests sent and not decided, by status.",
        ("status",),
        (((status,), number) for status, number, _late in rows),
    )
    yield _gauge(
        "clearance_overdue_requests",
        "Those whose due date has passed, by status.",
        ("status",),
        (((status,), late) for status, _number, late in rows),
    )


def _outbox(connection: sa.Connection) -> Iterator[GaugeMetricFamily]:
    undelivered = (DeliveryStatus.QUEUED, DeliveryStatus.GIVEN_UP)
    rows = connection.execute(
        sa.select(
            Delivery.status, Delivery.channel, sa.func.count(), sa.func.min(Delivery.created_at)
        )
        .where(Delivery.status.in_(undelivered))
        .group_by(Delivery.status, Delivery.channel)
    )
    found = {(status, channel): (number, oldest) for status, channel, number, oldest in rows}
    now, channels = utc_now(), [str(channel) for channel in Channel]
    ages = {
        channel: (now - found[DeliveryStatus.QUEUED, channel][1]).total_seconds()
        for channel in channels
        if (DeliveryStatus.QUEUED, channel) in found
    }
    yield _gauge(
        "clearance_outbox_oldest_seconds",
        "Age of the oldest message that waits to be sent, else 0.",
        ("channel",),
        (((channel,), max(0.0, ages.get(channel, 0.0))) for channel in channels),
    )
    for status, name, words in (
        (DeliveryStatus.QUEUED, "waiting", "Messages that wait to be sent."),
        (DeliveryStatus.GIVEN_UP, "given_up", "Messages that could not be delivered."),
    ):
        numbers = {channel: found.get((status, channel), (0, None))[0] for channel in channels}
        yield _gauge(
            f"clearance_outbox_{name}",
            words,
            ("channel",),
            (((channel,), number) for channel, number in numbers.items()),
        )


def _jobs(connection: sa.Connection) -> Iterator[GaugeMetricFamily]:
    wanted = (JobRun.name, JobRun.finished_at, JobRun.failed_at, JobRun.milliseconds)
    runs = connection.execute(sa.select(*wanted)).all()
    yield _gauge(
        "clearance_job_finished_timestamp_seconds",
        "When the job's last run ended well.",
        (PERIODIC,),
        (((run.name,), run.finished_at.timestamp()) for run in runs if run.finished_at),
    )
    yield _gauge(
        "clearance_job_failed_timestamp_seconds",
        "When the job's last failing run began.",
        (PERIODIC,),
        (((run.name,), run.failed_at.timestamp()) for run in runs if run.failed_at),
    )
    yield _gauge(
        "clearance_job_seconds",
        "How long the job's last good run took.",
        (PERIODIC,),
        (((run.name,), run.milliseconds / 1000) for run in runs if run.finished_at),
    )


_OF_ROWS: tuple[Callable[[sa.Connection], Iterator[GaugeMetricFamily]], ...] = (
    _open_requests,
    _outbox,
    _jobs,
)


def _spans() -> Iterator[GaugeMetricFamily]:
    jobs: worker.Jobs = current_app.extensions["jobs"]
    yield _gauge(
        "clearance_job_interval_seconds",
        "Seconds between the starts of two runs of the job.",
        (PERIODIC,),
        (((job.name,), job.seconds) for job in jobs.periodic),
    )


def _disks() -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "clearance_disk_free_bytes",
        "Bytes left on the disk of the files, and of the database if that is a file.",
        ("place",),
        (((name,), shutil.disk_usage(folder).free) for name, folder in storage.disks().items()),
    )


def _gauge(
    name: str,
    words: str,
    labels: tuple[str, ...],
    values: Iterable[tuple[tuple[str, ...], float]],
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for found, value in values:
        family.add_metric(found, value)
    return family
