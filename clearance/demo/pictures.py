"""Placeholder pictures for demo documents, each marked as a specimen."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw, ImageFont

MEDIA_TYPE = "image/jpeg"
FACES = 5  # number of portraits
INK, SEA, SAND, PAPER = "#1f2937", "#0b4f71", "#efe6d2", "#fdfcf8"
_COATS = (SEA, "#5b3a29", "#3d5a45", "#5a3f6e", "#374151")


@cache
def specimen(kind: str, face: int = 0) -> tuple[str, bytes]:
    """Return (display name, JPEG bytes) of a document of `kind`. face: which portrait, if any."""
    label, draw = _SPECIMENS[kind]
    return f"{label}.jpg", draw(face % FACES)


def _card(heading: str) -> Callable[[int], bytes]:
    def draw_card(face: int) -> bytes:
        image, draw = _sheet(860, 540)
        draw.rectangle((0, 0, 860, 90), fill=SEA)
        draw.text((30, 25), f"{heading} (invented)", fill="white", font=_font(36))
        draw.rounded_rectangle((40, 130, 260, 420), 16, fill=SAND, outline=INK, width=3)
        _person(draw, 150, 260, 70, face)
        for row in range(6):
            top = 150 + 48 * row
            draw.rectangle((310, top, 780 - 60 * (row % 3), top + 22), fill="#c9d3da")
        return _marked(image, draw)

    return draw_card


def _portrait(face: int) -> bytes:
    image, draw = _sheet(600, 750)
    _person(draw, 300, 330, 150, face)
    return _marked(image, draw)


def _letter(heading: str) -> Callable[[int], bytes]:
    def draw_letter(face: int) -> bytes:
        image, draw = _sheet(840, 1180)
        draw.rectangle((80, 80, 760, 96), fill=SEA)
        draw.ellipse((380, 130, 460, 210), outline=SEA, width=6)
        draw.text((80, 228), f"{heading} (invented)", fill=INK, font=_font(28))
        for row in range(16):
            end = 760 if row % 5 else 560
            draw.rectangle((80, 290 + 46 * row, end, 304 + 46 * row), fill="#b9c2c9")
        draw.ellipse((120, 1010, 240, 1130), outline="#7c2d12", width=6)
        return _marked(image, draw)

    return draw_letter


_SPECIMENS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "civil_id_copy": ("البطاقة المدنية", _card("CIVIL ID")),
    "passport_copy": ("جواز السفر", _card("PASSPORT")),
    "photo": ("الصورة الشخصية", _portrait),
    "good_conduct": ("شهادة حسن سيرة وسلوك", _letter("GOOD CONDUCT")),
    "bank_guarantee": ("الضمان البنكي", _letter("BANK GUARANTEE")),
    "office_letter": ("كتاب المكتب", _letter("LETTER OF THE OFFICE")),
    "loss_report": ("بلاغ فقدان", _letter("REPORT OF LOSS")),
    "transfer_letter": ("كتاب المكتب الجديد", _letter("LETTER OF THE NEW OFFICE")),
    "release_letter": ("كتاب عدم ممانعة", _letter("RELEASE")),
    "other": ("كشف بأسماء المخلصين", _letter("LIST OF BROKERS")),
}


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), PAPER)
    return image, ImageDraw.Draw(image)


def _person(draw: ImageDraw.ImageDraw, x: int, y: int, size: int, face: int) -> None:
    draw.ellipse((x - size // 2, y - size, x + size // 2, y + size // 5), fill="#c8a27a")
    draw.pieslice((x - size, y + size // 5, x + size, y + 2 * size), 180, 360, fill=_COATS[face])


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _marked(image: Image.Image, draw: ImageDraw.ImageDraw) -> bytes:
    font = _font(max(28, image.width // 14))
    draw.text((image.width // 5, image.height - 80), "SPECIMEN", fill="#b45309", font=font)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return data.getvalue()
