"""Classify HTTP requests: read or write, page or script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Request, g, request

from clearance.core.setting_addresses import is_loopback

# Submit buttons that only redraw the page with the typed values, without validation.
REDRAWING = ("_language", "_refresh", "_change")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
LOCAL_NAMES = ("127.0.0.1", "localhost")
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


class PortalRequest(Request):
    """A request without form data on safe methods, which CSRF protection does not check."""

    _trusted_hosts: list[str] | None = None

    @property
    def trusted_hosts(self) -> list[str] | None:
        """Accepted names of the portal; probes on this machine may call it by a local one."""
        if self._trusted_hosts and self.path in PROBES and is_loopback(peer_of(self.environ)):
            return [*self._trusted_hosts, *LOCAL_NAMES]
        return self._trusted_hosts

    @trusted_hosts.setter
    def trusted_hosts(self, hosts: list[str] | None) -> None:
        self._trusted_hosts = hosts

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether Werkzeug may read form data."""
        return self.method not in SAFE_METHODS and super().want_form_data_parsed


def peer_of(environ: Mapping[str, Any]) -> str:
    """Return the address that the connection itself comes from, whatever a proxy says."""
    return str(environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR") or "")


def is_local(asked: Request) -> bool:
    """Return whether a program on this machine sent the request, and no proxy passed it on.

    A proxy on this machine connects from a loopback address too, but says for whom, or passes the
    public name on.
    """
    is_forwarded = any(asked.environ.get(header) for header in _FORWARDED)
    name = asked.host.partition(":")[0]
    return not is_forwarded and name in LOCAL_NAMES and is_loopback(peer_of(asked.environ))


def method_label() -> str:
    """Return the request's method if it is one that the portal answers, else "other"."""
    return request.method if request.method in {*SAFE_METHODS, "POST"} else "other"


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
