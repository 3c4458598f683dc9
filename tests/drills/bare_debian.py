"""A bare Debian in a folder, in which a page's own code blocks are carried out as root.

Needs root, `debootstrap` and the network. A chroot has no systemd: a stand-in of `systemctl` starts
what the units say (ExecStart as User, with EnvironmentFile, in WorkingDirectory).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
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
# Kept by pid 1 of the chroot's own pid namespace, so that it all ends together.
SYSTEMCTL = r"""#!/bin/bash
set -eu
command=$1; shift
[ "${1:-}" = --now ] && shift
case $command in daemon-reload) exit 0;; esac
for unit in "$@"; do
  file=/etc/systemd/system/$unit.service
  if [ ! -e "$file" ]; then service "$unit" "$command"; continue; fi
  value() { sed -n "s/^$1=//p" "$file" | tail -1; }
  cd "$(value WorkingDirectory)"
  set -a; . <(sed -E "s/^([A-Z_]+)=(.*)$/\1='\2'/" "$(value EnvironmentFile)"); set +a
  umask "$(value UMask)"
  setsid runuser -u "$(value User)" -- $(value ExecStart) >"/var/log/$unit.log" 2>&1 &
done
"""


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
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root],
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
        stand_in = copy / "usr/local/bin/systemctl"
        stand_in.write_text(SYSTEMCTL, encoding="utf-8")
        stand_in.chmod(0o755)
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
    """Yield a root's shell in `root`; with it end all processes that were started there."""
    network = [
        f"{name}={value}" for name, value in os.environ.items() if OF_THE_NETWORK.fullmatch(name)
    ]
    inside = subprocess.Popen(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            f"--mount-proc={root / 'proc'}",
            *("chroot", root, "/usr/bin/env", "-i", *network, "HOME=/root", "LANG=C.UTF-8"),
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            *("DEBIAN_FRONTEND=noninteractive", "/bin/bash"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield inside
    finally:
        inside.kill()
        inside.wait()


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
