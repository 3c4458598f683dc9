"""Whether an issued document is genuine, void or expired: for whoever holds it, without an account.

An unknown code and one that cannot be a code get the same page.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from clearance import issued_check, throttle
from clearance.calendar import utc_now

CODE_MAX_LENGTH = 60


def check_form() -> Any:
    """GET /check: type a code; `?code=` goes on to its page."""
    typed = request.args.get("code")
    if typed is None:
        return render_template("public/check.html", verdict=None, is_asked=False)
    code = issued_check.normalised(typed[:CODE_MAX_LENGTH])
    if code is None:
        return _answer("")
    return redirect(url_for("public.check", code=code), code=303)


def check(code: str) -> Any:
    """GET /check/<code>: where the square code on a document leads."""
    return _answer(code[:CODE_MAX_LENGTH])


def _answer(code: str) -> Any:
    """Judge the code; counted before the look-up, known or not (security rule 41)."""
    throttle.hit("check_ip", throttle.client_ip())
    verdict = issued_check.verdict(code, utc_now())
    page = render_template("public/check.html", verdict=verdict, is_asked=True)
    return page, 200 if verdict is not None else 404
