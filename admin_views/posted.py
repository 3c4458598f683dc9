"""What forms about a request post besides their fields: the version shown, the one-time key."""

from __future__ import annotations

from flask import abort, request

from clearance import one_time_keys
from clearance.actor import Actor


def posted_version() -> int:
    """The version of the row that the page showed; 400 when it is missing or no number."""
    typed = request.form.get("version", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        abort(400)
    return int(typed)


def posted_key() -> str:
    """The one-time key of the posted form, or ""."""
    return request.form.get("form_key", "")[: one_time_keys.KEY_MAX_LENGTH]


def owner_of(actor: Actor) -> str:
    """Whose one-time keys these are."""
    return f"user:{actor.id}"
