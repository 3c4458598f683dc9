"""The drill of counters: gunicorn's two workers are killed again and again, and no counter falls.

    python -m tests.drills.counters --kills 50

After each kill -9 the portal is asked for pages and for `/metrics`. Prints how often, and how many
files hold the counters. Exit code 1 if any counter fell.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from clearance.core.settings import ROOT
from tests.support import releases, servers

PAGES = 10  # between two kills
COUNTING = ("_total", "_count", "_sum", "_bucket")


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=50)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        releases.link(folder / "portal", ROOT)
        url = f"sqlite:///{folder / 'drill.sqlite'}"
        with servers.reloadable(url, folder, folder / "portal") as (address, process):
            last: dict[str, float] = {}
            fell: set[str] = set()
            scrapes = 0
            for number in range(args.kills):
                workers = _workers(process.pid)
                os.kill(workers[number % len(workers)], signal.SIGKILL)
                for _ in range(PAGES):
                    _opened(f"{address}/healthz")
                now = _counters(_opened(f"{address}/metrics"))
                scrapes += bool(now)
                fell |= {series for series, value in last.items() if now.get(series, 0) < value}
                last = now
            files = len(list((folder / "metrics").iterdir()))
    print(f"{args.kills} kills, {scrapes} readings of {len(last)} series, {files} files")
    print(f"{len(fell)} series fell: {sorted(fell)}")
    return 1 if fell or scrapes < args.kills else 0


def _workers(parent: int) -> list[int]:
    """Return the running workers, waiting for at least one."""
    while True:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            return [int(child) for child in children]
        time.sleep(0.1)


def _opened(address: str) -> str:
    """Return the page, trying while no worker listens."""
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(address, timeout=20) as answer:
            return str(answer.read().decode())
        time.sleep(0.1)
    raise AssertionError("no worker came back")


def _counters(text: str) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {
        series: float(value) for series, value in lines if series.split("{")[0].endswith(COUNTING)
    }


if __name__ == "__main__":
    sys.exit(main())
