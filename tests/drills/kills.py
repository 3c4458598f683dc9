"""The drill of kill -9: web and background work die at seeded points; nothing answered is lost.

    python -m tests.drills.kills --kind postgresql --kills 100 --seed 1
    python -m tests.drills.kills --jumps        # needs a C compiler

Agents send requests, some with a file, and reviewers decide them over HTTP, all through two
gunicorn workers, while one after the other the whole web, one of its workers or the background work
dies without warning and is started again: after a seeded number of answers and a moment more, so
that a slow machine works as much between two kills as a quick one. Agents wait while BACKLOG
requests are undecided, so that little is left to do after the last kill. Whoever gets no answer
sends the same again. With --jumps the portal's clock is an hour ahead or behind, or right again,
after each kill; sessions may end by that, and people sign in anew. At the end everything that was
answered must be in the database, once, with its event, its number, its file and its messages;
numbers have no gaps, the trail is unbroken. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from queue import Queue
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance.core import chain, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.files import storage
from clearance.models import Delivery, Document, Event, Request
from clearance.models.enums import Status
from tests.drills import people
from tests.drills.people import NotDone, Person
from tests.support import factories, files, request_factories
from tests.support.gateways import SmsGateway, SmtpGateway, free_port

SECRET_KEY = "only-for-drills-" + "k" * 32
AGENTS, REVIEWERS = 4, 2
BACKLOG = 20  # sent requests that wait for the reviewers
FILE_OF = 5  # sent requests one has a file: judging files takes the most time
MOST_ANSWERS, MOST_SECONDS = 12, 60  # from one kill to the next
NUMBER = re.compile(r"\bCE/[0-9]+/[0-9]{2}\b")
TRIES = 3
JUMPS = (0, 3600, -3600)  # seconds

Did = TypeVar("Did")


class Sent(NamedTuple):
    """A request whose sending was answered; number: on the page, file: sent with it or empty."""

    request_id: int
    number: str
    file: bytes


class Processes:
    """Web and background work of one portal, which die and come again."""

    def __init__(self, settings: dict[str, str], log: Path) -> None:
        self._settings, self._log = settings, log
        place = settings["BASE_URL"].removeprefix("http://")
        self._commands = {
            "web": ["-m", "gunicorn", "--bind", place],
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
        self._seconds = seconds

    def now(self) -> datetime:
        """Return what the clock says."""
        return utc_now() + timedelta(seconds=self._seconds)


def settings_of(folder: Path, url: str, mail: SmtpGateway, sms: SmsGateway) -> dict[str, str]:
    """Return the environment of a portal with that database and these gateways."""
    return {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": url,
        "STORAGE_URL": f"file://{folder / 'files'}",
        "BASE_URL": f"http://127.0.0.1:{free_port()}",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(mail.port),
        "SMS_URL": f"json://127.0.0.1:{sms.port}/?:to={{mobile}}",
        "WEB_CONCURRENCY": "2",
    }


def portal(settings: dict[str, str]) -> Flask:
    """Return an application beside the processes, to look into what they did."""
    return create_app(
        testing=True,
        database_url=settings["DATABASE_URL"],
        base_url=settings["BASE_URL"],
        secret_key=SECRET_KEY,
        storage_url=settings["STORAGE_URL"],
    )


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
        settings = settings_of(folder, url, mail, sms)
        clock = WallClock(folder) if args.jumps else None
        if clock:
            settings |= clock.settings
        schema.upgrade(url)
        app = portal(settings)
        processes = Processes(settings, folder / "log")
        stack.callback(processes.stop)
        now = clock.now if clock else utc_now
        crew = Crew(app, per_agent=args.kills * 2, now=now)
        for name in ("web", "jobs"):
            processes.start(name)
        chance, kills = random.Random(args.seed), Counter[str]()
        with crew.at_work():
            for _ in range(args.kills):
                crew.work_on(chance.randint(0, MOST_ANSWERS))
                time.sleep(chance.uniform(0, 0.5))
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

    def __init__(self, app: Flask, *, per_agent: int, now: Callable[[], datetime]) -> None:
        self.sent: list[Sent] = []
        self.decided: list[int] = []
        self.refusals = Counter[str]()
        self._ended, self._to_decide = threading.Event(), Queue[int | None](BACKLOG)
        with app.app_context():
            request_factories.load_services()
            agents = [factories.make_agent() for _ in range(AGENTS)]
            self._drafts = [
                [request_factories.make_draft(agent).id for _ in range(per_agent)]
                for agent in agents
            ]
            reviewers = [factories.make_staff() for _ in range(REVIEWERS)]
            ids = [user.id for user in (*agents, *reviewers)]
            db.session.remove()
            db.engine.dispose()
        base = app.extensions["settings"].base_url
        everybody = [people.signed_in(app, base, user_id, SECRET_KEY, now) for user_id in ids]
        self._agents, self._reviewers = everybody[:AGENTS], everybody[AGENTS:]

    @property
    def asked_again(self) -> int:
        """How often somebody got no answer and sent the same again."""
        return sum(person.asked_again for person in [*self._agents, *self._reviewers])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let everybody work until the block ends, and finish what they are doing."""
        senders = [
            threading.Thread(target=self._send, args=pair)
            for pair in zip(self._agents, self._drafts, strict=True)
        ]
        deciders = [threading.Thread(target=self._decide, args=(one,)) for one in self._reviewers]
        for thread in [*senders, *deciders]:
            thread.start()
        yield
        self._ended.set()
        for thread in senders:
            thread.join()
        for _ in deciders:
            self._to_decide.put(None)
        for thread in deciders:
            thread.join()

    def work_on(self, answers: int) -> None:
        """Wait for so many more answers, MOST_SECONDS at most."""
        enough = self._answered + answers
        deadline = time.monotonic() + MOST_SECONDS
        while self._answered < enough and time.monotonic() < deadline:
            time.sleep(0.01)

    @property
    def _answered(self) -> int:
        return len(self.sent) + len(self.decided)

    def _send(self, agent: Person, drafts: list[int]) -> None:
        for request_id in drafts:
            if self._ended.is_set():
                return
            if sent := self._patiently(agent, partial(_sent, agent, request_id)):
                self.sent.append(sent)
                self._to_decide.put(request_id)

    def _decide(self, reviewer: Person) -> None:
        while (request_id := self._to_decide.get()) is not None:
            if self._patiently(reviewer, partial(_decided, reviewer, request_id)):
                self.decided.append(request_id)

    def _patiently(self, person: Person, act: Callable[[], Did]) -> Did | None:
        """Act, some times if that is refused: a jump of the clock ends sessions."""
        for _ in range(TRIES):
            try:
                return act()
            except NotDone as refusal:
                self.refusals[str(refusal)] += 1
                person.sign_in()
        return None


def _sent(agent: Person, request_id: int) -> Sent:
    """Send a draft. Raises: NotDone."""
    file = b"" if request_id % FILE_OF else files.pdf(text=f"Request {request_id}")
    chosen = {"files": (io.BytesIO(file), "scan.pdf"), "kind": "other"} if file else {}
    form = agent.open(f"/my/requests/{request_id}/form")
    _address, page = agent.send(form, "form#request-form", chosen, "submit=send")
    number = NUMBER.search(page.get_text())
    if number is None:
        raise NotDone("a sent request has no number")
    return Sent(request_id, number[0], file)


def _decided(reviewer: Person, request_id: int) -> bool:
    """Decide a request. Raises: NotDone."""
    step = reviewer.open(f"/office/requests/{request_id}/do/preapprove")
    reviewer.send(step, "form#step", {})
    return True


def report(app: Flask, crew: Crew, mail: SmtpGateway) -> int:
    """Print what became of what was answered; 1 when anything of it is lost or doubled."""
    with app.app_context():
        rows = {row.id: row for row in db.session.scalars(sa.select(Request))}
        lost: list[object] = [
            one[:2] for one in crew.sent if rows[one.request_id].number != one.number
        ]
        lost += [(one, "decided") for one in crew.decided if rows[one].status != Status.PREAPPROVED]
        with_files = [one for one in crew.sent if one.file]
        lost += [(one.number, "file") for one in with_files if _kept(one) != [one.file]]
        numbers = sorted(int(row.number.split("/")[1]) for row in rows.values() if row.number)
        gaps = numbers != list(range(1, len(numbers) + 1))
        steps = sa.select(Event.request_id, Event.to_status).where(Event.to_status.is_not(None))
        taken = Counter(map(tuple, db.session.execute(steps)))
        doubled = [step for step, times in taken.items() if times > 1]
        states = sa.select(Delivery.status, sa.func.count()).group_by(Delivery.status)
        deliveries = dict(map(tuple, db.session.execute(states)))
        faults = chain.verify(db.session()).faults
    again = len(mail.messages) - len({message["Message-ID"] for message in mail.messages})
    answered = f"{len(crew.sent)} sent ({len(with_files)} with a file), {len(crew.decided)} decided"
    print(f"answered: {answered}; lost: {lost or 0}")
    print(f"asked again: {crew.asked_again}; refused: {dict(crew.refusals.most_common(3))}")
    print(f"steps taken twice: {doubled or 0}; numbers are gapless: {not gaps}")
    print(f"trail: {faults or 'whole'}; mails: {len(mail.messages)}, {again} of them again")
    print(f"deliveries: {deliveries}")
    return 1 if lost or doubled or gaps or faults or not crew.decided else 0


def _kept(sent: Sent) -> list[bytes]:
    """Return the files that came with a request, as they are stored."""
    came = sa.select(Document).where(Document.request_id == sent.request_id)
    rows = db.session.scalars(came.where(Document.kind == "other"))
    return [storage.read(row.storage_key, row.sha256) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
