"""Response headers for files, so that browsers never execute them."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from clearance.core.values import file_label

POLICY = "sandbox; default-src 'none'"
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def as_attachment(response: Response, filename: str) -> Response:
    """Make `response` a download called `filename` (any script; security requirement 31)."""
    response.headers["Content-Disposition"] = f"attachment; {_named(filename)}"
    return _kept_apart(response)


def as_picture(response: Response) -> Response:
    """Make `response`, a picture encoded by the portal, one that a page may show."""
    response.headers["Content-Disposition"] = "inline"
    return _kept_apart(response)


def _kept_apart(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _named(filename: str) -> str:
    """Return both parameters of RFC 6266: ASCII for old browsers, the real name in UTF-8."""
    label = file_label(filename)
    dot, ending = label.rpartition(".")[1:]
    plain = label if _is_plain(label) else f"document{dot}{ending if _is_plain(ending) else ''}"
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(label, safe=_ATTRIBUTE_CHARACTERS)}"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set('"\\%')
