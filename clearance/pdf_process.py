"""Asks `pdf_worker.py` about a PDF, in a process of its own: a hostile file ends that, not us."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

import structlog

from clearance import pdf_worker

log = structlog.get_logger("clearance.pdf")

TIMEOUT_SECONDS = 30
_AT_ONCE = 2
_places = BoundedSemaphore(_AT_ONCE)


class PdfFailure(Exception):
    """The file ended the process, or took too much time or memory."""


@dataclass(frozen=True)
class Verdict:
    """What a PDF is. fault: "" | broken | encrypted | active | long."""

    pages: int = 0
    fault: str = ""


def check(data: bytes) -> Verdict:
    """Read the whole file (see `pdf_worker.verdict`); takes about 0.15 s. Raises PdfFailure."""
    return Verdict(**json.loads(_ask(data, "check")))


def render(data: bytes, page: int, width: int) -> bytes:
    """Return page `page` (from 1) as PNG, `width` pixels wide. Raises PdfFailure."""
    return _ask(data, "render", str(page), str(width))


def _ask(data: bytes, *arguments: str) -> bytes:
    command = [sys.executable, "-I", str(Path(pdf_worker.__file__)), *arguments]
    with _places:
        try:
            done = subprocess.run(  # noqa: S603 - our own script; the file goes to its input
                command, input=data, capture_output=True, timeout=TIMEOUT_SECONDS, env={}
            )
        except subprocess.TimeoutExpired as fault:
            log.warning("pdf_took_too_long", command=arguments[0], size=len(data))
            raise PdfFailure from fault
    if done.returncode:
        log.warning("pdf_not_readable", command=arguments[0], exit_code=done.returncode)
        raise PdfFailure
    return done.stdout
