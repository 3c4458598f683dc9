"""What the forms of the public journeys share: showing a page again, image texts, leftovers."""

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

# Names of buttons that only ask for the page again, with what was typed and nothing judged.
REDRAWING = ("_language", "_refresh", "_change")

log = structlog.get_logger("clearance.public")


def is_redrawn() -> bool:
    """Whether the post only wants the page again: other language, other image, other fields."""
    return any(name in request.form for name in REDRAWING)


def is_sent() -> bool:
    """Whether the form was really sent."""
    return is_posted() and not is_redrawn()


def spend_image(form_name: str) -> bool:
    """Use up the image text that was answered; whether it was right. First thing in a POST."""
    ref, typed = request.form.get("captcha_ref", ""), request.form.get("captcha", "")
    return captcha.spend(ref, form_name, _browser(), typed[:40], utc_now())


def new_image(form_name: str) -> dict[str, str]:
    """Make an image text for a form; returns what the `captcha` macro needs."""
    db.session.rollback()  # it is written apart, and SQLite has one writer at a time
    return image_parts(form_name, captcha.new(form_name, _browser(), utc_now()))


def image_parts(form_name: str, ref: str) -> dict[str, str]:
    """Return the addresses of the image text `ref`, by the names of the macro's arguments."""
    return {
        "ref": ref,
        "image_url": url_for("public.captcha_image", ref=ref),
        "audio_url": url_for("public.captcha_audio", ref=ref, lang=language()),
        "refresh_url": url_for("public.captcha_new", form=form_name),
    }


def note_leftovers(form: BaseForm) -> None:
    """Log names that were posted and belong to no field; their values are ignored (rule 23)."""
    names = form.unknown_fields()
    if names:
        log.warning("unknown_fields", endpoint=request.endpoint, names=[n[:40] for n in names[:20]])


def validate(form: BaseForm, is_image_right: bool) -> bool:
    """Whether form and image text are right; what is not is told beside its field.

    A new password is judged only where the image text was right (security rule 41).
    """
    form.judges_passwords = is_image_right
    is_valid = form.validate()
    field = form["captcha"]
    if not is_image_right and not field.errors:
        field.errors = [_("This is not what the image says. A new image is shown: type its text.")]
    return bool(is_valid and is_image_right)


def _browser() -> str:
    """What only this browser holds: the secret behind its forms' tokens, in the signed cookie."""
    generate_csrf()  # puts one into a cookie that has none yet
    return str(session["csrf_token"])
