"""The office's list of requests beside a bare page, stock Flask-Admin and Django's admin.

    python -m benchmarks.peers 100000                       # SQLite in a temporary folder
    python -m benchmarks.peers 100000 --kind postgresql
    python -m benchmarks.peers 0 --database sqlite:////tmp/filled.sqlite

Each contender answers in a process of its own, over the same database. Rounds are shuffled, so that
other load slows all alike. Prints the processor's ms a call, median and quartiles, then requests a
second of gunicorn with two workers, asked by `wrk` (apt-get install wrk) on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from benchmarks import worlds
from clearance.auth import rate_limits
from clearance.core.extensions import db
from clearance.models import Request
from clearance.models.enums import Status
from tests.support import servers
from tests.support.gateways import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VENV = HERE / ".venv"
KINDS = ("first page", "middle page", "filtered", "number", "folded name")
CONTENDERS = {  # name in the tables → (module, its list)
    "floor": ("floor", "/"),
    "floor, compiled": ("floor", "/compiled"),
    "portal": ("portal", "/office/requests/"),
    "Flask-Admin": ("stock", "/admin/requests/"),
    "Django admin": ("django_admin", "/admin/peers/request/"),
}
SIGNED_IN = ("portal", "Django admin")
PAGE = 25
STATUS = "passed"
NAME = "محمد"
WARMING = 3
WRK_SECONDS, WRK_PASSES, WRK_CONNECTIONS = 6, 3, 8


@dataclass
class Sample:
    """What is asked for: ids and numbers of the world's rows; `number` is of the middle page."""

    after: int
    page: int
    numbers: dict[str, str]


def main() -> None:
    """Fill or take a database, measure all contenders on it, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requests", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS, default="sqlite")
    parser.add_argument("--database", help="measure this one, filled already where 0 is asked for")
    parser.add_argument("--rounds", type=int, default=31)
    args = parser.parse_args()
    _make_environment()
    with ExitStack() as stack:
        files = stack.enter_context(tempfile.TemporaryDirectory())
        url = args.database or stack.enter_context(worlds.made(args.kind))
        app = worlds.application(url, files)
        with app.app_context():
            if args.requests:
                worlds.fill(args.requests)
            sample = _sample()
            total = db.session.scalar(sa.select(sa.func.count()).select_from(Request))
            db.session.remove()
            db.engine.dispose()
        environment = _environment(url, files)
        print(f"{url.partition(':')[0]}, {total:,} requests, {args.rounds} rounds\n")
        cookies = _measure(environment, sample, args.rounds)
        _serve(environment, cookies, sample.numbers[KINDS[0]])


def _make_environment() -> None:
    """Install the peers' requirements into an environment of their own, once for each pinning."""
    wanted, done = (HERE / "requirements.txt").read_bytes(), VENV / "requirements.txt"
    if done.exists() and done.read_bytes() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [VENV / "bin/python", "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"]
    subprocess.run(pip, check=True)
    done.write_bytes(wanted)


def _environment(url: str, files: str) -> dict[str, str]:
    return os.environ | {
        "PEERS_DATABASE": url,
        "PEERS_DJANGO": f"{files}/django.sqlite",
        "STORAGE_URL": f"file://{files}",
        "SECRET_KEY": servers.SECRET_KEY,
        **{f"LIMIT_{name.upper()}": "1000000 per 1 minute" for name in rate_limits.POLICIES},
    }


def _sample() -> Sample:
    """Choose the rows that are asked for, newest first, as all contenders list them."""
    sent = sa.select(Request.id, Request.number).where(Request.status != Status.DRAFT)
    listed = sent.order_by(Request.sent_at.desc(), Request.id.desc())
    count = db.session.scalar(sa.select(sa.func.count()).select_from(sent.subquery())) or 0
    page = count // 2 // PAGE
    last, following = db.session.execute(listed.offset(page * PAGE - 1).limit(2)).all()
    filtered = listed.where(Request.status == STATUS)
    return Sample(
        after=last.id,
        page=page,
        numbers={
            "first page": db.session.execute(listed.limit(1)).one().number,
            "middle page": following.number,
            "filtered": db.session.execute(filtered.limit(1)).one().number,
            "number": following.number,
        },
    )


def _queries(sample: Sample) -> dict[str, dict[str, str]]:
    """Return what each contender is asked: module → kind of page → query."""
    number, name = quote(sample.numbers["number"]), quote(NAME)
    asked = {
        "floor": (f"?after={sample.after}", f"?status={STATUS}", f"?number={number}", "?name="),
        "portal": (f"?after={sample.after}", f"?flt0_status={STATUS}", f"?search={number}"),
        "stock": (f"?page={sample.page}", f"?flt0_0={STATUS}", f"?search={number}"),
        "django_admin": (f"?p={sample.page + 1}", f"?status={STATUS}", f"?q={number}", "?q="),
    }
    found = {}
    for module, (middle, filtered, numbered, *named) in asked.items():
        by_name = f"{named[0] if named else '?search='}{name}"
        found[module] = dict(zip(KINDS, ("", middle, filtered, numbered, by_name), strict=True))
    return found


# Processor time


class Worker:
    """A contender's process."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [_python(module), "-m", "benchmarks.peers.worker", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **asked: Any) -> Any:
        """Send one question and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _python(module: str) -> str:
    return sys.executable if module == "portal" else str(VENV / "bin/python")


def _measure(environment: Mapping[str, str], sample: Sample, rounds: int) -> dict[str, str]:
    """Print the table of processor time; return the cookies of those who sign in."""
    queries = _queries(sample)
    workers = {name: Worker(module, environment) for name, (module, _list) in CONTENDERS.items()}
    cookies = {name: workers[name].ask(sign_in=True) for name in SIGNED_IN}
    taken: dict[tuple[str, str], list[float]] = {}
    sizes: dict[tuple[str, str], int] = {}
    asked = [(kind, name) for kind in KINDS for name in CONTENDERS]
    for turn in range(-WARMING, rounds):
        for kind, name in random.sample(asked, len(asked)):
            module, page = CONTENDERS[name]
            path = page + queries[module][kind]
            given = workers[name].ask(path=path, cookie=cookies.get(name, ""))
            _check(name, kind, given, sample)
            sizes[kind, name] = given["bytes"]
            if turn >= 0:
                taken.setdefault((kind, name), []).append(given["ms"])
    for worker in workers.values():
        worker.close()
    _print_times(taken)
    _print_sizes(sizes)
    return cookies


def _check(name: str, kind: str, given: Mapping[str, Any], sample: Sample) -> None:
    assert given["status"] == 200, f"{name}, {kind}: {given['status']}"
    number = sample.numbers.get(kind, "/")
    assert number in given["text"], f"{name}, {kind}: {number} is not on the page"


def _print_times(taken: Mapping[tuple[str, str], list[float]]) -> None:
    print(f"| processor ms a call | {' | '.join(CONTENDERS)} | portal ÷ floor |")
    print(f"|---|{'---:|' * (len(CONTENDERS) + 1)}")
    for kind in KINDS:
        cells = []
        for name in CONTENDERS:
            low, middle, high = statistics.quantiles(taken[kind, name], n=4)
            cells.append(f"{middle:.1f} ({low:.1f}–{high:.1f})")
        floor, portal = (statistics.median(taken[kind, name]) for name in ("floor", "portal"))
        print(f"| {kind} | {' | '.join(cells)} | {portal / floor:.1f} |", flush=True)


def _print_sizes(sizes: Mapping[tuple[str, str], int]) -> None:
    cells = [f"{sizes[KINDS[0], name] / 1000:.0f}" for name in CONTENDERS]
    print(f"| kB of HTML, first page | {' | '.join(cells)} | |\n", flush=True)


# Requests a second


def _serve(environment: Mapping[str, str], cookies: Mapping[str, str], number: str) -> None:
    """Print the requests a second of the first page, by gunicorn with two workers.

    number: a request's number that is on that page.
    """
    if shutil.which("wrk") is None:
        print("wrk is not installed (apt-get install wrk), so requests a second are not measured")
        return
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _pass in range(WRK_PASSES):
        for name in random.sample(list(CONTENDERS), len(CONTENDERS)):
            (module, page), cookie = CONTENDERS[name], cookies.get(name, "")
            with _served(module, environment) as base:
                assert number in _get(base + page, cookie), f"{name} is not signed in"
                _wrk(base + page, cookie, WARMING)  # until all is loaded
                rates[name].append(_wrk(base + page, cookie, WRK_SECONDS))
    print(f"| gunicorn, 2 workers | {' | '.join(CONTENDERS)} |\n|---|{'---:|' * len(CONTENDERS)}")
    cells = [f"{statistics.median(rates[name]):.0f}" for name in CONTENDERS]
    print(f"| first pages a second | {' | '.join(cells)} |")


def _served(module: str, environment: Mapping[str, str]) -> AbstractContextManager[str]:
    if module != "portal":
        return _gunicorn(module, environment)
    limits = {name: value for name, value in environment.items() if name.startswith("LIMIT_")}
    folder = Path(environment["STORAGE_URL"].removeprefix("file://"))
    return servers.served("gunicorn", environment["PEERS_DATABASE"], folder, **limits)


@contextmanager
def _gunicorn(module: str, environment: Mapping[str, str]) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    command = [_python(module), "-m", "gunicorn", "-w", "2", "-b", address, "-c", os.devnull]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [*command, f"benchmarks.peers.{module}:application"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        ) as server,
    ):
        try:
            _wait_for(address)
            yield f"http://{address}"
        finally:
            server.terminate()


def _wait_for(address: str) -> None:
    host, _colon, port = address.partition(":")
    for _try in range(300):
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("gunicorn did not start")


def _get(url: str, cookie: str) -> str:
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Cookie": cookie}), timeout=60
    ) as answer:
        return str(answer.read().decode())


def _wrk(url: str, cookie: str, seconds: int) -> float:
    command = ["wrk", "-t", "1", "-c", str(WRK_CONNECTIONS), "-d", f"{seconds}s"]
    told = subprocess.run(
        [*command, "-H", f"Cookie: {cookie}", url], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in told, told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found is not None, told
    return float(found[1])


if __name__ == "__main__":
    main()
