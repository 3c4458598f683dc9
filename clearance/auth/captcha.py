"""Captcha: create, draw, speak and check image texts."""

from __future__ import annotations

import array
import hmac
import io
import secrets
import sys
import wave
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from captcha.image import ImageCaptcha
from flask import current_app
from PIL import ImageOps

from clearance.auth import rate_limits
from clearance.core import crypto
from clearance.core.clock import latest_past
from clearance.core.database import own_transaction
from clearance.core.values import ascii_digits
from clearance.models import Captcha

LIFETIME = timedelta(minutes=5)
PATIENCE = timedelta(seconds=10)  # of a second click with a first one that never ended
_RANDOM_LENGTH = 22  # 128 bits
_SEAL_LENGTH = 18


def new(form: str, browser: str, now: datetime) -> str:
    """Create an image text for `form` (a short name), in its own transaction.

    browser: a secret held only by the requesting browser. Returns the reference for the page:
    random, and sealed for that browser. The text leaves the server only as a picture or speech.
    Raises: TooManyTries. Source: security rules 13 and 41.
    """
    rate_limits.consume("captcha_ip", rate_limits.client_ip())
    random = secrets.token_urlsafe(16)
    ref = random + crypto.keyed_hash(_bound(random, browser), "captcha")[:_SEAL_LENGTH]
    fixed = current_app.extensions["settings"].captcha_fixed
    with own_transaction() as connection:
        connection.execute(
            sa.insert(Captcha).values(
                ref=ref,
                form=form,
                image_text=fixed or new_text(),
                spoken_digits=new_digits(),
                created_at=now,
                expires_at=now + LIFETIME,
            )
        )
    return ref


def image(ref: str, now: datetime) -> bytes | None:
    """Return the PNG of an unexpired image text, else None. Raises: TooManyTries."""
    row = _living(ref, now)
    return draw_image(row.image_text) if row is not None else None


def sound(ref: str, lang: str, now: datetime) -> bytes | None:
    """Return a WAV of an unexpired image text's digits in `lang` ("ar", "en"), else None.

    Raises: TooManyTries.
    """
    row = _living(ref, now)
    return speak(row.spoken_digits, lang) if row is not None else None


def spend(ref: str, form: str, browser: str, typed: str, now: datetime) -> bool:
    """Use up the image text; return whether `typed` is its text or its spoken digits.

    Valid only for the form and browser it was made for, for 5 minutes; case-insensitive. A post
    from another browser does not use it up. Runs in its own transaction; call it before any
    look-up.
    Source: security rule 14.
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
        is_right = row is not None and _answers(row, form, typed, now)
        if row is not None and not is_right:
            connection.execute(sa.delete(Captcha).where(Captcha.ref == ref))
    return is_right


def is_being_answered(ref: str, browser: str, now: datetime) -> bool:
    """Return whether a submission that answered the image rightly is still running."""
    if not _is_sealed_for(browser, ref):
        return False
    running = sa.select(Captcha.ref).where(Captcha.ref == ref, Captcha.spent_at > now - PATIENCE)
    with own_transaction(write=False) as connection:
        return connection.execute(running).first() is not None


def settle(ref: str, browser: str) -> None:
    """Forget an image text that was used up: the submission that it belonged to has ended."""
    if not _is_sealed_for(browser, ref):
        return
    with own_transaction() as connection:
        connection.execute(
            sa.delete(Captcha).where(Captcha.ref == ref, Captcha.spent_at.is_not(None))
        )


def purge(now: datetime) -> int:
    """Delete image texts that can no longer be answered. Returns how many."""
    with own_transaction() as connection:
        return connection.execute(sa.delete(Captcha).where(Captcha.expires_at <= now)).rowcount


def _bound(random: str, browser: str) -> str:
    return f"{random}\n{browser}"


def _is_sealed_for(browser: str, ref: str) -> bool:
    random, seal = ref[:_RANDOM_LENGTH], ref[_RANDOM_LENGTH:]
    content = _bound(random, browser)
    return ref.isascii() and crypto.matches(content, seal, "captcha", length=_SEAL_LENGTH)


def _answers(row: Any, form: str, typed: str, now: datetime) -> bool:
    """Return whether `typed` answers an unexpired image text of `form`."""
    if row.form != form or row.created_at > latest_past(now) or row.expires_at <= now:
        return False
    text = "".join(typed.split())
    return _same(text, row.image_text) or _same(ascii_digits(text), row.spoken_digits)


def _same(typed: str, asked: str) -> bool:
    return hmac.compare_digest(typed.encode(), asked.encode())


def _living(ref: str, now: datetime) -> sa.Row[str, str] | None:
    rate_limits.consume("captcha_image_ip", rate_limits.client_ip())
    with own_transaction(write=False) as connection:
        return connection.execute(
            sa.select(Captcha.image_text, Captcha.spoken_digits).where(
                Captcha.ref == ref[:40],
                Captcha.spent_at.is_(None),
                Captcha.created_at <= latest_past(now),
                Captcha.expires_at > now,
            )
        ).one_or_none()


ALPHABET = "ABDEFGHLMNRTabdefhmnrt2345678"
LENGTH = 6
WIDTH, HEIGHT = 240, 80

_PAPER = (250, 248, 243)
_RATE = 8000
_LONGEST_NOISE = _RATE
_PAUSE_MILLISECONDS = (350, 650)
_NOISE_LEVEL = 400
_LOUDNESS_PERCENT = (80, 110)


class _Art(ImageCaptcha):  # type: ignore[misc] # the captcha package is untyped
    """The package's drawing, adjusted to be readable."""

    character_rotate = (-18, 18)
    character_warp_dx = (0.05, 0.15)
    character_warp_dy = (0.05, 0.15)
    word_space_probability = 1.0
    word_offset_dx = 0.04
    lookup_table = list(range(256))


_art = _Art(width=WIDTH, height=HEIGHT, font_sizes=(50, 54, 58))


def new_text() -> str:
    """Return six characters to draw, without look-alikes.

    Source: security requirement 13.
    """
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def new_digits() -> str:
    """Return six digits to speak."""
    return "".join(secrets.choice("0123456789") for _ in range(LENGTH))


def draw_image(text: str) -> bytes:
    """Return a 240 × 80 pixel PNG of `text`, dark on light, slightly distorted and dotted."""
    # Draw white on black and colour afterwards: the package renders dark letters too pale.
    shape = _art.generate_image(text, bg_color=(0, 0, 0), fg_color=(255, 255, 255, 255))
    ink = tuple(secrets.randbelow(100) for _ in range(3))
    picture = ImageOps.colorize(shape.convert("L"), black=_PAPER, white=ink)
    target = io.BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


@cache
def _digit_samples(digit: str, lang: str) -> array.array[int]:
    recording = files("clearance.auth") / "sounds" / lang / f"{digit}.wav"
    with recording.open("rb") as file, wave.open(file) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _between(bounds: tuple[int, int]) -> int:
    return bounds[0] + secrets.randbelow(bounds[1] - bounds[0] + 1)


def _hiss(length: int) -> list[int]:
    """Return `length` samples of soft noise; up to one second is generated and then repeated."""
    span = 2 * _NOISE_LEVEL + 1
    random = array.array("H", secrets.token_bytes(2 * min(length, _LONGEST_NOISE)))
    stretch = [value % span - _NOISE_LEVEL for value in random]
    return (stretch * (length // max(len(stretch), 1) + 1))[:length]


def speak(digits: str, lang: str) -> bytes:
    """Return a WAV (8 kHz, 16 bit, mono) of the digits spoken one by one over soft noise.

    lang: `ar` or `en`; any other falls back to English. Pauses and loudness vary each time.
    Raises: ValueError for anything but the digits 0 to 9.
    """
    if not digits or not (digits.isascii() and digits.isdigit()):
        raise ValueError("only digits can be spoken")
    voice = lang if lang == "ar" else "en"
    spoken: list[int] = []
    for digit in digits:
        loudness = _between(_LOUDNESS_PERCENT)
        spoken += [0] * (_RATE * _between(_PAUSE_MILLISECONDS) // 1000)
        spoken += [sample * loudness // 100 for sample in _digit_samples(digit, voice)]
    spoken += [0] * (_RATE // 3)
    mixed = zip(spoken, _hiss(len(spoken)), strict=True)
    samples = array.array("h", (sample + noise for sample, noise in mixed))
    if sys.byteorder == "big":
        samples.byteswap()
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(samples.tobytes())
    return target.getvalue()
