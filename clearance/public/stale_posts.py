"""Posts from pages of an earlier session: refused, but what was typed is not lost."""

from __future__ import annotations

from typing import Any

from flask import flash, g, jsonify, redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import CSRFError, generate_csrf

from clearance.auth import form_tokens
from clearance.core import idempotency
from clearance.core.extensions import csrf
from clearance.core.request_kind import wants_json
from clearance.public import session_gate, unsent
from clearance.web import error_pages

# Their views show the form again with what was typed.
REDRAWN = frozenset(
    {
        "public.sign_in",
        "public.factor",
        "public.register",
        "public.invitation",
        "public.verify",
        "public.choose_password",
        "public.reset",
        "public.reset_confirm",
        "public.consent",
    }
)
BUTTONS = frozenset({"public.language", "public.sign_out"})


def check() -> Any:
    """Check the token of a posted form; runs before each request. Raises: CSRFError.

    Without a token of this session nothing is done, but a form of an earlier session, or of a
    visitor's page that was left open, gets an answer that helps.
    """
    try:
        csrf.protect(apply_exemptions=True)
    except CSRFError:
        mark = form_tokens.posted_mark()
        if mark is None:
            raise
        return _answer(mark)


def _answer(mark: str) -> Any:
    error_pages.note_refusal(400, "csrf")
    if request.endpoint in REDRAWN and not wants_json():
        g.is_redrawn = True
        if not current_user.is_authenticated:
            flash(_("This page was open too long. Check what you entered and send it."), "warning")
        return None
    if request.endpoint in BUTTONS:
        if current_user.is_authenticated:
            flash(_("This page was out of date. Try again."), "warning")
        return redirect(session_gate.page_behind() or "/", code=303)
    if not current_user.is_authenticated:
        return session_gate.to_sign_in() if mark else _refuse()
    if mark != form_tokens.mark_of(current_user):
        return _refuse()
    if wants_json():
        # The page's script puts it into the page and sends again; no other site can read it.
        answer = jsonify(error=_("This page was out of date. Try again."), token=generate_csrf())
        answer.status_code = 400
        return answer
    return _first_result() or unsent.show(session_gate.page_behind())


def _refuse() -> Any:
    return error_pages.error_page(
        400,
        _l("This page belongs to an earlier session, so nothing was sent. Reload it."),
    )


def _first_result() -> Any:
    """Redirect to what the form led to if it was sent before; None if it was not."""
    if current_user.user_id is None:
        return None
    owner = idempotency.owner_of(current_user)
    result = idempotency.result_of(request.form.get("form_key", ""), owner)
    return redirect(result, code=303) if result is not None else None
