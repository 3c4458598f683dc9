"""The tests' own PostgreSQL server, stopped and started again as by an operator or a crash."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa

STOPS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}  # as pg_ctl's modes
PATIENCE_SECONDS = 60


class Server:
    """The server that answers at `url`; it must be this machine's and started by these tests."""

    def __init__(self, url: str) -> None:
        address = sa.make_url(url).set(drivername="postgresql", database="postgres")
        self._address = address.render_as_string(hide_password=False)
        with psycopg.connect(self._address) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        self._folder = Path(folder)
        self._command = shlex.split((self._folder / "postmaster.opts").read_text())

    def stop(self, how: str) -> None:
        """Stop it in one of the ways of STOPS, and wait until it has stopped."""
        process = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(process, STOPS[how])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._is_running(process):
            assert time.monotonic() < deadline, "the server does not stop"
            time.sleep(0.01)

    def start(self) -> None:
        """Start it as it was started before, and wait until it answers."""
        with (self._folder / "log").open("ab") as said:
            subprocess.Popen(
                self._command,
                user=self._folder.stat().st_uid,
                group=self._folder.stat().st_gid,
                cwd="/",
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.02)

    def restart(self, how: str) -> None:
        """Stop it and start it again."""
        self.stop(how)
        self.start()

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self._address):
            return True
        return False

    @staticmethod
    def _is_running(process: int) -> bool:
        with suppress(ChildProcessError):  # a server that this process started is its child
            os.waitpid(process, os.WNOHANG)
        return Path(f"/proc/{process}").exists()
