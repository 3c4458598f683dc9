"""The image text's memory: what was asked under a random reference, and its one answer."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app

from clearance.auth import captcha_art, rate_limits
from clearance.core import crypto
from clearance.core.clock import latest_past
from clearance.core.database import own_transaction
from clearance.core.values import ascii_digits
from clearance.models import Captcha

LIFETIME = timedelta(minutes=5)
_RANDOM_LENGTH = 22  # 128 bits
_SEAL_LENGTH = 18


def new(form: str, browser: str, now: datetime) -> str:
    """Make an image text for `form` (a short name) in a transaction of its own.

    browser: what only the browser that asks for it holds. Returns the reference that the page
    carries: random, and sealed for that browser. The text never leaves the server but as a picture
    or as speech. Raises: TooManyTries. Source: security rules 13 and 41.
    """
    rate_limits.hit("captcha_ip", rate_limits.client_ip())
    random = secrets.token_urlsafe(16)
    ref = random + crypto.keyed_hash(_bound(random, browser), "captcha")[:_SEAL_LENGTH]
    fixed = current_app.extensions["settings"].captcha_fixed
    with own_transaction() as connection:
        connection.execute(
            sa.insert(Captcha).values(
                ref=ref,
                form=form,
                image_text=fixed or captcha_art.new_text(),
                spoken_digits=captcha_art.new_digits(),
                created_at=now,
                expires_at=now + LIFETIME,
            )
        )
    return ref


def image(ref: str, now: datetime) -> bytes | None:
    """The PNG of a living image text, else None. Raises: TooManyTries."""
    row = _living(ref, now)
    return captcha_art.draw_image(row.image_text) if row is not None else None


def sound(ref: str, lang: str, now: datetime) -> bytes | None:
    """The WAV of a living image text's digits in `lang` ("ar", "en"), else None.

    Raises: TooManyTries.
    """
    row = _living(ref, now)
    return captcha_art.speak(row.spoken_digits, lang) if row is not None else None


def spend(ref: str, form: str, browser: str, typed: str, now: datetime) -> bool:
    """Use the image text up, right or wrong; whether `typed` is its text or its spoken digits.

    Right only for the form it was made for, in the browser it was made for, within its 5 minutes,
    letter case included. Another browser's is not used up by it. Runs in a transaction of its own;
    call it before anything is looked up. Source: security rule 14.
    """
    if not _is_sealed_for(browser, ref):
        return False
    with own_transaction() as connection:
        row = connection.execute(
            sa.update(Captcha)
            .where(Captcha.ref == ref, Captcha.spent_at.is_(None))
            .values(spent_at=now)
            .returning(
                Captcha.form,
                Captcha.image_text,
                Captcha.spoken_digits,
                Captcha.created_at,
                Captcha.expires_at,
            )
        ).one_or_none()
    if row is None or row.form != form:
        return False
    if row.created_at > latest_past(now) or row.expires_at <= now:
        return False
    text = "".join(typed.split())
    return _same(text, row.image_text) or _same(ascii_digits(text), row.spoken_digits)


def purge(now: datetime) -> int:
    """Remove image texts that can no longer be answered. Returns how many."""
    with own_transaction() as connection:
        return connection.execute(sa.delete(Captcha).where(Captcha.expires_at <= now)).rowcount


def _bound(random: str, browser: str) -> str:
    return f"{random}\n{browser}"


def _is_sealed_for(browser: str, ref: str) -> bool:
    random, seal = ref[:_RANDOM_LENGTH], ref[_RANDOM_LENGTH:]
    content = _bound(random, browser)
    return ref.isascii() and crypto.matches(content, seal, "captcha", length=_SEAL_LENGTH)


def _same(typed: str, asked: str) -> bool:
    return hmac.compare_digest(typed.encode(), asked.encode())


def _living(ref: str, now: datetime) -> sa.Row[str, str] | None:
    rate_limits.hit("captcha_image_ip", rate_limits.client_ip())
    with own_transaction(write=False) as connection:
        return connection.execute(
            sa.select(Captcha.image_text, Captcha.spoken_digits).where(
                Captcha.ref == ref[:40],
                Captcha.spent_at.is_(None),
                Captcha.created_at <= latest_past(now),
                Captcha.expires_at > now,
            )
        ).one_or_none()
