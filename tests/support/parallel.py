"""Many threads at once, for tests of what must hold however many people click together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

ROUNDS = 12
"""How often a race is run under FULL=1; without the lock each fails in its first round."""


def run_together(work: Callable[[int], Any], count: int) -> None:
    """Run `work(0)` … `work(count - 1)` on as many threads, begun together."""
    start = threading.Barrier(count)

    def one(number: int) -> None:
        start.wait()
        work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
