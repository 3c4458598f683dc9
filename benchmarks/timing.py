"""Whether response times reveal which addresses have an account.

    python -m benchmarks.timing 200                  # SQLite and PostgreSQL, in new folders
    python -m benchmarks.timing 200 --kind sqlite

A real `python app.py` with a mail server on loopback; known and unknown addresses are tried that
often, shuffled. Every line compares one kind of address with an unknown one: medians in ms, their
distance, and the AUC: how often a guess by time alone is right (0.5 is no better than a coin).
Rate limits are raised for the run, but still counted.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import requests
import sqlalchemy as sa
from flask import Flask

from app import create_app
from benchmarks import worlds
from clearance.auth import rate_limits
from clearance.auth.registrants import hash_of_sign_up
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import Captcha
from clearance.services import versions
from tests.support import factories, servers
from tests.support.gateways import SmtpGateway, free_port

UNKNOWN = "unknown"
WARMING = 5
PAUSE_SECONDS = 0.05  # so that a try's mail is sent before the next try
Times = dict[str, list[float]]


class Browser:
    """A visitor of the portal at `base` with cookies; `app` is for reading captcha texts."""

    def __init__(self, base: str, app: Flask) -> None:
        self.base, self.app = base, app
        self.http = requests.Session()

    def post(self, path: str, **values: str) -> float:
        """Open the form at `path` and send it. Returns the response time in seconds."""
        page = self.http.get(self.base + path, timeout=30).text
        values["csrf_token"] = _value(page, "csrf_token")
        if 'name="captcha_ref"' in page:
            values["captcha_ref"] = _value(page, "captcha_ref")
            values["captcha"] = self._image_text(values["captcha_ref"])
        time.sleep(PAUSE_SECONDS)
        began = time.perf_counter()
        answer = self.http.post(self.base + path, data=values, allow_redirects=False, timeout=30)
        taken = time.perf_counter() - began
        assert answer.status_code in {200, 303}, answer.status_code
        return taken

    def _image_text(self, ref: str) -> str:
        with self.app.app_context(), own_transaction(write=False) as connection:
            text = connection.scalar(sa.select(Captcha.image_text).where(Captcha.ref == ref))
        return str(text)


def main() -> None:
    """Measure on the chosen databases; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("times", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS)
    args = parser.parse_args()
    print("| database | what | address | median | unknown | apart | AUC |")
    print("|---|---|---|---:|---:|---:|---:|")
    for kind in [args.kind] if args.kind else worlds.KINDS:
        with worlds.made(kind) as url, _portal(url) as (base, app):
            people = _people(app)
            browser = Browser(base, app)
            _show(kind, "sign-in", _measured(args.times, people, _sign_in(browser)))
            _show(kind, "reset", _measured(args.times, people, _reset(browser)))
            _show(kind, "registration", _measured(args.times, people, _register(browser)))
            with app.app_context():
                db.engine.dispose()


@contextmanager
def _portal(url: str) -> Iterator[tuple[str, Flask]]:
    """Serve the portal on the database at `url`; yield its URL, and an application next to it."""
    schema.upgrade(url)
    port = free_port()
    with tempfile.TemporaryDirectory() as files, SmtpGateway() as mail:
        app = create_app(
            testing=True,
            database_url=url,
            storage_url=f"file://{files}",
            secret_key=servers.SECRET_KEY,
        )
        environment = os.environ | {
            "SECRET_KEY": servers.SECRET_KEY,
            "DATABASE_URL": url,
            "STORAGE_URL": f"file://{files}",
            "PORT": str(port),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail.port),
            **{f"LIMIT_{name.upper()}": "1000000 per 1 day" for name in rate_limits.POLICIES},
        }
        with (
            tempfile.TemporaryFile() as log,
            subprocess.Popen(
                [sys.executable, "app.py"], env=environment, stdout=log, stderr=log
            ) as server,
        ):
            try:
                yield _ready(f"http://127.0.0.1:{port}", server), app
            finally:
                server.terminate()


def _ready(base: str, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{base}/readyz", timeout=5).ok:
                return base
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError("the portal did not start")


def _people(app: Flask) -> dict[str, str]:
    """Return one e-mail address of every kind, by kind."""
    people = {UNKNOWN: "nobody@example.com", "three sign-ups": "three@example.com"}
    with app.app_context():
        versions.publish_missing(utc_now())
        people["user"] = factories.make_agent().email
        stored = hash_of_sign_up(people["three sign-ups"], factories.PASSWORD)
        for _ in range(3):
            factories.make_registration(email=people["three sign-ups"], password_hash=stored)
        db.session.remove()
    return people


def _measured(times: int, people: dict[str, str], try_one: Callable[[str], float]) -> Times:
    """Return the times by kind; rounds are shuffled, so that other load slows all kinds alike."""
    for kind in list(people) * WARMING:
        try_one(people[kind])
    taken: Times = {kind: [] for kind in people}
    for _ in range(times):
        for kind in random.sample(list(people), len(people)):
            taken[kind].append(try_one(people[kind]))
    return taken


def _sign_in(browser: Browser) -> Callable[[str], float]:
    return lambda email: browser.post("/login", email=email, password="Wrong-1-Word!")


def _reset(browser: Browser) -> Callable[[str], float]:
    return lambda email: browser.post("/reset", email=email)


def _register(browser: Browser) -> Callable[[str], float]:
    def register(email: str) -> float:
        values = {
            "legal_entity": "clearing_agent",
            "first_name": "فهد",
            "last_name": "المطيري",
            "latin_name": "Fahad Almutairi",
            "gender": "male",
            "civil_id": factories.civil_id(),
            "mobile": factories.mobile().removeprefix("+965"),
            "email": email,
            "password": factories.PASSWORD,
            "password_confirm": factories.PASSWORD,
            "accept_terms": "y",
        }
        return browser.post("/register", **values)

    return register


def _show(kind: str, what: str, taken: Times) -> None:
    unknown = taken[UNKNOWN]
    for name, times in taken.items():
        if name != UNKNOWN:
            one, other = statistics.median(times), statistics.median(unknown)
            figures = f"{1000 * one:.1f} | {1000 * other:.1f} | {abs(one / other - 1):.1%}"
            print(
                f"| {kind} | {what} | {name} | {figures} | {_auc(times, unknown):.2f} |", flush=True
            )


def _auc(times: Sequence[float], others: Sequence[float]) -> float:
    """Return how often a time of one is longer, or shorter, than one of the other: 0.5 to 1."""
    longer = sum((a > b) + (a == b) / 2 for a in times for b in others)
    share = longer / (len(times) * len(others))
    return max(share, 1 - share)


def _value(page: str, name: str) -> str:
    found = re.search(f'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, f"no {name} on the page"
    return found[1]


if __name__ == "__main__":
    main()
