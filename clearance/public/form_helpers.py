"""Helpers for the public forms: redraws, captcha, unknown fields."""

from __future__ import annotations

import time
from typing import Any

import structlog
from flask import after_this_request, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from clearance.auth import captcha, rate_limits
from clearance.core import idempotency
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.i18n import language
from clearance.web.logging import field_names
from forms.base import BaseForm

_PAUSE_SECONDS = 0.2

log = structlog.get_logger("clearance.public")


def spend_image(form_name: str) -> bool:
    """Use up the answered image text; return whether it was right. Call it first in a POST."""
    ref, browser, typed = _posted_ref(), _browser(), request.form.get("captcha", "")

    @after_this_request
    def settle(response: Any) -> Any:
        db.session.rollback()  # after a page of errors; what was to be kept is committed by now
        captcha.settle(ref, browser)
        return response

    return captcha.spend(ref, form_name, browser, typed[:40], utc_now())


def result_of_first_click(form_name: str, owner: str | None = None) -> str | None:
    """Return where an earlier submission with the posted image led, or None if it was refused.

    Waits while it is running: a double click sends the same image twice, and only the first use of
    it counts. owner: of the one-time key, by default the form. Raises: TooManyTries.
    """
    ref, browser = _posted_ref(), _browser()
    is_running = captcha.is_being_answered(ref, browser, utc_now())
    if is_running:
        rate_limits.consume(
            "captcha_ip", rate_limits.client_ip()
        )  # a wait costs one, like an image
    while is_running:
        time.sleep(_PAUSE_SECONDS)
        is_running = captcha.is_being_answered(ref, browser, utc_now())
    earlier = idempotency.result_of(image_key(form_name), owner or form_name)
    db.session.rollback()
    return earlier


def remember_result(form_name: str, result: str) -> None:
    """Store in the caller's transaction that the posted image led to the URL `result`."""
    idempotency.claim(image_key(form_name), form_name, result, utc_now())


def image_key(form_name: str) -> str:
    """Return the one-time key of the submission: its image, which nobody can use up again."""
    return f"{form_name}:{_posted_ref()}"


def new_image(form_name: str) -> dict[str, str]:
    """Create an image text for a form; returns the arguments of the `captcha` macro."""
    db.session.rollback()  # it is written in its own transaction, and SQLite allows one writer
    return image_parts(form_name, captcha.new(form_name, _browser(), utc_now()))


def image_parts(form_name: str, ref: str) -> dict[str, str]:
    """Return the URLs of the image text `ref`, by argument name of the macro."""
    return {
        "ref": ref,
        "image_url": url_for("public.captcha_image", ref=ref),
        "audio_url": url_for("public.captcha_audio", ref=ref, lang=language()),
        "refresh_url": url_for("public.captcha_new", form=form_name),
    }


def note_leftovers(form: BaseForm) -> None:
    """Log posted names that match no field; their values are ignored (rule 23)."""
    names = form.unknown_fields()
    if names:
        log.warning("unknown_fields", endpoint=request.endpoint, names=field_names(names))


def validate(form: BaseForm, is_image_right: bool) -> bool:
    """Return whether form and image text are valid; errors are added to the fields.

    A new password is checked only if the image text was right (security rule 41).
    """
    form.judges_passwords = is_image_right
    is_valid = form.validate()
    field = form["captcha"]
    if not is_image_right and not field.errors:
        field.errors = [_("This does not match the image. Enter the characters in the new image.")]
    return bool(is_valid and is_image_right)


def _posted_ref() -> str:
    return request.form.get("captcha_ref", "")[:40]


def _browser() -> str:
    """Return a secret of this browser: its CSRF secret, from the signed cookie."""
    generate_csrf()  # creates the secret if the cookie has none yet
    return str(session["csrf_token"])
