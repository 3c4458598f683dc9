"""Releases in folders of their own, as an operator has them, and the link to the one in use."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from clearance.core import schema
from clearance.core.settings import ROOT
from clearance.web.template_globals import VERSION

CODE = (
    *("clearance", "forms", "admin_views", "templates", "static", "translations", "migrations"),
    *("app.py", "gunicorn.conf.py"),
)
MADE = ("static/fonts", "translations/ar/LC_MESSAGES/messages.mo")  # by `make install`
NEXT = "99.0.0"


def present(folder: Path) -> Path:
    """Put a copy of this code into `folder`, called release NEXT; "Male" reads "Male, anew"."""
    for name in CODE:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    _replace(folder / "clearance/web/template_globals.py", f'"{VERSION}"', f'"{NEXT}"')
    _replace(folder / "clearance/models/enums.py", '_l("Male")', '_l("Male") + ", anew"')
    return folder


def earlier(folder: Path) -> Path | None:
    """Put the release before this one into `folder`; None where the history is not at hand.

    It is the newest tag of another version, else what stood before the newest migration.
    """
    ref = _earlier_ref()
    archive = _git("archive", "--format=tar", ref, *CODE) if ref else None
    if archive is None:
        return None
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    for name in MADE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def link(name: Path, release: Path) -> None:
    """Let the link `name` lead to `release` from one instant to the next, as `ln -sfn` does."""
    new = name.with_name(f"{name.name}.new")
    new.symlink_to(release)
    os.replace(new, name)


def _earlier_ref() -> str | None:
    tags = (_git("tag", "--merged", "HEAD", "--sort=-version:refname") or b"").decode().split()
    for tag in tags:
        if tag.startswith("v") and tag != f"v{VERSION}":
            return tag
    (newest,) = schema.newest()
    (path,) = (ROOT / "migrations" / "versions").glob(f"{newest}_*.py")
    added = _git("log", "--diff-filter=A", "--format=%H", "--", str(path))
    return f"{added.decode().split()[-1]}^" if added else None


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 and done.stdout else None


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, path
    path.write_text(text.replace(old, new), encoding="utf-8")
