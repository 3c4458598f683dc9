"""An upgrade without downtime: the release before serves on the new schema until a reload."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from clearance.core import schema
from clearance.core.settings import ROOT
from tests.support import releases, servers

PAGES = ("/", "/register", "/login", "/check", "/readyz")


class Visitors:
    """Some people who open pages all the time; what came of it is counted."""

    def __init__(self, url: str, number: int = 4) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest = 0.0
        self._url, self._ended = url, threading.Event()
        self._threads = [threading.Thread(target=self._go) for _ in range(number)]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def open_more(self, number: int) -> None:
        """Wait until they have opened so many more pages."""
        enough = self.outcomes.total() + number
        while self.outcomes.total() < enough:
            time.sleep(0.1)

    def _go(self) -> None:
        while not self._ended.is_set():
            for page in PAGES:
                began = time.monotonic()
                self.outcomes[self._open(page)] += 1
                self.longest = max(self.longest, time.monotonic() - began)

    def _open(self, page: str) -> str:
        try:
            with urlopen(self._url + page, timeout=60) as answer:
                answer.read()
                return str(answer.status)
        except HTTPError as refused:
            return f"{refused.code} of {page}"
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__} of {page}"


def page(url: str, path: str) -> str:
    with urlopen(url + path, timeout=60) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = releases.earlier(tmp_path_factory.mktemp("earlier"))
    if folder is None:
        pytest.skip("the history of this copy of the code is not at hand")
    return folder


@pytest.mark.databases
@pytest.mark.timeout(300)
def test_the_release_before_serves_on_the_new_schema(
    database: Any, earlier: Path, tmp_path: Path
) -> None:
    url = database.empty()
    with (
        servers.reloadable(url, tmp_path, earlier) as (address, _process),
        Visitors(address) as visitors,
    ):
        visitors.open_more(40)
        schema.upgrade(url)
        visitors.open_more(40)
    assert set(visitors.outcomes) == {"200"}


@pytest.mark.timeout(300)
def test_a_reload_takes_up_the_release_that_the_link_leads_to_and_fails_no_request(
    database: Any, tmp_path: Path
) -> None:
    current, new = tmp_path / "portal", releases.present(tmp_path / "next")
    releases.link(current, ROOT)
    with servers.reloadable(database.url, tmp_path, current) as (address, process):
        with Visitors(address) as visitors:
            visitors.open_more(40)
            releases.link(current, new)
            os.kill(process.pid, signal.SIGHUP)
            while releases.NEXT not in page(address, "/"):
                time.sleep(0.2)
            visitors.open_more(40)
        assert set(visitors.outcomes) == {"200"}
        # The models, too: a worker has nothing of the release that the first process began with.
        assert "anew" in page(address, "/register")
