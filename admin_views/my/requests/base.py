"""What the routes of one request share: finding it, and its addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for

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
