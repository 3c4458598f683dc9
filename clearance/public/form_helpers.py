"""Helpers for the public forms: redraws, captcha, unknown fields."""

from __future__ import annotations

import structlog
from flask import request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from clearance.auth import captcha
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.i18n import language
from clearance.core.request_kind import is_posted
from forms.base import BaseForm

# Submit buttons that only redraw the page with the typed values, without validation.
REDRAWING = ("_language", "_refresh", "_change")

log = structlog.get_logger("clearance.public")


def is_redrawn() -> bool:
    """Return whether the post only redraws the page: other language, image or fields."""
    return any(name in request.form for name in REDRAWING)


def is_sent() -> bool:
    """Return whether the form was actually submitted."""
    return is_posted() and not is_redrawn()


def spend_image(form_name: str) -> bool:
    """Use up the answered image text; return whether it was right. Call it first in a POST."""
    ref, typed = request.form.get("captcha_ref", ""), request.form.get("captcha", "")
    return captcha.spend(ref, form_name, _browser(), typed[:40], utc_now())


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
        log.warning("unknown_fields", endpoint=request.endpoint, names=[n[:40] for n in names[:20]])


def validate(form: BaseForm, is_image_right: bool) -> bool:
    """Return whether form and image text are valid; errors are added to the fields.

    A new password is checked only if the image text was right (security rule 41).
    """
    form.judges_passwords = is_image_right
    is_valid = form.validate()
    field = form["captcha"]
    if not is_image_right and not field.errors:
        field.errors = [_("This is not what the image says. A new image is shown: type its text.")]
    return bool(is_valid and is_image_right)


def _browser() -> str:
    """Return a secret of this browser: its CSRF secret, from the signed cookie."""
    generate_csrf()  # creates the secret if the cookie has none yet
    return str(session["csrf_token"])
