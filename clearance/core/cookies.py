"""Long-lived, low-trust cookies: languages and known device."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, current_app, request

from clearance.core.settings import Settings

LIFETIME = timedelta(days=365)


def read(stem: str) -> str | None:
    """Return the value of the cookie `stem`."""
    return request.cookies.get(_name(stem))


def keep(response: Response, stem: str, value: str) -> None:
    """Set the cookie `stem` to `value` for a year, HttpOnly."""
    response.set_cookie(
        _name(stem), value, max_age=LIFETIME, httponly=True, samesite="Lax", secure=_is_https()
    )


def _name(stem: str) -> str:
    """Add the `__Host-` prefix over TLS, so that other hosts cannot set it (A3.3.1)."""
    return f"__Host-{stem}" if _is_https() else stem


def _is_https() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.is_https
