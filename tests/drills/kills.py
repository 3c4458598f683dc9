"""The drill of kill -9: web and background work die at seeded instants; nothing answered is lost.

    python -m tests.drills.kills --kind postgresql --kills 100 --seed 1
    python -m tests.drills.kills --jumps        # needs a C compiler

Agents send requests and a reviewer decides them over HTTP, all through two gunicorn workers, while
one after the other the whole web, one of its workers or the background work dies without warning
and is started again. Whoever gets no answer sends the same
again. With --jumps the portal's clock is an hour ahead or behind, or right again, after each
kill; sessions may end by that, and people sign in anew. At the end everything that was answered
must be in the database, once, with its event, its number and its messages; numbers have no gaps,
the trail is unbroken. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import sqlalchemy as sa
from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance.core import chain, schema
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Delivery, Event, Request
from clearance.models.enums import Status
from tests.drills import people
from tests.drills.people import NotDone, Person
from tests.support import factories, request_factories
from tests.support.gateways import SmsGateway, SmtpGateway, free_port

SECRET_KEY = "only-for-drills-" + "k" * 32
AGENTS = 4
JUMPS = (0, 3600, -3600)  # seconds
Sent = tuple[int, str]
"""Id and number of a request whose sending was answered."""


class Processes:
    """Web and background work of one portal, which die and come again."""

    def __init__(self, settings: dict[str, str], port: int, log: Path) -> None:
        self._settings, self._log = settings, log
        self._commands = {
            "web": ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}"],
            "jobs": ["-m", "flask", "--app", "app", "jobs"],
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start web or jobs."""
        with self._log.open("ab") as said:
            self._running[name] = subprocess.Popen(
                [sys.executable, *self._commands[name]],
                cwd=ROOT,
                env=self._settings,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """kill -9 of web or jobs, with everything that they started."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_worker(self, chance: random.Random) -> None:
        """kill -9 of one of web's workers, which its first process replaces."""
        parent = self._running["web"].pid
        found = subprocess.run(
            ["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False
        )
        if workers := found.stdout.split():
            os.kill(int(chance.choice(workers)), signal.SIGKILL)

    def stop(self) -> None:
        """End what runs."""
        for name in list(self._running):
            self.kill(name)


class WallClock:
    """The clock on the wall for processes with `settings`: off by some seconds."""

    def __init__(self, folder: Path) -> None:
        library, self._offset = folder / "wall_clock.so", folder / "offset"
        source = Path(__file__).with_name("wall_clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.set(0)
        self.settings = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(self._offset)}

    def set(self, seconds: int) -> None:
        """Let the clock be wrong by so much from now on."""
        with self._offset.open("r+b" if self._offset.exists() else "w+b") as file:
            file.write(struct.pack("l", seconds))


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kind", choices=worlds.KINDS, default="sqlite")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jumps", action="store_true", help="let the clock jump, too")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(worlds.made(args.kind))
        mail = stack.enter_context(SmtpGateway())
        sms = stack.enter_context(SmsGateway())
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        settings = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": url,
            "STORAGE_URL": f"file://{folder / 'files'}",
            "BASE_URL": base,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail.port),
            "SMS_URL": f"json://127.0.0.1:{sms.port}/?:to={{mobile}}",
            "WEB_CONCURRENCY": "2",
        }
        clock = WallClock(folder) if args.jumps else None
        if clock:
            settings |= clock.settings
        schema.upgrade(url)
        app = create_app(testing=True, database_url=url, secret_key=SECRET_KEY)
        processes = Processes(settings, port, folder / "log")
        stack.callback(processes.stop)
        crew = Crew(app, base, per_agent=args.kills * 4)
        for name in ("web", "jobs"):
            processes.start(name)
        chance, kills = random.Random(args.seed), Counter[str]()
        with crew.at_work():
            for _ in range(args.kills):
                time.sleep(chance.uniform(0.5, 6.0))
                kills[strike(processes, chance)] += 1
                if clock:
                    clock.set(chance.choice(JUMPS))
            if clock:
                clock.set(0)
        print("kills:", dict(kills))
        return report(app, crew, mail)


def strike(processes: Processes, chance: random.Random) -> str:
    """Kill something and start it again; returns what it was."""
    target = chance.choice(("web", "worker", "worker", "jobs"))
    if target == "worker":
        processes.kill_worker(chance)
    else:
        processes.kill(target)
        processes.start(target)
    return target


class Crew:
    """The agents and the reviewer, and what was answered to them."""

    def __init__(self, app: Flask, base: str, per_agent: int) -> None:
        self.sent: list[Sent] = []
        self.decided: list[int] = []
        self.refusals: list[str] = []
        self._ended, self._to_decide = threading.Event(), Queue[int | None]()
        with app.app_context():
            request_factories.load_services()
            agents = [factories.make_agent() for _ in range(AGENTS)]
            self._drafts = [
                [request_factories.make_draft(agent).id for _ in range(per_agent)]
                for agent in agents
            ]
            ids = [user.id for user in (*agents, factories.make_staff())]
            db.session.remove()
            db.engine.dispose()
        everybody = [people.signed_in(app, base, user_id, SECRET_KEY) for user_id in ids]
        *self._agents, self._reviewer = everybody

    @property
    def asked_again(self) -> int:
        """How often somebody got no answer and sent the same again."""
        return sum(person.asked_again for person in [*self._agents, self._reviewer])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let everybody work until the block ends, and finish what they are doing."""
        senders = [
            threading.Thread(target=self._send, args=pair)
            for pair in zip(self._agents, self._drafts, strict=True)
        ]
        reviewer = threading.Thread(target=self._decide)
        for thread in [*senders, reviewer]:
            thread.start()
        yield
        self._ended.set()
        for thread in senders:
            thread.join()
        self._to_decide.put(None)
        reviewer.join()

    def _send(self, agent: Person, drafts: list[int]) -> None:
        for request_id in drafts:
            if self._ended.is_set():
                return
            try:
                form = agent.open(f"/my/requests/{request_id}/form")
                _address, page = agent.send(form, "form#request-form", {}, "submit=send")
            except NotDone as refusal:
                self.refusals.append(str(refusal))
                agent.sign_in()
                continue
            number = page.select_one("h1 bdi, main bdi")
            self.sent.append((request_id, number.get_text(strip=True) if number else ""))
            self._to_decide.put(request_id)

    def _decide(self) -> None:
        while (request_id := self._to_decide.get()) is not None:
            try:
                step = self._reviewer.open(f"/office/requests/{request_id}/do/preapprove")
                self._reviewer.send(step, "form#step", {})
                self.decided.append(request_id)
            except NotDone as refusal:
                self.refusals.append(str(refusal))
                self._reviewer.sign_in()


def report(app: Flask, crew: Crew, mail: SmtpGateway) -> int:
    """Print what became of what was answered; 1 when anything of it is lost or doubled."""
    with app.app_context():
        rows = {row.id: row for row in db.session.scalars(sa.select(Request))}
        lost = [one for one in crew.sent if rows[one[0]].number is None]
        lost += [(one, "decided") for one in crew.decided if rows[one].status != Status.PREAPPROVED]
        numbers = sorted(int(row.number.split("/")[1]) for row in rows.values() if row.number)
        gaps = numbers != list(range(1, len(numbers) + 1))
        steps = sa.select(Event.request_id, Event.to_status).where(Event.to_status.is_not(None))
        taken = Counter(map(tuple, db.session.execute(steps)))
        doubled = [step for step, times in taken.items() if times > 1]
        states = sa.select(Delivery.status, sa.func.count()).group_by(Delivery.status)
        deliveries = dict(map(tuple, db.session.execute(states)))
        faults = chain.verify(db.session()).faults
    again = len(mail.messages) - len({message["Message-ID"] for message in mail.messages})
    print(f"answered: {len(crew.sent)} sent, {len(crew.decided)} decided; lost: {lost or 0}")
    print(f"asked again: {crew.asked_again}; refused: {crew.refusals[:3] or 0}")
    print(f"steps taken twice: {doubled or 0}; numbers are gapless: {not gaps}")
    print(f"trail: {faults or 'whole'}; mails: {len(mail.messages)}, {again} of them again")
    print(f"deliveries: {deliveries}")
    return 1 if lost or doubled or gaps or faults else 0


if __name__ == "__main__":
    sys.exit(main())
