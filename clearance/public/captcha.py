"""Captcha endpoints: picture, spoken digits, refresh. Source: security rules 13 and 14."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, abort, jsonify, request

from clearance.auth import captcha
from clearance.core.clock import utc_now
from clearance.core.i18n import LANGUAGES, language
from clearance.public import form_helpers

_FORM_NAME = re.compile(r"[a-z_]{1,30}")


def image(ref: str) -> Response:
    """GET the picture; 404 if used, expired or unknown."""
    return _served(captcha.image(ref, utc_now()), "image/png")


def audio(ref: str) -> Response:
    """GET the spoken digits in the page's language."""
    chosen = request.args.get("lang", "")
    lang = chosen if chosen in LANGUAGES else language()
    return _served(captcha.sound(ref, lang, utc_now()), "audio/wav")


def new() -> Any:
    """POST for a new image text for the form `?form=`; returns its URLs as JSON."""
    form_name = request.args.get("form", "")
    if not _FORM_NAME.fullmatch(form_name):
        abort(404)
    parts = form_helpers.new_image(form_name)
    return jsonify({name: parts[name] for name in ("ref", "image_url", "audio_url")})


def _served(data: bytes | None, media_type: str) -> Response:
    if data is None:
        abort(404)
    return Response(data, mimetype=media_type)
