"""A real Chromium before the real server (`python app.py`), with real mail and SMS gateways."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from clearance.demo.people import PASSWORD
from clearance.settings import ROOT
from tests.browser import people
from tests.browser.visits import Portal, Visit
from tests.gateways import SmsGateway, SmtpGateway, free_port

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WIDTHS = {1280: 900, 390: 844}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without FULL=1 a machine without a browser runs everything else; with it, it fails."""
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker("browser")
    if os.environ.get("FULL") != "1":
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start the portal as people start it, in demo mode, on an empty folder."""
    folder = tmp_path_factory.mktemp("portal")
    port = free_port()
    with SmtpGateway() as mail, SmsGateway() as sms:
        environment = os.environ | {
            "DEMO": "1",
            "PORT": str(port),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite'}",
            "STORAGE_URL": f"file://{folder / 'files'}",
            "CAPTCHA_FIXED": people.CAPTCHA,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail.port),
            "SMS_URL": f"json://127.0.0.1:{sms.port}/?:to={{mobile}}",
            # One machine plays everybody here; the limits by address are tested elsewhere.
            "LIMIT_REGISTRATION_IP": "1000/hour",
            "LIMIT_CODE_SENT_IP": "1000/hour",
            "LIMIT_CAPTCHA_IP": "1000/minute",
        }
        log = folder / "log"
        with log.open("wb") as stream:
            server = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=stream, stderr=stream
            )
        try:
            _wait(f"http://127.0.0.1:{port}/readyz", server, log)
            yield Portal(f"http://127.0.0.1:{port}", mail, sms, folder)
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, portal: Portal) -> Iterator[Callable[..., Visit]]:
    """Open browsers of different people; at the end none of their consoles may hold an error."""
    visits: list[Visit] = []

    def begin(lang: str = "ar", width: int = 1280, **options: Any) -> Visit:
        options.setdefault("viewport", {"width": width, "height": WIDTHS.get(width, 900)})
        context = chromium.new_context(**options)
        context.set_default_timeout(15_000)
        page = context.new_page()
        made = Visit(page, context, portal, lang, width)
        made.speak(lang)
        page.on(
            "console",
            lambda message: (
                made.errors.append(f"{page.url}: {message.text}")
                if message.type == "error"
                else None
            ),
        )
        page.on("pageerror", lambda error: made.errors.append(f"{page.url}: {error}"))
        visits.append(made)
        return made

    yield begin
    for made in visits:
        made.context.close()
    assert [error for made in visits for error in made.errors] == []


@pytest.fixture(scope="session")
def _signed_in() -> dict[str, Any]:
    return {}


@pytest.fixture
def office(visit: Callable[..., Visit], _signed_in: dict[str, Any]) -> Callable[..., Visit]:
    """Open a browser of somebody of the office; each signs in once in a run."""

    def begin(email: str, lang: str = "ar", width: int = 1280) -> Visit:
        if email not in _signed_in:
            first = visit(lang, width)
            people.sign_in_staff(first, email)
            _signed_in[email] = first.context.storage_state()
        made = visit(lang, width, storage_state=_signed_in[email])
        made.speak(lang)
        return made

    return begin


@pytest.fixture
def agent(visit: Callable[..., Visit], _signed_in: dict[str, Any]) -> Callable[..., Visit]:
    """Open a browser of the demo's general user, who signs in once in a run."""

    def begin(lang: str = "ar", width: int = 1280, **options: Any) -> Visit:
        if "agent" not in _signed_in:
            first = visit(lang, width)
            people.sign_in(first, "general@example.com", PASSWORD)
            _signed_in["agent"] = first.context.storage_state()
        made = visit(lang, width, storage_state=_signed_in["agent"], **options)
        made.speak(lang)
        return made

    return begin


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())
