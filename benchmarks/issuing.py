"""Time to render files of issued documents, and whether memory use stays flat.

    python -m benchmarks.issuing 100                 # SQLite and PostgreSQL, in new folders
    python -m benchmarks.issuing 1000 --kind sqlite

Complete files: read, typeset, stored and synced to disk, hashed, claimed in the row. Cards have a
photo. THREADS: how many render at once where two processes run. Processor seconds are the CPU time
of the files; the other seconds include waiting.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance import issuing
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.issuing import files as issued_files
from clearance.models import User
from clearance.models.enums import IssuedKind
from tests.support import factories, files, issued_factories

THREADS = (1, 2)


def main() -> None:
    """Render that many files of every kind on the chosen databases; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("times", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS)
    args = parser.parse_args()
    print("| database | threads | files | seconds | processor | memory before, after (MB) |")
    print("|---|---:|---|---:|---:|---|")
    for kind in [args.kind] if args.kind else worlds.KINDS:
        with worlds.made(kind) as url, tempfile.TemporaryDirectory() as folder:
            app = _application(url, folder)
            for issued_kind in (IssuedKind.CERTIFICATE, IssuedKind.CARD, IssuedKind.LETTER):
                for threads in THREADS:
                    _round(app, kind, issued_kind, args.times, threads)
            with app.app_context():
                db.engine.dispose()


def _application(url: str, folder: str) -> Flask:
    schema.upgrade(url)
    return create_app(testing=True, database_url=url, storage_url=f"file://{folder}")


def _round(app: Flask, database: str, kind: IssuedKind, times: int, threads: int) -> None:
    with app.app_context():
        user = factories.make_agent()
        ids = [_issued(user, kind) for _ in range(times)]
        db.session.remove()
        issued_files.file_of(ids.pop())  # load compiler and fonts before timing
        before, began, spent = _memory(), time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda issued_id: _make(app, issued_id), ids))
    took, after = time.perf_counter() - began, _memory()
    spent = time.process_time() - spent
    what = f"{len(ids)} of kind {kind}"
    figures = f"{took:.2f} | {spent:.2f} | {before:.0f}, {after:.0f}"
    print(f"| {database} | {threads} | {what} | {figures} |")


def _issued(user: User, kind: IssuedKind) -> int:
    licence = issued_factories.make_licence(user.memberships[0].organisation)
    req = issued_factories.make_decided(user, licence)
    if kind == IssuedKind.CARD:
        issued_factories.make_photo(req, user, files.jpeg(900, 1200))
    issued = issuing.issue(kind, licence, req, now=utc_now()).id
    db.session.commit()
    return issued


def _make(app: Flask, issued_id: int) -> None:
    with app.app_context():
        issuing.file_of(issued_id)


def _memory() -> float:
    """Return the resident memory of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


if __name__ == "__main__":
    main()
