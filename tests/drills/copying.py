"""The drill of the continuous copy: all is lost but what Litestream had sent to S3.

    python -m tests.drills.copying --litestream .venv/bin/litestream

Agents and reviewers work as in the drill of kill -9, on SQLite, while Litestream copies the
database by deploy/litestream.yml to an S3 server. In each round one trouble befalls the copy: none,
Litestream killed and started again, or an S3 server that refuses, breaks off or keeps silent for a
while. Then web, background work and Litestream die together, without warning, and `litestream
restore` makes a database of the copy: sound, with a whole trail, numbers without gaps, and with all
that was answered up to some moment. How long before the death that was is printed; without trouble
of the server it may be MOST_BEHIND seconds, and AFTER_AN_OUTAGE with it. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import math
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.core import chain, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Request
from clearance.models.enums import Status
from tests.drills.kills import Crew, Processes, portal, settings_of
from tests.support import s3
from tests.support.gateways import SmsGateway, SmtpGateway

MOST_BEHIND, AFTER_AN_OUTAGE = 3, 60  # seconds; Litestream sends every second
ANSWERS = 15  # before and after each trouble
OUTAGE_SECONDS = 5
TROUBLES = ("none", "killed", "503", "gone", "slow")


class Moment(NamedTuple):
    """How many were sent and decided by then (seconds of a steady clock)."""

    at: float
    sent: int
    decided: int


class Copier:
    """Litestream, as the shipped settings say but for the places."""

    def __init__(self, program: str, folder: Path, database: Path, endpoint: str) -> None:
        given: dict[str, Any] = yaml.safe_load((ROOT / "deploy/litestream.yml").read_text())
        copied = given["dbs"][0]
        copied["path"] = str(database)
        copied["replicas"][0] |= {
            "bucket": s3.BUCKET,
            "region": "us-east-1",
            "endpoint": endpoint,
            "force-path-style": True,
        }
        settings, self._log = folder / "litestream.yml", folder / "litestream.log"
        settings.write_text(yaml.safe_dump(given))
        self._program, self._database = program, database
        self._options = ["-config", str(settings)]
        self._settings = {name.upper(): value for name, value in s3.KEYS.items()}

    def start(self) -> None:
        """Go on with the copy."""
        with self._log.open("ab") as said:
            self._running = subprocess.Popen(
                [self._program, "replicate", *self._options],
                env=self._settings,
                stdout=said,
                stderr=said,
            )

    def kill(self) -> None:
        """kill -9."""
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()

    def restore(self, target: Path) -> None:
        """Make a database of the copy."""
        asked = [self._program, "restore", *self._options, "-o", str(target), str(self._database)]
        subprocess.run(asked, env=self._settings, check=True, capture_output=True)


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--litestream", default="litestream", help="the program")
    parser.add_argument("--rounds", type=int, default=2, help="each has every trouble")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    failed = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mail = stack.enter_context(SmtpGateway())
        sms = stack.enter_context(SmsGateway())
        bucket = stack.enter_context(s3.running())
        database = folder / "clearance.sqlite"
        settings = settings_of(folder, f"sqlite:///{database}", mail, sms)
        schema.upgrade(settings["DATABASE_URL"])
        drafts = args.rounds * len(TROUBLES) * ANSWERS * 4
        crew = Crew(portal(settings), per_agent=drafts, now=utc_now)
        processes = Processes(settings, folder / "log")
        stack.callback(processes.stop)
        copier = Copier(args.litestream, folder, database, bucket.endpoint)
        copier.start()
        stack.callback(copier.kill)
        for name in ("web", "jobs"):
            processes.start(name)
        order = [trouble for _ in range(args.rounds) for trouble in TROUBLES]
        random.Random(args.seed).shuffle(order)
        with crew.at_work():
            for number, trouble in enumerate(order):
                moments = _work(crew, copier, bucket, trouble)
                for name in ("web", "jobs"):
                    processes.kill(name)
                copier.kill()
                restored = folder / f"restored-{number}.sqlite"
                copier.restore(restored)
                address = settings | {"DATABASE_URL": f"sqlite:///{restored}"}
                most = MOST_BEHIND if trouble in {"none", "killed"} else AFTER_AN_OUTAGE
                failed += _report(portal(address), crew, moments, trouble) > most
                copier.start()
                for name in ("web", "jobs"):
                    processes.start(name)
    return 1 if failed else 0


def _work(crew: Crew, copier: Copier, bucket: s3.FaultyS3, trouble: str) -> list[Moment]:
    """Let everybody work before, during and after the trouble; returns how far they were when."""
    moments: list[Moment] = []

    def work_on(answers: int, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        enough = len(crew.sent) + len(crew.decided) + answers
        while time.monotonic() < until and len(crew.sent) + len(crew.decided) < enough:
            moments.append(Moment(time.monotonic(), len(crew.sent), len(crew.decided)))
            time.sleep(0.1)

    work_on(ANSWERS)
    if trouble == "killed":
        copier.kill()
        copier.start()
    elif trouble != "none":
        bucket.fault = trouble
        work_on(1000, OUTAGE_SECONDS)
        bucket.fault = ""
    work_on(ANSWERS)
    work_on(1000, MOST_BEHIND)
    return moments


def _report(app: Flask, crew: Crew, moments: list[Moment], trouble: str) -> float:
    """Print what the restored database is like; returns by how many seconds it is behind.

    Infinite if it is unsound.
    """
    with app.app_context():
        rows = {row.id: row for row in db.session.scalars(sa.select(Request))}
        sent = [rows[one.request_id].number == one.number for one in crew.sent]
        decided = [rows[one].status == Status.PREAPPROVED for one in crew.decided]
        numbers = sorted(int(row.number.split("/")[1]) for row in rows.values() if row.number)
        faults = list(chain.verify(db.session()).faults)
        faults += [] if numbers == list(range(1, len(numbers) + 1)) else ["numbers have gaps"]
        told = db.session.scalar(sa.text("PRAGMA integrity_check"))
        faults += [] if told == "ok" else [told]
        db.session.remove()
        db.engine.dispose()
    there = [one for one in moments if all(sent[: one.sent]) and all(decided[: one.decided])]
    behind = moments[-1].at - there[-1].at if there else math.inf
    lost = sent.count(False) + decided.count(False)
    print(
        f"{trouble}: {len(sent)} sent, {len(decided)} decided, of which the copy lacks {lost};"
        f" {behind:.1f} s behind; faults: {faults or 0}",
        flush=True,
    )
    return math.inf if faults else behind


if __name__ == "__main__":
    sys.exit(main())
