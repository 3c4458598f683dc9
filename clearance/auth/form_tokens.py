"""Tokens of forms (CSRF tokens), which also say for whom their page was made."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from clearance.core.actor import Actor

COOKIE_KEY = "csrf_token"  # Flask-WTF's
HEADER = "X-CSRFToken"
_SALT = "wtf-csrf-token"  # Flask-WTF's, so that its tokens can be read here


def new_secret(actor: Actor) -> str:
    """Return the secret of a new session's tokens, for the cookie; it bears its owner's mark."""
    return f"{mark_of(actor)}.{secrets.token_hex(20)}"


def mark_of(actor: Actor) -> str:
    """Return a mark of the user or registration that says nothing to others."""
    owner = f"form:{actor.user_id}:{actor.registration_id}"
    key = str(current_app.secret_key).encode()
    return hmac.new(key, owner.encode(), hashlib.sha256).hexdigest()[:16]


def posted() -> str:
    """Return the posted token, or ""."""
    return request.form.get(COOKIE_KEY) or request.headers.get(HEADER, "")


def posted_mark() -> str | None:
    """Return the mark of whom the posted form was made for; "" for a visitor's form.

    None if the token is missing or not ours. It may belong to a session that has ended, so it
    proves only that the form came from a page of ours, not that the post is wanted.
    """
    try:
        secret = URLSafeTimedSerializer(str(current_app.secret_key), salt=_SALT).loads(posted())
    except BadData:
        return None
    mark, dot, _rest = str(secret).partition(".")
    return mark if dot else ""
