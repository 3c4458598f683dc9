"""Classify HTTP requests: read or write, page or script."""

from __future__ import annotations

from flask import Request, request

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


def wants_head_only() -> bool:
    """Return whether this is a HEAD request (Werkzeug drops the body without closing it)."""
    return request.method == "HEAD"


def wants_json() -> bool:
    """Return whether the portal's own script sent the request, not a page load."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"
