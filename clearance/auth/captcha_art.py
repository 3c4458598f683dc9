"""The image text as a picture and as speech: pure drawing, no memory of what was asked."""

from __future__ import annotations

import array
import io
import secrets
import sys
import wave
from functools import cache
from importlib.resources import files

from captcha.image import ImageCaptcha
from PIL import ImageOps

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
    """The package's drawing, bent so that people can read it."""

    character_rotate = (-18, 18)
    character_warp_dx = (0.05, 0.15)
    character_warp_dy = (0.05, 0.15)
    word_space_probability = 1.0
    word_offset_dx = 0.04
    lookup_table = list(range(256))


_art = _Art(width=WIDTH, height=HEIGHT, font_sizes=(50, 54, 58))


def new_text() -> str:
    """Six characters to draw, of those that cannot be taken for one another.

    Source: security requirement 13.
    """
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def new_digits() -> str:
    """Six digits to speak."""
    return "".join(secrets.choice("0123456789") for _ in range(LENGTH))


def draw_image(text: str) -> bytes:
    """A PNG of 240 × 80 pixels that shows `text`, dark on light, a little bent and dotted."""
    # Drawn white on black and coloured afterwards: the package pales its letters as ink darkens.
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
    """Soft noise of `length` samples; a stretch of up to a second is repeated, to be quick."""
    span = 2 * _NOISE_LEVEL + 1
    random = array.array("H", secrets.token_bytes(2 * min(length, _LONGEST_NOISE)))
    stretch = [value % span - _NOISE_LEVEL for value in random]
    return (stretch * (length // max(len(stretch), 1) + 1))[:length]


def speak(digits: str, lang: str) -> bytes:
    """A WAV (8 kHz, 16 bit, mono) of the digits read out one by one over soft noise.

    lang: `ar` or `en`; any other language hears English. Pauses and loudness differ each time.
    Raises: ValueError when there is anything but the digits 0 to 9.
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
