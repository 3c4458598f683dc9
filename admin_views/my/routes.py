"""What the routes of one request share: finding it, telling outcomes, one-time keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request, url_for

from clearance import one_time_keys
from clearance.actor import Actor
from clearance.models import Request


class RequestRoutes:
    """Mixed into the view of requests; `get_one` answers 404 for what is not the reader's."""

    get_one: Callable[[Any], Request]
    render: Callable[..., str]


def details_url(req: Request, anchor: str = "") -> str:
    """Where `req` is read."""
    return url_for("my_requests.details", request_id=req.id, _anchor=anchor or None)


def form_url(req: Request, anchor: str = "") -> str:
    """Where `req` is filled in."""
    return url_for("my_requests.form_page", request_id=req.id, _anchor=anchor or None)


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
