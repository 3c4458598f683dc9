"""The drill of PostgreSQL restarted in an upgrade: that is whole or not at all, and people go on.

    python -m tests.drills.restarts --times 20 --seed 1

Visitors open pages of gunicorn while, again and again, the schema goes up from that of the release
before, once by one `flask db upgrade` and once by two at the same time, the web is reloaded
(SIGHUP), and PostgreSQL stops (fast, immediate) at a seeded instant of the upgrade and starts
again. Each time the schema must be that of before or the new one, and a second upgrade must end
whole. Pages are 200 or 503 and the web is ready by itself; the background work sends a message
afterwards. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

import sqlalchemy as sa
from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance import demo
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.services import versions
from tests.support import releases, servers
from tests.support.gateways import SmtpGateway, free_port, queue_code
from tests.support.postgres_server import STOPS, Server
from tests.support.visitors import Visitors

PATIENCE_SECONDS = 60
DOWN_SECONDS = 2.0  # at most
IS_UPGRADING = "SELECT true FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :key"
SHAPE = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' UNION ALL
    SELECT tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'public' UNION ALL
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""
Shape = frozenset[tuple[str, ...]]


class Upgrading:
    """The database that goes up again and again, and the command that does it."""

    def __init__(self, url: str, before: str, settings: dict[str, str]) -> None:
        self._url, self._before, self._settings = url, before, settings
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.new = self.shape()
        self.put_back()
        self.old = self.shape()
        began = time.monotonic()
        schema.upgrade(url)
        self.seconds = time.monotonic() - began
        self.put_back()

    def shape(self) -> Shape:
        """Return the tables, columns, indexes and constraints that there are."""
        with self._engine.connect() as connection:
            return frozenset(tuple(map(str, row)) for row in connection.execute(sa.text(SHAPE)))

    def put_back(self) -> None:
        """Take the schema back to what it was before."""
        schema.downgrade(self._url, self._before)

    def begin(self, number: int) -> list[subprocess.Popen[str]]:
        """Start so many upgrades; return when one is at work, or all have ended."""
        command = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
        started = [
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._settings,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(number)
        ]
        with self._engine.connect() as connection:
            query = sa.text(IS_UPGRADING)
            while not connection.scalar(query, {"key": schema.LOCK_KEY}):
                connection.rollback()
                if all(process.poll() is not None for process in started):
                    break
                time.sleep(0.01)
        return started


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(worlds.made("postgresql"))
        mail = stack.enter_context(SmtpGateway())
        app = filled(url)
        gateways = {
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail.port),
            "SMS_URL": "json://127.0.0.1:1/?:to={mobile}",
        }
        settings = servers.settings_for(url, folder, free_port()) | gateways
        before = releases.earlier(folder / "earlier")
        assert before is not None, "this copy of the code has no history"
        # Released with 1.1.0, too: a worker that starts keeps to its release when the link moves.
        shutil.copy2(ROOT / "gunicorn.conf.py", before)
        newest = sorted(path.name for path in before.glob("migrations/versions/*.py"))[-1]
        upgrading, server = Upgrading(url, newest[:4], settings), Server(url)
        releases.link(folder / "portal", before)
        address, web = stack.enter_context(
            servers.reloadable(url, folder, folder / "portal", **gateways)
        )
        jobs = stack.enter_context(working(settings, folder / "jobs.txt"))
        code, ended, wrong, slowest = cycle((ROOT, before)), Counter[str](), [], 0.0
        with Visitors(address) as visitors:
            for number in range(args.times):
                started = upgrading.begin(1 + number % 2)
                time.sleep(chance.uniform(0, upgrading.seconds))
                releases.link(folder / "portal", next(code))
                os.kill(web.pid, signal.SIGHUP)
                how = tuple(STOPS)[number // 2 % 2]
                server.stop(how)
                time.sleep(chance.uniform(0, DOWN_SECONDS))
                server.start()
                said = [process.communicate()[0] for process in started]
                shape = upgrading.shape()
                ended["new" if shape == upgrading.new else "as before"] += 1
                is_told = any(process.returncode == 0 for process in started)
                if shape not in ({upgrading.new} if is_told else {upgrading.new, upgrading.old}):
                    wrong.append(f"neither the old nor the new schema: {said}")
                (again,) = upgrading.begin(1)
                (told, _) = again.communicate()
                if again.returncode or upgrading.shape() != upgrading.new:
                    wrong.append(f"the second upgrade: {told}")
                slowest = max(slowest, ready_after(address, folder / "said.txt"))
                print(f"{number + 1}: {how}, {len(started)} upgrades", flush=True)
                upgrading.put_back()
        schema.upgrade(url)
        is_sent = sends(app, mail) and jobs.poll() is None
        unexpected = {what for what in visitors.outcomes if what[:3] not in {"200", "503"}}
        if unexpected:
            log = (folder / "said.txt").read_text(encoding="utf-8").splitlines()
            print(*(line for line in log if '"event": "fault"' in line), sep="\n")
    print(f"{args.times} restarts in upgrades of {upgrading.seconds:.1f} s, after which: {ended}")
    print(
        f"wrong: {wrong or 0}; ready again after at most {slowest:.1f} s; mail arrives: {is_sent}"
    )
    print(f"visitors: {visitors.outcomes}, longest wait {visitors.longest:.1f} s")
    return 1 if wrong or unexpected or not is_sent else 0


def filled(url: str) -> Flask:
    """Return the portal on the database at `url`, migrated and filled with the demo's world."""
    schema.upgrade(url)
    app = create_app(testing=True, database_url=url, secret_key=servers.SECRET_KEY)
    with app.app_context():
        versions.publish_missing(utc_now())
        db.session.commit()
        demo.build_world(utc_now())
    return app


@contextmanager
def working(settings: dict[str, str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let the background work run in the block; its log goes into `said`."""
    with said.open("wb") as log:
        command = [sys.executable, "-m", "flask", "--app", "app", "jobs"]
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def ready_after(address: str, said: Path) -> float:
    """Return the seconds until the web says that it is ready.

    said: its log. Raises: AssertionError with the end of the log.
    """
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        with suppress(OSError), urlopen(f"{address}/readyz", timeout=20):
            return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"the web is not ready again: {said.read_text(encoding='utf-8')[-6000:]}")


def sends(app: Flask, mail: SmtpGateway) -> bool:
    """Return whether a message that is queued now arrives."""
    with app.app_context():
        queue_code("after@example.com")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not mail.to("after@example.com") and time.monotonic() < deadline:
        time.sleep(0.2)
    return bool(mail.to("after@example.com"))


if __name__ == "__main__":
    sys.exit(main())
