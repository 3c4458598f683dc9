"""What every response carries and every request must pass: headers, hosts, proxies, cookies."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from clearance.extensions import csrf
from clearance.settings import Settings

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
YEAR_SECONDS = 365 * 24 * 3600


def configure(app: Flask, settings: Settings) -> None:
    """Set the cookie, size and CSRF configuration."""
    prefix = "__Host-" if settings.is_https else ""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SESSION_COOKIE_NAME=f"{prefix}clearance",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=settings.request_max_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        PREFERRED_URL_SCHEME="https" if settings.is_https else "http",
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Bind CSRF protection, the request id, the headers, and proxies that are named."""
    csrf.init_app(app)
    if settings.trusted_proxies:
        app.wsgi_app = _NamedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]  # Flask's documented way

    @app.before_request
    def _name_request() -> None:
        g.request_id = secrets.token_hex(5).upper()

    @app.after_request
    def _headers(response: Response) -> Response:
        return harden(response, settings)


def harden(response: Response, settings: Settings) -> Response:
    """Add the security headers (rules 38, 39); a stricter policy already set is kept."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Request-ID"] = g.get("request_id", "")
    if settings.is_https:
        headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}; includeSubDomains"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    elif "v" in request.args:
        headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


class _NamedProxies:
    """Believe forwarded addresses only when the connection comes from a named proxy."""

    def __init__(self, app: Callable[..., Iterable[bytes]], proxies: Iterable[str]) -> None:
        self._plain = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=0)
        self._networks = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            peer = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return self._plain(environ, start_response)
        if any(peer in network for network in self._networks):
            return self._behind(environ, start_response)
        return self._plain(environ, start_response)
