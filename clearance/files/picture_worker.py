"""Picture commands of the inspection worker: re-encode for storage, scale down for display."""

from __future__ import annotations

import io
import struct
from typing import Any

from PIL import Image, ImageOps
from PIL import WebPImagePlugin as _registers_itself  # noqa: F401 - preinit() leaves it out

from clearance.files.file_inspection_worker import MEMORY_BYTES, Answer

# Security rule 28. A JPEG can be decoded at half size or less; a PNG takes its full size in memory,
# and a WebP that size several times.
MAX_PIXELS = {"JPEG": 64 * 1024 * 1024, "PNG": 40_000_000, "WEBP": 10_000_000}
# What the libraries raise for files that they cannot read.
LIBRARY_FAULTS = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, RuntimeError),
    struct.error,
)
KEPT_QUALITY, SHOWN_QUALITY = 90, 85
KEPT_MODES = {
    "JPEG": frozenset({"L", "RGB"}),
    "PNG": frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}),
}
BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
ORIENTATION = 0x0112
PNG_DEPTH = 24  # offset of the bit depth in the header
PNG_LEVEL = 3  # half the time of the default 6, for files a tenth larger
# Pixel bytes that can be processed, limited by memory, for PNG by compression time.
LARGEST_WORK = {"JPEG": MEMORY_BYTES - 8 * 1024 * 1024, "PNG": 96 * 1024 * 1024}


def load_libraries() -> None:
    """Load the libraries before memory is limited."""
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # checked here instead


def rewrite_picture(data: bytes, form: str, keep: str) -> Answer:
    """Re-encode the picture: upright, without metadata, in at most `keep` bytes.

    form: JPEG or PNG. A picture too large for the memory or for `keep` is halved until it fits.
    """
    picture = _opened(data, form)
    depth = 2 if form == "PNG" and data[PNG_DEPTH] == 16 else 1
    if picture.width * picture.height * depth > MAX_PIXELS[form]:
        return Answer("large")
    if _scan_bytes(picture) + len(data) > LARGEST_WORK[form]:
        return Answer("complex")
    picture.verify()
    return fitting(_upright(_opened(data, form), form, len(data)), form, keep)


def convert_webp(data: bytes, keep: str) -> Answer:
    """Re-encode a WebP picture as JPEG, upright, without metadata, in at most `keep` bytes."""
    picture = _opened(data, "WEBP")
    if picture.width * picture.height > MAX_PIXELS["WEBP"]:
        return Answer("large")
    ImageOps.exif_transpose(picture, in_place=True)
    return fitting(on_white(picture), "JPEG", keep)


def draw_picture(data: bytes, width: str) -> Answer:
    """Draw a preview: JPEG on a white background, at most `width` pixels wide."""
    picture = _opened(data, "JPEG", "PNG")
    # The height is limited too, since thumbnail() decodes a JPEG only as large as needed.
    ratio = min(1, int(width) / picture.width, int(width) * 4 / picture.height)
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    if picture.format == "PNG" and _work(picture, 2) > MEMORY_BYTES:
        picture = _reduced(picture, 2)
    picture.thumbnail(size)
    result = io.BytesIO()
    on_white(picture).save(result, "JPEG", quality=SHOWN_QUALITY)
    return Answer(data=result.getvalue())


def _opened(data: bytes, *forms: str) -> Any:
    """Open the picture. Keep one reference only, so that replacing it frees its memory."""
    return Image.open(io.BytesIO(data), formats=forms)


def on_white(picture: Image.Image) -> Image.Image:
    """Return only the pixels, on white paper where the picture is transparent."""
    if picture.mode == "RGB" and "transparency" not in picture.info:
        picture.info = {}
        return picture
    shown = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    paper = Image.new("RGB", shown.size, "white")
    paper.paste(shown, mask=shown.getchannel("A"))
    return paper


def _scan_bytes(picture: Any) -> int:
    """Return the bytes a progressive JPEG takes until its last scan, whatever the output size."""
    if not picture.info.get("progressive"):
        return 0
    parts = [(across, down) for _number, across, down, _table in picture.layer]
    widest, highest = (max(part[place] for part in parts) for place in (0, 1))
    samples = sum(across * down for across, down in parts) / (widest * highest)
    return int(picture.width * picture.height * samples * 2)


def _upright(picture: Any, form: str, sent: int) -> Image.Image:
    """Return only the pixels, turned upright and scaled down to what can be processed."""
    is_turned = picture.getexif().get(ORIENTATION, 1) != 1
    is_kept = picture.mode in KEPT_MODES[form]
    copies = 1 + (is_turned or not is_kept)
    width, height = picture.size
    factor = 1
    while _work(picture, copies) // factor**2 + sent > LARGEST_WORK[form]:
        factor *= 2
    picture.draft(picture.mode, (width // factor, height // factor))
    if form == "PNG" and factor > 1:
        picture = _reduced(picture, factor)
    ImageOps.exif_transpose(picture, in_place=True)
    kept: Image.Image = picture
    if not is_kept:
        kept = picture.convert("RGB" if form == "JPEG" else "RGBA")
    kept.load()
    # A palette's transparent colour is part of the picture.
    kept.info = {key: value for key, value in kept.info.items() if key == "transparency"}
    return kept


def _work(picture: Image.Image, copies: int) -> int:
    """Return the bytes that the decoded picture and its copies take."""
    return picture.width * picture.height * BYTES_A_PIXEL.get(picture.mode, 4) * copies


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """Return the picture `factor` times smaller each way, without another full-size copy.

    Averages plain colours only: palette indexes cannot be averaged, and transparency needs a copy.
    """
    if picture.mode in {"L", "RGB"}:
        return picture.reduce(factor)
    size = (max(1, picture.width // factor), max(1, picture.height // factor))
    return picture.resize(size, Image.Resampling.NEAREST)


def fitting(picture: Image.Image, form: str, keep: str) -> Answer:
    """Return the picture encoded, halved until it fits into `keep` bytes."""
    result = _encoded(picture, form)
    while len(result) > int(keep):
        picture = _reduced(picture, 2)
        result = _encoded(picture, form)
    return Answer(pages=1, data=result)


def _encoded(picture: Image.Image, form: str) -> bytes:
    result = io.BytesIO()
    options = {"quality": KEPT_QUALITY} if form == "JPEG" else {"compress_level": PNG_LEVEL}
    picture.save(result, form, **options)
    return result.getvalue()
