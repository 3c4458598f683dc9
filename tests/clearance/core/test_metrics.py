"""Counters go on where an ended process left them."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from clearance.core.metrics import JOB_RUNS, REQUEST_SECONDS, REQUESTS, Metrics

HERE = ("GET", "/here", "2xx")


def total(metrics: Metrics) -> float:
    """How often HERE was counted, as Prometheus sees it."""
    families = {family.name: family for family in metrics.collect()}
    found = [
        s.value for s in families["clearance_requests"].samples if s.labels["route"] == "/here"
    ]
    return sum(found)


def child(folder: Path, times: int) -> int:
    """Start a process that counts and waits; returns its id when it has counted."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        metrics = Metrics(folder)
        for _ in range(times):
            metrics.add(REQUESTS, *HERE)
        os.write(writer, b"x")
        time.sleep(60)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_the_next_process_goes_on_where_a_killed_one_stopped(tmp_path: Path) -> None:
    for times in (3, 4):
        kill(child(tmp_path, times))
    metrics = Metrics(tmp_path)
    metrics.add(REQUESTS, *HERE)
    assert total(metrics) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["slot-0"]


def test_processes_that_run_together_have_a_slot_each(tmp_path: Path) -> None:
    pids = [child(tmp_path, 2) for _ in range(3)]
    try:
        assert total(Metrics(tmp_path)) == 6
        assert len(list(tmp_path.iterdir())) == 4
    finally:
        for pid in pids:
            kill(pid)


def test_a_forked_process_leaves_its_parents_slot_alone(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.add(REQUESTS, *HERE)
    pid = os.fork()
    if pid == 0:
        metrics.add(REQUESTS, *HERE)
        os._exit(0)
    os.waitpid(pid, 0)
    metrics.add(REQUESTS, *HERE)
    assert total(metrics) == 3


def test_what_a_crash_left_half_written_is_cut_off(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.add(REQUESTS, *HERE)
    metrics.add(JOB_RUNS, "one.job", "finished")
    metrics._own_slot().leave()
    slot = tmp_path / "slot-0"
    slot.write_bytes(slot.read_bytes()[:-30])
    later = Metrics(tmp_path)
    later.add(JOB_RUNS, "other.job", "finished")
    later.add(REQUESTS, *HERE)
    assert total(later) == 2
    runs = {family.name: family.samples for family in later.collect()}["clearance_job_runs"]
    assert [sample.labels["periodic_job"] for sample in runs] == ["other.job"]


def test_a_full_disk_fails_nothing_and_the_count_is_written_later(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.add(JOB_RUNS, "one.job", "finished")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        metrics.add(REQUESTS, *HERE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    metrics.add(REQUESTS, *HERE)
    assert total(Metrics(tmp_path)) == 2


def test_a_folder_that_cannot_be_made_leaves_the_counts_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    metrics = Metrics(tmp_path / "file" / "metrics")
    metrics.add(REQUESTS, *HERE)
    assert total(metrics) == 1


def test_a_histogram_counts_each_amount_in_all_larger_buckets(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for seconds in (0.01, 0.02, 0.3, 60.0):
        metrics.observe(REQUEST_SECONDS, "/here", amount=seconds)
    families = {family.name: family for family in metrics.collect()}
    samples = families["clearance_request_seconds"].samples
    buckets = {s.labels["le"]: s.value for s in samples if "le" in s.labels}
    assert (buckets["0.01"], buckets["0.025"], buckets["0.5"], buckets["+Inf"]) == (1, 2, 3, 4)
    others = {s.name.rpartition("_")[2]: s.value for s in samples if "le" not in s.labels}
    assert others == {"count": 4, "sum": pytest.approx(60.33)}


def test_no_counter_falls_while_two_workers_are_replaced_fifty_times(tmp_path: Path) -> None:
    reader = Metrics(tmp_path)
    workers = [child(tmp_path, 1), child(tmp_path, 1)]
    seen = [total(reader)]
    for number in range(50):
        kill(workers[number % 2])
        seen.append(total(reader))
        workers[number % 2] = child(tmp_path, 1)
        seen.append(total(reader))
    for pid in workers:
        kill(pid)
    assert seen == sorted(seen) and seen[-1] == 52
    assert len(list(tmp_path.iterdir())) == 3
