"""Classify HTTP requests: read or write, page or script."""

from __future__ import annotations

from flask import Request, g, request

# Submit buttons that only redraw the page with the typed values, without validation.
REDRAWING = ("_language", "_refresh", "_change")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PortalRequest(Request):
    """A request without form data on safe methods, which CSRF protection does not check."""

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether Werkzeug may read form data."""
        return self.method not in SAFE_METHODS and super().want_form_data_parsed


def is_posted() -> bool:
    """Return whether the request may change something, unlike GET and HEAD (RFC 9110, 9.2.1)."""
    return request.method not in SAFE_METHODS


def is_redrawn() -> bool:
    """Return whether the post only redraws the page: other language, image or fields.

    A form of an earlier session is redrawn as well.
    """
    return g.get("is_redrawn", False) or any(name in request.form for name in REDRAWING)


def is_sent() -> bool:
    """Return whether a form was actually submitted."""
    return is_posted() and not is_redrawn()


def wants_head_only() -> bool:
    """Return whether this is a HEAD request (Werkzeug drops the body without closing it)."""
    return request.method == "HEAD"


def wants_json() -> bool:
    """Return whether the portal's own script sent the request, not a page load."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"
