"""Template globals: asset URLs, the closed lists of codes with labels and tones."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, g
from markupsafe import Markup, escape

from clearance.core import idempotency, reasons
from clearance.core.settings import Settings
from clearance.models import enums
from clearance.web import static_files

VERSION = "1.1.0"
# An isolated value in a message, or a number such as KW-1084 or CE/8/26; never broken over lines.
_WHOLE = re.compile(r"\u2068([^\s\u2068\u2069]{1,30})\u2069|(?<!\w)([A-Z]{2,6}[-/]\d[\d/]*)")


def unbroken(text: str) -> Markup:
    """Return the escaped text of a message with its numbers kept unbroken."""
    kept = _WHOLE.sub(lambda found: f"<bdi>{found[1] or found[2]}</bdi>", str(escape(text)))
    return Markup(kept)  # noqa: S704 - escaped just before


def init_app(app: Flask) -> None:
    """Register the template globals and filters."""
    app.jinja_env.filters["unbroken"] = unbroken
    app.jinja_env.filters["reason"] = reasons.read
    app.jinja_env.globals.update(
        asset=static_files.asset,
        portal_version=VERSION,
        enums=enums,
        one_time_key=idempotency.new,
        upload_limits=_upload_limits(app.extensions["settings"]),
    )

    @app.context_processor
    def _request() -> dict[str, Any]:
        return {"request_id": g.get("request_id", "")}


def _upload_limits(settings: Settings) -> dict[str, int]:
    """Return the largest files that can be sent, in MiB: photos are made smaller here."""
    sizes = {"file": settings.upload_max_bytes, "photo": settings.picture_max_bytes}
    return {name: size // (1024 * 1024) for name, size in sizes.items()}
