"""Language switch: on its own, or within a form, which keeps the typed values."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, after_this_request, g, redirect, request
from flask_babel import refresh
from flask_login import current_user

from clearance.core import cookies, urls
from clearance.core.database import own_transaction
from clearance.core.i18n import ACCOUNT_COOKIE, COOKIE, LANGUAGES
from clearance.core.request_kind import is_posted
from clearance.models import User

POSTED = "_language"


def adopt_posted() -> None:
    """Adopt the language posted by a form's switch; runs before each request.

    The form's view then redraws the page with the typed values (`form_helpers.is_redrawn`).
    """
    if is_posted() and request.endpoint is not None:
        chosen = request.form.get(POSTED)
        if chosen in LANGUAGES:
            _adopt(chosen)


def keep_users(response: Response) -> Response:
    """Keep the signed-in user's language for the pages after the session; runs after requests."""
    if g.get("actor_is_read") and current_user.is_authenticated:
        lang = current_user.language
        if cookies.read(ACCOUNT_COOKIE) != lang:
            cookies.keep(response, ACCOUNT_COOKIE, lang)
    return response


def choose() -> Any:
    """POST /language: store the language and return to the same page."""
    chosen = request.form.get("lang")
    if chosen in LANGUAGES:
        _adopt(chosen)
    return redirect(urls.safe_local_path(request.form.get("next")) or "/", code=303)


def _adopt(lang: str) -> None:
    g.language = lang
    refresh()
    user_id = getattr(current_user, "user_id", None)
    if user_id is not None and current_user.language != lang:
        with own_transaction() as connection:
            connection.execute(sa.update(User).where(User.id == user_id).values(language=lang))

    @after_this_request
    def _keep(response: Response) -> Response:
        cookies.keep(response, COOKIE, lang)
        return response
