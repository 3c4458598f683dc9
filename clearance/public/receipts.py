"""The published keys of receipts, and the page that checks a file by them in the browser alone."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template
from markupsafe import Markup

from clearance.core.settings import ROOT
from clearance.files import receipts
from clearance.web.downloads import as_attachment

SCRIPT = ROOT / "static" / "js" / "receipt.js"
STYLE = ROOT / "templates" / "public" / "receipt_offline.css"


def keys() -> Response:
    """GET /.well-known/clearance-receipts.json."""
    return jsonify(receipts.document(receipts.keys()))


def page() -> str:
    """GET /receipt: choose a file; it is checked in the browser and goes nowhere."""
    return render_template("public/receipt.html", **_shared())


def offline() -> Response:
    """GET /receipt/offline: the same as one file to save, which needs no network."""
    # Saved with the page, they have no address to be loaded from.
    code, style = (
        Markup(path.read_text(encoding="utf-8"))  # noqa: S704 - files of ours, as they are
        for path in (SCRIPT, STYLE)
    )
    text = render_template("public/receipt_offline.html", code=code, style=style, **_shared())
    return as_attachment(Response(text, mimetype="text/html"), "clearance-receipts.html")


def _shared() -> dict[str, Any]:
    return {"keys": receipts.document(receipts.keys())["keys"]}
