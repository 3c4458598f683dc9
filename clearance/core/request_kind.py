"""What kind of HTTP request this is: reading or posting, by a page or by a script of ours."""

from __future__ import annotations

from flask import Request, request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PortalRequest(Request):
    """A request whose form is empty unless it posts: CSRF protection looks at posts only."""

    @property
    def want_form_data_parsed(self) -> bool:
        """Werkzeug asks this before it reads form data."""
        return self.method not in SAFE_METHODS and super().want_form_data_parsed


def is_posted() -> bool:
    """Whether the request may change something; HEAD is answered as GET is (RFC 9110, 9.2.1)."""
    return request.method not in SAFE_METHODS


def wants_head_only() -> bool:
    """Whether nobody will read the body of the answer, nor close it (Werkzeug drops it)."""
    return request.method == "HEAD"


def wants_json() -> bool:
    """Whether a script of ours asks, not a person's browser for a page."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"
