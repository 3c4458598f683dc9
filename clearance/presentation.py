"""What every template may rely on: asset addresses, menu, labels and tones of states."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for

from clearance import vocabulary
from clearance.settings import ROOT

VERSION = "1.0.0"


def asset(name: str) -> str:
    """Return the address of a static file with its content's hash, so that it can be kept forever.

    name: path under static/, such as "css/clearance.css".
    """
    path = ROOT / "static" / name
    return url_for("static", filename=name, v=_fingerprint(path, path.stat().st_mtime_ns))


def init_app(app: Flask) -> None:
    """Give templates their globals."""
    app.jinja_env.globals.update(
        asset=asset,
        portal_version=VERSION,
        status_labels=vocabulary.STATUS_LABELS,
        status_tones=vocabulary.STATUS_TONES,
        issued_kind_labels=vocabulary.ISSUED_KIND_LABELS,
        issued_state_labels=vocabulary.ISSUED_STATE_LABELS,
        issued_state_tones=vocabulary.ISSUED_STATE_TONES,
        licence_status_labels=vocabulary.LICENCE_STATUS_LABELS,
        suspended_by_labels=vocabulary.SUSPENDED_BY_LABELS,
        role_labels=vocabulary.ROLE_LABELS,
        gender_labels=vocabulary.GENDER_LABELS,
    )

    @app.context_processor
    def _request() -> dict[str, Any]:
        return {"request_id": g.get("request_id", "")}


@lru_cache(maxsize=256)
def _fingerprint(path: Path, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
