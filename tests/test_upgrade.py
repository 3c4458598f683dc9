"""An upgrade without downtime: the release before serves on the new schema until a reload."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask, Response

from clearance.core import schema
from clearance.core.settings import ROOT
from clearance.web.gunicorn_worker import SUCCESSOR_SECONDS
from tests.support import postgres_server, releases, servers
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


def test_a_worker_reads_one_release_though_the_link_moves_while_it_starts(
    database: Any, tmp_path: Path
) -> None:
    current, release, other = tmp_path / "portal", tmp_path / "release", tmp_path / "other"
    app = releases.present(release) / "app.py"
    move = f"""
import sys
if "gunicorn.arbiter" in sys.modules:
    os.symlink({str(other)!r}, {str(other / "link")!r})
    os.replace({str(other / "link")!r}, {str(current)!r})
"""
    code = app.read_text(encoding="utf-8")
    app.write_text(code.replace("import os\n", f"import os\n{move}", 1), encoding="utf-8")
    other.mkdir()
    releases.link(current, release)
    with servers.reloadable(database.url, tmp_path, current, WEB_CONCURRENCY="1") as (address, _):
        assert releases.NEXT in page(address, "/")
    assert current.resolve() == other


@pytest.fixture
def on_postgresql(make_app: Callable[..., Flask], _databases: Callable[[str], Any]) -> Flask:
    made = _databases("postgresql")
    made.restore()
    app = make_app(database_url=made.url)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def test_an_upgrade_in_which_postgresql_restarts_is_undone_and_the_next_one_completes(
    on_postgresql: Flask,
) -> None:
    browser, run = on_postgresql.test_client(), on_postgresql.test_cli_runner().invoke
    url, before = on_postgresql.config["SQLALCHEMY_DATABASE_URI"], schema.known()[1]
    schema.downgrade(url, before)
    server = postgres_server.Server(url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("LOCK TABLE alembic_version IN SHARE MODE")  # read after the first change
        upgrade = pool.submit(run, args=["db", "upgrade"])
        while not other.execute("SELECT true FROM pg_locks WHERE NOT granted").fetchone():
            assert not upgrade.done()
            time.sleep(0.01)
        server.stop("fast")
        assert browser.get("/").status_code == 503
        server.start()
    outcome = upgrade.result()
    assert outcome.exit_code == 1 and "Nothing is half done" in outcome.output
    with engine.connect() as connection:
        assert schema.current(connection) == (before,)
    assert run(args=["db", "upgrade"]).exit_code == 0
    with engine.connect() as connection:
        assert schema.differences(connection) == []
    assert browser.get("/").status_code == 200


def test_a_page_that_is_made_when_the_server_stops_is_answered(on_postgresql: Flask) -> None:
    server = postgres_server.Server(on_postgresql.config["SQLALCHEMY_DATABASE_URI"])

    def restart(response: Response) -> Response:
        server.restart("fast")
        return response

    on_postgresql.after_request(restart)
    assert [on_postgresql.test_client().get(path).status_code for path in ("/", "/login")] == [
        200,
        200,
    ]
