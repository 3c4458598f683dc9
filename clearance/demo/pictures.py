"""Pictures that stand in for documents in the demo world, each marked as a specimen."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

INK, SEA, SAND, PAPER = "#1f2937", "#0b4f71", "#efe6d2", "#fdfcf8"


def specimens() -> dict[str, tuple[str, bytes]]:
    """Return document kind → (name shown, JPEG bytes) for what an exam request needs."""
    return {
        "civil_id_copy": ("البطاقة المدنية.jpg", _card()),
        "photo": ("الصورة الشخصية.jpg", _portrait()),
        "good_conduct": ("شهادة حسن سيرة وسلوك.jpg", _letter()),
    }


def _card() -> bytes:
    image, draw = _sheet(860, 540)
    draw.rectangle((0, 0, 860, 90), fill=SEA)
    draw.text((30, 25), "CIVIL ID (invented)", fill="white", font=ImageFont.load_default(36))
    draw.rounded_rectangle((40, 130, 260, 420), 16, fill=SAND, outline=INK, width=3)
    _person(draw, 150, 260, 70)
    for row in range(6):
        draw.rectangle((310, 150 + 48 * row, 780 - 60 * (row % 3), 172 + 48 * row), fill="#c9d3da")
    return _marked(image, draw)


def _portrait() -> bytes:
    image, draw = _sheet(600, 750)
    _person(draw, 300, 330, 150)
    return _marked(image, draw)


def _letter() -> bytes:
    image, draw = _sheet(840, 1180)
    draw.rectangle((80, 80, 760, 96), fill=SEA)
    draw.ellipse((380, 130, 460, 210), outline=SEA, width=6)
    for row in range(16):
        end = 760 if row % 5 else 560
        draw.rectangle((80, 280 + 46 * row, end, 294 + 46 * row), fill="#b9c2c9")
    draw.ellipse((120, 1010, 240, 1130), outline="#7c2d12", width=6)
    return _marked(image, draw)


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), PAPER)
    return image, ImageDraw.Draw(image)


def _person(draw: ImageDraw.ImageDraw, x: int, y: int, size: int) -> None:
    draw.ellipse((x - size // 2, y - size, x + size // 2, y + size // 5), fill="#c8a27a")
    draw.pieslice((x - size, y + size // 5, x + size, y + 2 * size), 180, 360, fill=SEA)


def _marked(image: Image.Image, draw: ImageDraw.ImageDraw) -> bytes:
    font = ImageFont.load_default(max(28, image.width // 14))
    draw.text((image.width // 5, image.height - 80), "SPECIMEN", fill="#b45309", font=font)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return data.getvalue()
