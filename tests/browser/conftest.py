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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect, sync_playwright

from clearance.core.settings import ROOT
from tests.browser import people
from tests.browser.looks import HEIGHTS
from tests.browser.visits import SECRET, Portal, Visit
from tests.support.gateways import SmsGateway, SmtpGateway, free_port

# Generous: on a machine with other work everything takes several times as long.
START_SECONDS, TEST_SECONDS = 300, 300
expect.set_options(timeout=15_000)
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--renderer-process-limit=1",  # a process for each window costs more than its pages
    # Two pages of its own that Chromium would load in every window: half of what a window costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without FULL=1 a machine without a browser runs everything else; with it, it fails.

    They come first: each takes long, and one that begins last would keep the other workers waiting.
    """
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker("browser")
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
    others = [item for item in items if here not in item.path.parents]
    if os.environ.get("FULL") != "1":
        config.hook.pytest_deselected(items=ours)
        ours = []
    items[:] = [*ours, *others]


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal in demo mode, one for each worker, on a world that only one of them makes."""
    folder = tmp_path_factory.mktemp("portal") / "own"
    with SmtpGateway() as mail, SmsGateway() as sms:
        shutil.copytree(_world(_shared(tmp_path_factory), mail, sms), folder)
        with served(folder, mail, sms) as url:
            yield Portal(url, mail, sms, folder)


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this run see."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _world(shared: Path, mail: SmtpGateway, sms: SmsGateway) -> Path:
    """The folder of a portal that was started once, as people start it, on nothing at all."""
    world, made = shared / "world", shared / "world-made"
    try:
        world.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + START_SECONDS
        while not made.exists():
            assert time.monotonic() < deadline, "nobody made the world"
            time.sleep(0.1)
        return world
    with served(world, mail, sms):
        pass
    made.touch()
    return world


@contextmanager
def served(folder: Path, mail: SmtpGateway, sms: SmsGateway) -> Iterator[str]:
    """Run the portal on `folder`; gives its address once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DEMO": "1",
        "SECRET_KEY": SECRET,
        "PORT": str(port),
        "BASE_URL": url,
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
        _wait(f"{url}/readyz", server, log)
        yield url
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
        options.setdefault("viewport", {"width": width, "height": HEIGHTS.get(width, 900)})
        options.setdefault("reduced_motion", "reduce")  # nobody waits for what slides in
        context = chromium.new_context(**options)
        context.set_default_timeout(15_000)
        page = context.new_page()
        made = Visit(page, context, portal, lang, width)
        made.speak(lang)
        page.on(
            "console",
            lambda message: (
                made.errors.append(f"{page.url}: {message.text}")
                if message.type == "error" and not _is_asked_again(message)
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


@pytest.fixture
def office(visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """Open a browser in which somebody of the office is signed in."""

    def begin(email: str, lang: str = "ar", width: int = 1280, **options: Any) -> Visit:
        made = visit(lang, width, **options)
        made.enter(email)
        return made

    return begin


@pytest.fixture
def agent(office: Callable[..., Visit]) -> Callable[..., Visit]:
    """Open a browser in which the demo's general user is signed in."""

    def begin(lang: str = "ar", width: int = 1280, **options: Any) -> Visit:
        return office("general@example.com", lang, width, **options)

    return begin


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def _is_asked_again(message: ConsoleMessage) -> bool:
    """Whether this is a document's picture that waits for its turn; the page asks again for it."""
    return "503" in message.text and "/pages/" in message.location["url"]
