"""An upgrade without downtime: the release before serves on the new schema until a reload."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from clearance.core import schema
from clearance.core.settings import ROOT
from clearance.web.gunicorn_worker import SUCCESSOR_SECONDS
from tests.support import releases, servers
from tests.support.visitors import Visitors


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
        # The models, too: no worker keeps anything of the release that the first process began
        # with, once those of before have stopped.
        deadline = time.monotonic() + 2 * SUCCESSOR_SECONDS
        while not all("anew" in page(address, "/register") for _ in range(5)):
            assert time.monotonic() < deadline
            time.sleep(1.5)
