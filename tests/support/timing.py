"""Whether known and unknown people are answered after the same time (security rule 11)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from clearance.core import kept

ROUNDS = 100
MOST_APART = 0.1
"""Of the longer of the two medians."""


def assert_same_time(known: Callable[[int], object], unknown: Callable[[int], object]) -> None:
    """Call both with 0, 1, 2..., the one first in turn, and compare their processor time.

    Processor time, because other tests run beside; each begins like a request, with nothing read.
    """
    times: dict[Callable[[int], object], list[float]] = {known: [], unknown: []}
    for number in range(ROUNDS):
        for way in (known, unknown) if number % 2 else (unknown, known):
            kept.forget()
            began = time.thread_time()
            way(number)
            times[way].append(time.thread_time() - began)
    one, other = (statistics.median(taken) for taken in times.values())
    assert abs(one - other) < MOST_APART * max(one, other)
