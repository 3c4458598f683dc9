"""Shared base of the request routes: lookup and URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for

from clearance.models import Request


class RequestRoutes:
    """Request view mixin; `get_one` aborts with 404 for requests the reader may not see."""

    get_one: Callable[[Any], Request]
    render: Callable[..., str]


def details_url(req: Request, anchor: str = "") -> str:
    """Return the URL of the details page."""
    return url_for("my_requests.details", request_id=req.id, _anchor=anchor or None)


def form_url(req: Request, anchor: str = "", add: str | None = None) -> str:
    """Return the URL of the form. add: name of the field that is shown with another row."""
    return url_for("my_requests.form_page", request_id=req.id, add=add, _anchor=anchor or None)
