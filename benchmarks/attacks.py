"""Response times for a visitor during an attack: one GET of /login per second.

    python -m benchmarks.attacks                                   # every attack, both servers
    python -m benchmarks.attacks slow_clients --kind gunicorn --seconds 40

The portal is started as an operator starts it, on loopback, on a scratch database with the demo
data. An attack is a function of ATTACKS that runs until `Target.over` is set, and may raise on
unexpected responses. Prints the median, p95 and worst response in ms, and the failures.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance.core.clock import utc_now
from clearance.demo import mass
from clearance.models import User
from clearance.models.enums import Role
from tests.support import factories, servers
from tests.support.customs_system import PASSWORD, TOKEN, CustomsSystem
from tests.support.pages import PageClient

REQUESTS = 20_000
SLOW_CLIENTS, SLOW_PAUSE = 120, 2.0
HEAD = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\nemail="
FORMS_AT_ONCE = 12
SLOW_READERS = 3
WARMING = 40


@dataclass(frozen=True)
class Target:
    """The portal under attack; `app` is a local application on the same database."""

    url: str
    app: Flask
    over: threading.Event

    @property
    def place(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def signed_in(self, make: Callable[[], User]) -> tuple[str, str]:
        """Return the session cookie of a new user, and a CSRF token for it."""
        with self.app.app_context():
            user = make()
        browser = PageClient(self.app)
        factories.sign_in(browser, user)
        token = browser.csrf_token()
        cookie = browser.http.get_cookie("clearance")
        assert cookie is not None
        return f"clearance={cookie.value}", token


def slow_clients(target: Target) -> None:
    """120 connections sending a byte every two seconds, reopened when closed."""
    host, port = target.place.split(":")
    beginnings = [HEAD, BODY]
    with ExitStack() as stack:
        crowd: list[socket.socket | None] = [None] * SLOW_CLIENTS
        while not target.over.is_set():
            for place, connection in enumerate(crowd):
                try:
                    if connection is None:
                        raise ConnectionError
                    connection.send(b"a")
                except OSError:
                    with suppress(OSError):
                        crowd[place] = stack.enter_context(
                            socket.create_connection((host, int(port)), timeout=1)
                        )
                        crowd[place].sendall(beginnings[place % 2])
            target.over.wait(SLOW_PAUSE)


def silent_customs(target: Target) -> None:
    """Forms that query an unresponsive customs system, a dozen at a time."""
    agents = [target.signed_in(factories.make_agent) for _ in range(FORMS_AT_ONCE)]

    def send(number: int) -> None:
        cookie, token = agents[number]
        while not target.over.is_set():
            form = {
                "csrf_token": token,
                "licence_no": f"KW-{number}",
                "customs_user": f"user{number}",
                "customs_password": PASSWORD,
            }
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            asking = http.client.HTTPConnection(target.place, timeout=30)
            asking.request("POST", "/my/organisations/", urlencode(form), headers)
            status = asking.getresponse().status
            assert status in {429, 503}, status
            target.over.wait(1)

    _together(send, FORMS_AT_ONCE)


def slow_readers(target: Target) -> None:
    """Managers who slowly download the CSV of all requests; it must arrive complete."""
    managers = [
        target.signed_in(partial(factories.make_staff, Role.MANAGER)) for _ in range(SLOW_READERS)
    ]

    def read(number: int) -> None:
        asking = http.client.HTTPConnection(target.place, timeout=60)
        asking.request(
            "GET", "/office/requests/export/csv/", headers={"Cookie": managers[number][0]}
        )
        answer = asking.getresponse()
        assert answer.status == 200, answer.status
        text = io.BytesIO()
        while part := answer.read(64 * 1024):
            text.write(part)
            target.over.wait(0.5)  # without pause once the time is over
        rows = sum(1 for _row in csv.reader(io.StringIO(text.getvalue().decode("utf-8-sig"))))
        assert rows > REQUESTS, rows

    _together(read, SLOW_READERS)


def nothing(target: Target) -> None:
    """No attack, for comparison."""
    target.over.wait()


ATTACKS: dict[str, Callable[[Target], None]] = {
    attack.__name__: attack for attack in (nothing, slow_clients, silent_customs, slow_readers)
}


def main() -> None:
    """Run the chosen attacks; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("attacks", nargs="*", choices=[[], *ATTACKS], default=[])
    parser.add_argument("--kind", choices=servers.KINDS)
    parser.add_argument("--seconds", type=int, default=40)
    args = parser.parse_args()
    with worlds.made("sqlite") as url, tempfile.TemporaryDirectory() as files:
        app = worlds.application(url, files)
        with app.app_context():
            mass.add_requests(REQUESTS, utc_now())
        print("| server | attack | answers | median | p95 | worst | failed |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for kind in [args.kind] if args.kind else servers.KINDS:
            for name in args.attacks or ATTACKS:
                _run(kind, name, url, Path(files), args.seconds)


def _run(kind: str, name: str, database: str, folder: Path, seconds: int) -> None:
    own = create_app(
        testing=True,
        database_url=database,
        storage_url=f"file://{folder / 'files'}",
        secret_key=servers.SECRET_KEY,
        trusted_hosts=("localhost",),
    )
    with CustomsSystem() as customs:
        customs.silent = True
        settings = {
            "CUSTOMS_URL": customs.url,
            "CUSTOMS_TOKEN": TOKEN,
            "LIMIT_CUSTOMS_IP": "100000 per 1 hour",
            "WEB_CONCURRENCY": "5",
        }
        with servers.served(kind, database, folder, **settings) as url:
            target = Target(url, own, threading.Event())
            _visit(target.place, WARMING, pause=0.1)  # a worker's first responses compile templates
            with ThreadPoolExecutor(1) as pool:
                attack = pool.submit(ATTACKS[name], target)
                times, failed = _visit(target.place, seconds)
                target.over.set()
                attack.result()
    p95 = statistics.quantiles(times, n=20)[-1]
    figures = f"{statistics.median(times):.0f} | {p95:.0f} | {max(times):.0f}"
    print(f"| {kind} | {name} | {len(times)} | {figures} | {failed} |", flush=True)


def _visit(place: str, times: int, *, pause: float = 1.0) -> tuple[list[float], int]:
    """GET /login every `pause` seconds; returns the times in ms, and how many failed."""

    def visit(_number: int) -> tuple[float, bool]:
        began = time.perf_counter()
        try:
            asking = http.client.HTTPConnection(place, timeout=30)
            asking.request("GET", "/login")
            answer = asking.getresponse()
            is_good = answer.status == http.HTTPStatus.OK and bool(answer.read())
        except OSError:
            is_good = False
        return (time.perf_counter() - began) * 1000, is_good

    with ThreadPoolExecutor(40) as pool:
        visits = []
        for number in range(times):
            visits.append(pool.submit(visit, number))
            time.sleep(pause)
        outcomes = [future.result() for future in visits]
    return [ms for ms, _good in outcomes], sum(not good for _ms, good in outcomes)


def _together(work: Callable[[int], None], count: int) -> None:
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(work, number) for number in range(count)]:
            future.result()


if __name__ == "__main__":
    main()
