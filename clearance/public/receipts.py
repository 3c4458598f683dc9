"""The published keys of receipts, and the page that checks a file by them in the browser alone."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template, url_for
from markupsafe import Markup

from clearance.auth import rate_limits
from clearance.core.settings import ROOT
from clearance.files import receipts
from clearance.issuing import verification
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


def issued(digest: str) -> Any:
    """GET /receipt/<digest>: whether the portal issued the file with that SHA-256, byte for byte.

    For files whose receipt proves nothing. Whoever knows the hash of a file has the file.
    """
    rate_limits.consume("check_ip", rate_limits.client_ip())
    known = verification.file_known_by(digest.lower()[: receipts.DIGEST_LETTERS])
    page = render_template("public/receipt_issued.html", known=known)
    return page, 200 if known is not None else 404


def _shared() -> dict[str, Any]:
    return {
        "keys": receipts.document(receipts.keys())["keys"],
        "asked_at": url_for("public.receipt", _external=True),
    }
