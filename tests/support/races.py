"""Many threads doing the same at once, each with its own context, session and real commits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from flask import Flask

from clearance.core.extensions import db

THREADS = 24


def race(
    app: Flask, times: int, work: Callable[[int], Any], *, threads: int = THREADS
) -> list[Any]:
    """Run `work(n)` for each n below `times`, the first of every thread at the same instant.

    Returns what each gave, or the exception it raised; `work` commits by itself.
    """
    threads = min(threads, times)
    together = Barrier(threads)

    def run(number: int) -> Any:
        if number < threads:
            together.wait(timeout=60)
        with app.app_context():
            try:
                return work(number)
            except Exception as error:
                db.session.rollback()
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(times)))
