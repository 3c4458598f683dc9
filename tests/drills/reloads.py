"""The drill of upgrades without downtime: one release after the other, and no request fails.

    python -m tests.drills.reloads --kind postgresql --requests 10000

Visitors open pages of gunicorn with two workers while the link to the release in use leads to a
copy of the code, to the code itself and back again, with a reload (SIGHUP) each time, and `flask db
upgrade` runs. Prints how many requests were answered how, and the longest wait. Exit code 1 if one
failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

from benchmarks import worlds
from clearance.core import schema
from clearance.core.settings import ROOT
from tests.support import releases, servers
from tests.support.visitors import Visitors

BETWEEN = 1000  # requests from one reload to the next


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kind", choices=worlds.KINDS, default="postgresql")
    parser.add_argument("--requests", type=int, default=10_000)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(worlds.made(args.kind))
        current = folder / "portal"
        code = cycle((releases.present(folder / "next"), ROOT))
        releases.link(current, ROOT)
        address, process = stack.enter_context(servers.reloadable(url, folder, current))
        with Visitors(address) as visitors:
            reloads = 0
            while visitors.outcomes.total() < args.requests:
                visitors.open_more(BETWEEN)
                releases.link(current, next(code))
                schema.upgrade(url)
                os.kill(process.pid, signal.SIGHUP)
                reloads += 1
        print(f"{reloads} reloads, longest wait {visitors.longest:.1f} s")
        print(dict(visitors.outcomes))
        return 0 if set(visitors.outcomes) == {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
