"""Hostile files against a running portal in demo mode, with one GET of /login per second.

    DEMO=1 CAPTCHA_FIXED=ABDEF2 PORT=5077 … python app.py      # in another shell
    python -m benchmarks.attacks_files http://127.0.0.1:5077 [SECONDS]

Loopback only: it signs in with an account of the demo data.
"""

from __future__ import annotations

import re
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

import requests
from bs4 import BeautifulSoup, Tag

from clearance.demo.people import PASSWORD
from tests.support import odd_files
from tests.support.pages import form_data

CAPTCHA = "ABDEF2"
PAGES = 12
UPLOADERS = 8
TIMEOUT = 120
PAUSE = 1  # seconds between tries of a connection: a flood of cheap requests is another attack


class Browser:
    """A signed-in browser without scripts."""

    def __init__(self, base_url: str, email: str) -> None:
        assert urlsplit(base_url).hostname in {"127.0.0.1", "localhost"}
        self.base_url, self.http, self.token = base_url, requests.Session(), ""
        values = {"email": email, "password": PASSWORD, "captcha": CAPTCHA}
        page = self.send("/login", values)
        assert "/login" not in page.url, page.url

    def send(self, address: str, values: dict[str, Any]) -> requests.Response:
        """Open a page and submit its form with these values."""
        page = self.http.get(self.base_url + address, timeout=TIMEOUT)
        form = BeautifulSoup(page.text, "lxml").select_one("main form[method=post]")
        assert isinstance(form, Tag), page.url
        fields = {name: value for name, value in values.items() if form.find(attrs={"name": name})}
        target = requests.compat.urljoin(page.url, str(form.get("action") or page.url))
        return self.http.post(target, data=form_data(form) | fields, timeout=TIMEOUT)

    def draft(self) -> str:
        """Start a request; return its URL."""
        begun = self.send("/my/services/exam/", {"broker_type": "general"})
        found = re.search(r"/my/requests/\d+", begun.url)
        token = re.search('name="csrf_token" value="([^"]+)"', begun.text)
        assert found is not None
        assert token is not None
        self.token = token[1]
        return self.base_url + found[0]

    def add(self, draft: str, name: str, data: bytes, kind: str = "civil_id_copy") -> Any:
        """Upload a file as the page's script does."""
        return self.http.post(
            f"{draft}/documents",
            data={"csrf_token": self.token, "kind": kind, "label": ""},
            files={"files": (name, data)},
            headers={"Accept": "application/json", "Referer": draft},
            timeout=TIMEOUT,
        )


def hostile_previews(base_url: str, seconds: float = 30, documents: int = 4) -> None:
    """Request the twelve slow pages of accepted PDFs concurrently, repeatedly."""
    browser = Browser(base_url, "general@example.com")
    draft, pages = browser.draft(), []
    refused = browser.add(draft, "rectangles.pdf", odd_files.slow_pages(PAGES))
    print(f"the 124 KB PDF: {refused.status_code} {refused.text[:160]}")
    for number in range(documents):
        data = odd_files.late_slow_pages(PAGES, 60_000 + number)
        answer = browser.add(draft, f"late{number}.pdf", data)
        found = re.search(r"document-(\d+)", answer.text)
        print(f"a PDF with {PAGES} slow pages at its end: {answer.status_code}")
        if found:
            last = odd_files.LATE + PAGES
            first = last - PAGES + 1
            address = f"{draft}/documents/{found[1]}/pages"
            pages.append([f"{address}/{page}" for page in range(first, last + 1)])
    statuses: Counter[int] = Counter()

    def ask(number: int, is_over: Callable[[], bool]) -> None:
        turn = 0
        while not is_over():
            url = pages[turn % len(pages)][number]
            answer = browser.http.get(url, timeout=TIMEOUT)
            statuses[answer.status_code] += 1
            turn += 1
            time.sleep(PAUSE)

    _beside_sign_in(base_url, ask, PAGES, seconds)
    print("answers to the attack:", dict(statuses))


def hostile_uploads(base_url: str, seconds: float = 30) -> None:
    """Upload the costliest files allowed, from as many connections as there are threads."""
    browser = Browser(base_url, "receiver@example.com")
    draft = browser.draft()
    data = odd_files.slow_pages(1, 300_000)
    statuses: Counter[int] = Counter()

    def ask(_number: int, is_over: Callable[[], bool]) -> None:
        while not is_over():
            statuses[browser.add(draft, "slow.pdf", data).status_code] += 1
            time.sleep(PAUSE)

    _beside_sign_in(base_url, ask, UPLOADERS, seconds)
    print("answers to the attack:", dict(statuses))


def sign_in_times(base_url: str, seconds: float) -> list[float]:
    """Open /login once per second; return the response times in seconds."""
    taken: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        start = time.monotonic()
        answer = requests.get(f"{base_url}/login", timeout=TIMEOUT)
        assert answer.status_code == 200, answer.status_code
        taken.append(time.monotonic() - start)
        time.sleep(max(0, 1 - taken[-1]))
    return taken


def _beside_sign_in(
    base_url: str, attack: Callable[[int, Callable[[], bool]], None], threads: int, seconds: float
) -> None:
    """Run the attack on that many threads; measure /login once per second meanwhile."""
    until = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() > until

    attackers = [
        threading.Thread(target=attack, args=(number, is_over)) for number in range(threads)
    ]
    for attacker in attackers:
        attacker.start()
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        taken = apart.submit(sign_in_times, base_url, seconds).result()
    for attacker in attackers:
        attacker.join()
    slow = sorted(taken)[max(0, round(len(taken) * 0.95) - 1)]
    median = statistics.median(taken)
    print(f"/login: median {median:.2f} s, p95 {slow:.2f} s, most {max(taken):.2f} s, {len(taken)}")


def main() -> None:
    """Run both attacks."""
    base_url = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    hostile_previews(base_url, seconds)
    hostile_uploads(base_url, seconds)


if __name__ == "__main__":
    main()
