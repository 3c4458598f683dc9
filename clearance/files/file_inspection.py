"""Inspect files in a separate process, so that a hostile file ends only that process.

Concurrency and waiting are bounded, because a waiting thread serves no pages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock

import structlog
from flask_babel import lazy_gettext as _l

from clearance.core.errors import ServiceUnavailable
from clearance.core.settings import ROOT
from clearance.files import file_inspection_worker
from clearance.files.file_inspection_worker import Answer

log = structlog.get_logger("clearance.files")

WALL_SECONDS = 10
WAIT_SECONDS = 8
AT_ONCE = 2
# Threads of this process that may run or wait here, out of the eight that serve pages.
INSIDE = 6
INSIDE_A_TASK = {"check": 4, "draw": 4}
INSIDE_AN_ACCOUNT = 3
# glibc would reserve 64 MiB for a second thread, such as the HEIC decoder's, and a photo that fits
# into the memory limit would fail now and then on a busy machine.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
_PATHS = os.pathsep.join((str(ROOT), sysconfig.get_path("platlib"), sysconfig.get_path("purelib")))

_running = BoundedSemaphore(AT_ONCE)
_inside: Counter[str] = Counter()
_lock = Lock()


class Busy(ServiceUnavailable):
    """All places are taken; the file was not inspected."""

    retry_after = 5
    message = _l("Many files are being checked right now. Try again in a few seconds.")


class TooSlow(Busy):
    """The machine is too busy: the inspection was started but timed out."""


def check_pdf(data: bytes, account: str) -> Answer:
    """Check a whole PDF (see `pdf_inspection_worker.check_pdf`); takes about 0.3 s.

    account: the requesting account, which may use only some of the places. fault: broken,
    encrypted, active, long, complex (exceeds the resource limits) or crashed (our own fault, which
    is logged). Raises Busy.
    """
    return _ask("check", account, data, "check_pdf")


def rewrite_picture(data: bytes, form: str, keep: int, account: str) -> Answer:
    """Re-encode a JPEG or PNG (`form`) in at most `keep` bytes.

    fault: broken, large (too many pixels), complex, crashed. Raises Busy.
    """
    return _ask("check", account, data, "rewrite_picture", form, str(keep))


def convert_picture(data: bytes, form: str, keep: int, account: str) -> Answer:
    """Re-encode a HEIC or WebP photo (`form`) as JPEG; otherwise like `rewrite_picture`."""
    return _ask("check", account, data, f"convert_{form.lower()}", str(keep))


def draw_page(data: bytes, page: int, width: int, account: str) -> Answer:
    """Draw page `page` (from 1) of a PDF as PNG, `width` pixels wide.

    fault: broken, complex. Raises Busy.
    """
    return _ask("draw", account, data, "draw_page", str(page), str(width))


def draw_picture(data: bytes, width: int, account: str) -> Answer:
    """Draw a picture as JPEG, at most `width` pixels wide; otherwise like `draw_page`."""
    return _ask("draw", account, data, "draw_picture", str(width))


def read_workbook(data: bytes, rows: int, columns: int, account: str) -> Answer:
    """Read the first sheet of a workbook as JSON (see `table_worker.read_workbook`).

    rows, columns: maximum numbers; empty rows are not counted. fault: broken, encrypted, empty (no
    visible sheet), long (too many rows), wide (too many columns), complex, crashed. Raises Busy.
    """
    return _ask("check", account, data, "read_workbook", str(rows), str(columns))


def _ask(task: str, account: str, data: bytes, command: str, *arguments: str) -> Answer:
    answer = _answer_of(task, account, data, command, *arguments)
    if answer.fault == "crashed":
        log.error("file_inspection_crashed", command=command, exception=answer.data.decode())
    return answer


def _answer_of(task: str, account: str, data: bytes, command: str, *arguments: str) -> Answer:
    worker = [sys.executable, "-I", "-S", str(Path(file_inspection_worker.__file__)), _PATHS]
    with _place(task, account):
        try:
            done = subprocess.run(  # noqa: S603 - our own script; the file goes to its input
                [*worker, command, *arguments],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=WALL_SECONDS,
                env=_ENVIRONMENT,
            )
        except subprocess.TimeoutExpired as fault:
            # The worker limits CPU time itself, so the machine is slow, not the file.
            log.warning("file_process_too_slow", command=command, size=len(data))
            raise TooSlow from fault
    if done.returncode:
        log.warning("file_too_complex", command=command, exit_code=done.returncode, size=len(data))
        return Answer("complex")
    head, _newline, made = done.stdout.partition(b"\n")
    return Answer(**json.loads(head), data=made)


@contextmanager
def _place(task: str, account: str) -> Iterator[None]:
    """Hold one of the places, after a bounded wait. Raises Busy."""
    limits = {"": INSIDE, task: INSIDE_A_TASK[task], f"{task}:{account}": INSIDE_AN_ACCOUNT}
    with _lock:
        if any(_inside[name] >= limit for name, limit in limits.items()):
            raise Busy
        _inside.update(limits.keys())
    try:
        if not _running.acquire(timeout=WAIT_SECONDS):
            raise Busy
        try:
            yield
        finally:
            _running.release()
    finally:
        with _lock:
            _inside.subtract(limits.keys())
            if not _inside[f"{task}:{account}"]:
                del _inside[f"{task}:{account}"]
