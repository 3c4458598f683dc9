"""Static files under addresses with a version, which browsers keep without asking again.

The version is a folder of the address (`/static/v0123456789ab/js/main.js`), so that relative
references of modules and stylesheets have it too. A page of an earlier version, or of another
server during an update, gets the file that is there, but must ask for it each time.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache

from flask import Flask, Response, current_app, has_request_context, request

from clearance.core.settings import ROOT

FOLDER = ROOT / "static"
_VERSION = re.compile(r"v[0-9a-f]{12}")


@cache
def version() -> str:
    """Return the version of all files together; read once per process."""
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(FOLDER)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return f"v{digest.hexdigest()[:12]}"


def asset(name: str) -> str:
    """Return the URL of a file. name: its path under static/, such as "css/clearance.css"."""
    return _address(request.script_root if has_request_context() else "", name)


def is_versioned(filename: str) -> bool:
    """Return whether the path under /static/ names the version that this process serves."""
    return filename.partition("/")[0] == version()


def init_app(app: Flask) -> None:
    """Serve static files at their addresses with and without a version."""
    app.view_functions["static"] = _serve


def _serve(filename: str) -> Response:
    first, _slash, rest = filename.partition("/")
    return current_app.send_static_file(rest if _VERSION.fullmatch(first) else filename)


@lru_cache(maxsize=256)
def _address(root: str, name: str) -> str:
    return f"{root}/static/{version()}/{name}"
