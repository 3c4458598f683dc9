"""Security headers and request checks: hosts, proxies, cookies."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask_babel import lazy_gettext as _l
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from clearance.core import request_kind
from clearance.core.errors import PermissionDenied
from clearance.core.extensions import csrf
from clearance.core.setting_addresses import is_loopback
from clearance.core.settings import Settings
from clearance.web import static_files

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
RETRY_SECONDS = 30  # after a 503
YEAR_SECONDS = 365 * 24 * 3600
URL_ENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
LARGEST_ID = 2**31 - 1  # maximum of an INTEGER column in PostgreSQL


class _RowNumber(IntegerConverter):
    """`<int:…>` in routes: numbers beyond the ID range do not match."""

    def __init__(self, url_map: Any, **limits: Any) -> None:
        super().__init__(url_map, **({"max": LARGEST_ID} | limits))


def configure(app: Flask, settings: Settings) -> None:
    """Set the cookie, size and CSRF configuration, and the range of ids in URLs."""
    app.request_class = request_kind.PortalRequest
    app.url_map.converters["int"] = _RowNumber
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
        MAX_FORM_PARTS=4000,  # a grid of 100 brokers posts every field
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,  # public/stale_posts.py checks, and answers old pages
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        PREFERRED_URL_SCHEME="https" if settings.is_https else "http",
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Set up CSRF protection, request ids, security headers and named proxies."""
    if settings.trusted_proxies:
        app.wsgi_app = _NamedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]  # Flask's documented way

    @app.before_request
    def _name_request() -> None:
        g.request_id = secrets.token_hex(5).upper()

    if settings.is_demo:
        app.before_request(_refuse_other_machines)
    app.before_request(_refuse_other_bodies)
    app.before_request(_refuse_nonsense)
    csrf.init_app(app)  # after the request id, so that its refusals have one

    @app.after_request
    def _headers(response: Response) -> Response:
        return add_security_headers(response, settings)


def add_security_headers(response: Response, settings: Settings) -> Response:
    """Add the security headers (rules 38, 39); a stricter policy already set is kept."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Request-ID"] = g.get("request_id", "")
    if response.status_code == 503:
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    if settings.is_https:
        headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}; includeSubDomains"
    is_file = request.endpoint == "static" and response.status_code < 400
    if not is_file or "Allow" in headers:  # the answer to OPTIONS
        headers["Cache-Control"] = "no-store"
    elif static_files.is_versioned((request.view_args or {})["filename"]):
        headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


def _refuse_other_machines() -> None:
    """Answer 403 unless the connection itself comes from this machine, whatever a proxy says."""
    if not is_loopback(request_kind.peer_of(request.environ)):
        raise PermissionDenied(
            _l("Demo mode is open on this machine only. Open the portal in a browser there.")
        )


def _refuse_other_bodies() -> None:
    """Accept only form data in posts (else 415), of limited size (else 413).

    Flask-WTF would read JSON as form data, bypassing the checks of typed input. Werkzeug limits
    multipart data, but neither size nor number of URL-encoded fields.
    """
    if not request_kind.is_posted():
        return
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if request.mimetype == URL_ENCODED:
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
        if request.get_data().count(b"&") >= current_app.config["MAX_FORM_PARTS"]:
            abort(413)
    elif request.mimetype != MULTIPART and (has_body or request.mimetype):
        abort(415)


def _refuse_nonsense() -> None:
    """Answer 400 to input that no browser sends and that would make libraries fail."""
    if any("\0" in text for text in _typed()):  # PostgreSQL rejects NUL
        abort(400)
    if not _is_address(request.referrer or ""):
        abort(400)


def _typed() -> Iterator[str]:
    """Yield every text from the client that may be stored, including names of fields and files."""
    yield from (request.path, request.user_agent.string)
    for values in (request.args, request.form):
        for name, texts in values.lists():
            yield from (name, *texts)
    for name, file in request.files.items(multi=True):
        yield from (name, file.filename or "")


def _is_address(typed: str) -> bool:
    try:
        return urlsplit(typed).port != 0
    except ValueError:
        return False


class _NamedProxies:
    """Trust forwarded addresses only if the connection comes from a named proxy."""

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
