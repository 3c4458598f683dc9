"""A bare Debian with its systemd, in which a page's own code blocks are carried out as root.

It runs in a container of `systemd-nspawn` that shares this machine's network. Needs root, the
packages debootstrap and systemd-container, and the network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from clearance.core.settings import ROOT
from clearance.web.template_globals import VERSION

# A network that looks into TLS has authorities of its own, and variables that name them.
OWN_CAS = Path("/usr/local/share/ca-certificates")
OF_THE_NETWORK = re.compile(r"(PIP|SSL)_CERT|SSL_CERT_FILE|https?_proxy", re.IGNORECASE)
CHAPTER = re.compile(r"^## ", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SYSTEM = "ca-certificates,dbus,systemd-sysv"
START_SECONDS = 60


def blocks(page: Path, chapter: str) -> list[str]:
    """Return the shell code of the chapter whose heading is `chapter`, block by block."""
    for text in CHAPTER.split(page.read_text(encoding="utf-8")):
        if text.startswith(f"{chapter}\n"):
            return BLOCK.findall(text)
    raise LookupError(f"no chapter {chapter} in {page}")


def make(root: Path) -> None:
    """Put a minimal Debian 12 into `root`, unless it is there already."""
    if not (root / "etc/debian_version").exists():
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={SYSTEM}", "bookworm", root],
            check=True,
        )


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """Yield a copy of the Debian in `root`, as bare as it was; it is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=root.parent, ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "debian"
        subprocess.run(["cp", "--archive", root, copy], check=True)
        shutil.copy("/etc/resolv.conf", copy / "etc/resolv.conf")
        shutil.copytree(OWN_CAS, copy / OWN_CAS.relative_to("/"), dirs_exist_ok=True)
        subprocess.run(["chroot", copy, "update-ca-certificates"], check=True, capture_output=True)
        yield copy


def put_release(root: Path) -> None:
    """Put what is committed into this release's folder in `/srv` of the Debian in `root`."""
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(root / f"srv/clearance-{VERSION}", filter="tar")


@contextmanager
def entered(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the Debian in `root` and yield a root's shell in it; it is shut down afterwards."""
    machine = subprocess.Popen(
        [
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
            *("--console=pipe", "--resolv-conf=off", f"--directory={root}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        with _shell(_first_process(machine)) as inside:
            run(inside, f"timeout {START_SECONDS} systemctl is-system-running --wait || true")
            yield inside
    finally:
        machine.terminate()
        machine.wait()


def _first_process(machine: subprocess.Popen[bytes]) -> int:
    """Return the pid here of the container's first process. Raises RuntimeError."""
    children = Path(f"/proc/{machine.pid}/task/{machine.pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while machine.poll() is None and time.monotonic() < deadline:
        for pid in map(int, children.read_text().split()):
            if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                return pid
        time.sleep(0.1)
    raise RuntimeError("the container did not start")


@contextmanager
def _shell(first: int) -> Iterator[subprocess.Popen[str]]:
    """Yield a root's shell in the container whose first process is `first`."""
    network = [
        f"{name}={value}" for name, value in os.environ.items() if OF_THE_NETWORK.fullmatch(name)
    ]
    shell = subprocess.Popen(
        [
            *("nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--pid", "--root"),
            *("--wd", "/usr/bin/env", "-i", *network, "HOME=/root", "LANG=C.UTF-8"),
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            *("DEBIAN_FRONTEND=noninteractive", "/bin/bash"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield shell
    finally:
        shell.kill()
        shell.wait()


def run(inside: subprocess.Popen[str], code: str) -> list[str]:
    """Carry out `code` in the shell; return what it prints. Raises RuntimeError when it fails."""
    assert inside.stdin and inside.stdout
    inside.stdin.write(f"( set -euo pipefail\n{code}\n) 2>&1; echo ended $?\n")
    inside.stdin.flush()
    said = []
    for line in inside.stdout:
        if line.startswith("ended "):
            if line != "ended 0\n":
                raise RuntimeError(f"{code}\n{''.join(said[-30:])}")
            return said
        said.append(line)
    raise RuntimeError(f"the shell ended: {''.join(said[-30:])}")
