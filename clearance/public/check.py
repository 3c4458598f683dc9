"""Public check whether an issued document is genuine, void or expired; no account needed.

Unknown and malformed codes get the same page.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from clearance.auth import rate_limits
from clearance.core.clock import utc_now
from clearance.issuing import verification as document_verification

CODE_MAX_LENGTH = 60


def check_form() -> Any:
    """GET /check: form for a code; `?code=` redirects to its page."""
    typed = request.args.get("code")
    if typed is None:
        return render_template("public/check.html", verdict=None, is_asked=False)
    code = document_verification.normalised(typed[:CODE_MAX_LENGTH])
    if code is None:
        return _answer("")
    return redirect(url_for("public.check", code=code), code=303)


def check(code: str) -> Any:
    """GET /check/<code>: target of the QR code on a document."""
    return _answer(code[:CODE_MAX_LENGTH])


def _answer(code: str) -> Any:
    """Look up the code and render the result; every look-up is rate limited (security rule 41)."""
    rate_limits.consume("check_ip", rate_limits.client_ip())
    verdict = document_verification.verify(code, utc_now())
    page = render_template("public/check.html", verdict=verdict, is_asked=True)
    return page, 200 if verdict is not None else 404
