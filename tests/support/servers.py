"""The portal behind its real servers on loopback, started as an operator does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearance.core import schema
from clearance.core.settings import ROOT
from tests.support.gateways import free_port

SECRET_KEY = "only-for-these-servers-" + "k" * 32
PATIENCE_SECONDS = 60
KINDS = ("waitress", "gunicorn")


@contextmanager
def served(kind: str, database_url: str, folder: Path, **environment: str) -> Iterator[str]:
    """Serve the database in production mode by one of KINDS; yields the address.

    folder: for files and what the server says (`said.txt`). environment: further settings.
    """
    port = free_port()
    commands = {
        "waitress": [sys.executable, "app.py"],
        "gunicorn": [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"],
    }
    settings = settings_for(database_url, folder, port) | environment
    schema.upgrade(database_url)
    with _started(commands[kind], ROOT, settings, folder):
        yield settings["BASE_URL"]


@contextmanager
def reloadable(
    database_url: str, folder: Path, release: Path, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the release that the link `release` leads to, as the unit in `deploy/` does.

    The schema is made by that release. Yields the address and the process that takes SIGHUP.
    """
    port = free_port()
    settings = settings_for(database_url, folder, port) | environment
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"],
        cwd=release,
        env=settings,
        check=True,
        capture_output=True,
    )
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", str(release / "gunicorn.conf.py")),
        *("--chdir", str(release), "--bind", f"127.0.0.1:{port}"),
    ]
    with _started(command, release, settings, folder) as process:
        yield settings["BASE_URL"], process


def settings_for(database_url: str, folder: Path, port: int) -> dict[str, str]:
    """The environment of the portal's processes on this database, with `folder` for its files."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "STORAGE_URL": f"file://{folder / 'files'}",
        "METRICS_FOLDER": str(folder / "metrics"),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
    }


@contextmanager
def _started(
    command: list[str], code: Path, settings: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            command, cwd=code, env=settings, stdout=said, stderr=said, start_new_session=True
        )
        try:
            _wait_until_ready(process, f"{settings['BASE_URL']}/readyz")
            yield process
        finally:
            # A killed parent would leave gunicorn's workers; the group is of our own making.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")
