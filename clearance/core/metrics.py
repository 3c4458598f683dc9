"""Counters of the portal's processes, which a restarted process continues.

Each process writes its values to a file of its own (a slot). The kernel releases the slot's lock
when the process ends, however it ends, and the next process goes on from the values it finds. So
counters never fall, and there are as many files as processes that ran at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

import structlog
from flask import Flask, current_app, has_app_context
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from clearance.core.settings import Settings
from clearance.models.enums import Channel

log = structlog.get_logger("clearance.metrics")

Series = tuple[str, ...]
"""Name of the metric, part of it ("" for a counter), values of its labels."""


@dataclass(frozen=True)
class Counter:
    """A number of events. labels: names of labels, whose values must come from small fixed sets.

    known: label values that are shown from the beginning, because Prometheus takes the first value
    of a new series for no increase.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    known: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Histogram(Counter):
    """Measured amounts, counted in buckets with these upper bounds."""

    bounds: tuple[float, ...] = ()


REQUESTS = Counter(
    "clearance_requests",
    "Requests answered, by route and class of status.",
    ("method", "route", "status"),
)
REQUEST_SECONDS = Histogram(
    "clearance_request_seconds",
    "Seconds from a complete request to the last byte of its response.",
    ("route",),
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
STATEMENTS = Counter(
    "clearance_statements", "Statements that requests sent to the database.", ("route",)
)
ACCESS_EVENTS = Counter(
    "clearance_access_events",
    "Access events of the trail, such as sign-ins (account:sign_in) and refusals.",
    ("kind", "result"),
    (
        ("account:sign_in", "refused"),
        ("account:sign_in", "throttled"),
        ("audit:verified", "broken"),
    ),
)
DATABASE_ERRORS = Counter(
    "clearance_database_errors",
    "Errors of the database; constraint: a rule that somebody else met first.",
    ("kind",),
    (("unavailable",), ("constraint",), ("other",)),
)
STORAGE_ERRORS = Counter(
    "clearance_storage_errors",
    "Errors of the file storage; damaged: a file that is missing or has changed.",
    ("kind",),
    (("unavailable",), ("damaged",)),
)
DELIVERIES = Counter(
    "clearance_deliveries",
    "Attempts to send a message.",
    ("channel", "outcome"),
    tuple(product(map(str, Channel), ("sent", "put_off", "given_up"))),
)
# "job" is the label that Prometheus itself gives to what it watches.
JOB_RUNS = Counter("clearance_job_runs", "Runs of periodic jobs.", ("periodic_job", "outcome"))

COUNTERS = (
    REQUESTS,
    REQUEST_SECONDS,
    STATEMENTS,
    ACCESS_EVENTS,
    DATABASE_ERRORS,
    STORAGE_ERRORS,
    DELIVERIES,
    JOB_RUNS,
)


def init_app(app: Flask) -> None:
    """Count in the folder METRICS_FOLDER; in memory if it cannot be written, and in tests."""
    settings: Settings = app.extensions["settings"]
    folder = Path(settings.metrics_folder) if settings.metrics_folder else None
    app.extensions["metrics"] = Metrics(folder)


def add(counter: Counter, *labels: str, amount: float = 1) -> None:
    """Count in the current application; nothing happens outside of one."""
    if has_app_context():
        metrics: Metrics = current_app.extensions["metrics"]
        metrics.add(counter, *labels, amount=amount)


class Metrics:
    """The counters of all processes that share a folder; None keeps those of this one in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._slot: _Slot | None = None

    def add(self, counter: Counter, *labels: str, amount: float = 1) -> None:
        """Count `amount`. labels: values, in the order of the counter's labels."""
        with self._lock:
            self._own_slot().add((counter.name, "", *labels), amount)

    def observe(self, histogram: Histogram, *labels: str, amount: float) -> None:
        """Count a measured amount in its bucket."""
        bound = next((str(bound) for bound in histogram.bounds if amount <= bound), "+Inf")
        with self._lock:
            slot = self._own_slot()
            slot.add((histogram.name, bound, *labels), 1)
            slot.add((histogram.name, "sum", *labels), amount)

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Yield every counter, summed over the slots (a collector of prometheus-client)."""
        sums = self._sums()
        for counter in COUNTERS:
            found = {key[1:]: value for key, value in sums.items() if key[0] == counter.name}
            if isinstance(counter, Histogram):
                yield _histogram(counter, found)
            else:
                yield _counted(counter, found)

    def _sums(self) -> dict[Series, float]:
        with self._lock:
            slot = self._own_slot()
            if not slot.is_kept or self._folder is None:
                return dict(slot.values)
        sums: dict[Series, float] = defaultdict(float)
        for path in self._folder.glob(_Slot.PATTERN):
            for series, _position, value in _records(path.read_bytes()):
                sums[series] += value
        return sums

    def _own_slot(self) -> _Slot:
        """Return this process's slot; a forked one takes another."""
        if self._slot is None or self._slot.pid != os.getpid():
            if self._slot is not None:
                self._slot.leave()
            self._slot = _Slot(self._folder)
        return self._slot


class _Slot:
    """A file of values, written with pwrite: a mapped file would kill the process on a full disk.

    A value that cannot be written is kept in memory and written with the next one.
    """

    PATTERN = "slot-*"

    def __init__(self, folder: Path | None) -> None:
        self.pid = os.getpid()
        self.values: dict[Series, float] = {}
        self._positions: dict[Series, int] = {}
        self._file: int | None = None
        if folder is not None:
            try:
                self._file = self._claim(folder)
                self._go_on()
            except OSError as fault:
                log.warning("metrics_in_memory", folder=str(folder), fault=fault.strerror)
                self.leave()

    @property
    def is_kept(self) -> bool:
        """Whether the values are in a file."""
        return self._file is not None

    def add(self, series: Series, amount: float) -> None:
        """Add to a value and write it."""
        value = self.values[series] = self.values.get(series, 0.0) + amount
        if self._file is not None:
            with suppress(OSError):  # a full disk must not fail the request
                self._write(self._file, series, value)

    def leave(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _claim(self, folder: Path) -> int:
        """Open and lock the first file that no process holds."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in count():
            file = os.open(folder / f"slot-{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
            else:
                return file
        raise AssertionError("count() does not end")

    def _go_on(self) -> None:
        """Read the values of earlier processes; cut off what a crash left half written."""
        if self._file is None:
            return
        data = os.pread(self._file, os.fstat(self._file).st_size, 0)
        self._end = 0
        for series, position, value in _records(data):
            self.values[series], self._positions[series] = value, position
            self._end = position + len(_packed(series, value))
        os.ftruncate(self._file, self._end)

    def _write(self, file: int, series: Series, value: float) -> None:
        position = self._positions.get(series)
        if position is not None:
            os.pwrite(file, _VALUE.pack(value), position)
            return
        record = _packed(series, value)
        if os.pwrite(file, record, self._end) == len(record):
            self._positions[series] = self._end
            self._end += len(record)


# A record: the value, the length of the series as JSON, and that, filled up to 8 bytes so that
# values lie on whole words, which are written and read at once.
_VALUE, _LENGTH = struct.Struct("<d"), struct.Struct("<I")
_HEAD = _VALUE.size + _LENGTH.size


def _packed(series: Series, value: float) -> bytes:
    name = json.dumps(series).encode()
    record = _VALUE.pack(value) + _LENGTH.pack(len(name)) + name
    return record + b" " * (-len(record) % _VALUE.size)


def _records(data: bytes) -> Iterator[tuple[Series, int, float]]:
    """Yield series, position and value of every whole record."""
    position = 0
    while position + _HEAD < len(data):
        (length,) = _LENGTH.unpack_from(data, position + _VALUE.size)
        end = position + _HEAD + length
        try:
            series = tuple(json.loads(data[position + _HEAD : end]))
        except ValueError:  # another process is just writing it, or a crash cut it off
            return
        yield series, position, _VALUE.unpack_from(data, position)[0]
        position = end + -end % _VALUE.size


def _counted(counter: Counter, found: dict[tuple[str, ...], float]) -> CounterMetricFamily:
    values = {("", *labels): 0.0 for labels in counter.known} | found
    family = CounterMetricFamily(counter.name, counter.help, labels=counter.labels)
    for (_part, *labels), value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(histogram: Histogram, found: dict[tuple[str, ...], float]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
    for labels in sorted({key[1:] for key in found}):
        total, buckets = 0.0, []
        for bound in (*map(str, histogram.bounds), "+Inf"):
            total += found.get((bound, *labels), 0.0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, found.get(("sum", *labels), 0.0))
    return family
