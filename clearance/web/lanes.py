"""Separate thread pool for password-hashing requests, so that pages never wait for them.

The servers hold a request in their loops until it is complete, then pass it to one of two thread
pools. So 200 concurrent sign-ins wait without a thread, and the threads for pages stay free.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from flask import Flask
from waitress.task import ThreadedTaskDispatcher

from clearance.core.errors import ServiceUnavailable

# Two more than can hash at once, to read and write meanwhile.
HASHING_THREADS = (os.cpu_count() or 1) + 2
LONGEST_WAIT = 20  # seconds in the lane, after which the client is asked to retry
_HASHING = re.compile(
    r"/(login|register|password|reset/confirm|invitation/.*|my/users/new/|(my|office)/account/.*)"
)
_waited: ContextVar[float] = ContextVar("clearance_waited", default=0)


def is_hashing(method: str, path: str) -> bool:
    """Return whether the request may hash or check a password. path: without query string."""
    return method == "POST" and _HASHING.fullmatch(path) is not None


def timed(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return `work` for a lane, wrapped to record how long it waited there."""
    return partial(_run, work, time.monotonic())


def init_app(app: Flask) -> None:
    """Reject requests that have waited too long in the lane."""
    app.before_request(_refuse_late)


class Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress is untyped
    """waitress's threads in two lanes. pages: number of threads for requests without hashing."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.set_thread_count(pages)
        self._hashing = ThreadedTaskDispatcher()
        self._hashing.set_thread_count(HASHING_THREADS)

    def add_task(self, task: Any) -> None:
        """Queue a connection whose first request is complete."""
        first = task.requests[0]
        if is_hashing(getattr(first, "command", ""), getattr(first, "path", "")):
            self._hashing.add_task(_Task(task))
        else:
            super().add_task(task)

    def shutdown(self, *args: Any, **kwargs: Any) -> bool:
        """Stop both lanes."""
        self._hashing.shutdown(*args, **kwargs)
        return bool(super().shutdown(*args, **kwargs))


class _Task:
    """A connection in the lane."""

    def __init__(self, channel: Any) -> None:
        self.service = timed(channel.service)
        self.cancel = channel.cancel


def _run(work: Callable[..., Any], since: float, *args: Any) -> Any:
    _waited.set(time.monotonic() - since)
    return work(*args)


def _refuse_late() -> None:
    if _waited.get() > LONGEST_WAIT:
        raise ServiceUnavailable
