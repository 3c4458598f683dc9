"""Pictures inside the file process: written anew as they are kept, and made smaller for pages."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageOps

from clearance.files.file_inspection_worker import MEMORY_BYTES, Answer

# A PNG is unpacked whole; a JPEG can be unpacked at half its size and less. Security rule 28.
MAX_PIXELS = {"JPEG": 64 * 1024 * 1024, "PNG": 40_000_000}
KEPT_QUALITY, SHOWN_QUALITY = 90, 85
KEPT_MODES = {
    "JPEG": frozenset({"L", "RGB"}),
    "PNG": frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}),
}
BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
ORIENTATION = 0x0112
PNG_DEPTH = 24  # place of the bits a colour in the header
PNG_LEVEL = 3  # takes half the time of the usual 6, and makes the file a tenth larger
# Bytes of pixels that can be worked on: by the memory, for PNG by the time that packing takes.
LARGEST_WORK = {"JPEG": MEMORY_BYTES - 8 * 1024 * 1024, "PNG": 96 * 1024 * 1024}


def load_libraries() -> None:
    """Load what each picture needs, before memory is limited."""
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # they are counted here


def rewrite_picture(data: bytes, form: str, keep: str) -> Answer:
    """Write the picture alone: upright, without metadata, in `keep` bytes at most.

    form: JPEG or PNG. What is too large for the memory or for `keep` is made smaller by halves.
    """
    picture = _opened(data, form)
    depth = 2 if form == "PNG" and data[PNG_DEPTH] == 16 else 1
    if picture.width * picture.height * depth > MAX_PIXELS[form]:
        return Answer("large")
    if _scan_bytes(picture) + len(data) > LARGEST_WORK[form]:
        return Answer("complex")
    picture.verify()
    kept = _upright(_opened(data, form), form, len(data))
    result = _encoded(kept, form)
    while len(result) > int(keep):
        kept = _reduced(kept, 2)
        result = _encoded(kept, form)
    return Answer(pages=1, data=result)


def draw_picture(data: bytes, width: str) -> Answer:
    """Make a picture for a page: JPEG on white paper, `width` pixels wide at most."""
    picture = _opened(data, "JPEG", "PNG")
    # Not four times as high as wide: a thumbnail unpacks a JPEG no larger than the whole of it.
    ratio = min(1, int(width) / picture.width, int(width) * 4 / picture.height)
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    if picture.format == "PNG" and _work(picture, 2) > MEMORY_BYTES:
        picture = _reduced(picture, 2)
    picture.thumbnail(size)
    shown = picture.convert("RGBA")
    paper = Image.new("RGBA", shown.size, "white")
    paper.alpha_composite(shown)
    result = io.BytesIO()
    paper.convert("RGB").save(result, "JPEG", quality=SHOWN_QUALITY)
    return Answer(data=result.getvalue())


def _opened(data: bytes, *forms: str) -> Any:
    """The picture, to be held by one name only: what is made of it takes its memory's place."""
    return Image.open(io.BytesIO(data), formats=forms)


def _scan_bytes(picture: Any) -> int:
    """What a progressive JPEG takes until its last scan is read, whatever size it is drawn at."""
    if not picture.info.get("progressive"):
        return 0
    parts = [(across, down) for _number, across, down, _table in picture.layer]
    widest, highest = (max(part[place] for part in parts) for place in (0, 1))
    samples = sum(across * down for across, down in parts) / (widest * highest)
    return int(picture.width * picture.height * samples * 2)


def _upright(picture: Any, form: str, sent: int) -> Image.Image:
    """The pixels alone, turned as they are to be looked at, and small enough to be worked on."""
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
    # The transparent colour of a palette belongs to the pixels.
    kept.info = {key: value for key, value in kept.info.items() if key == "transparency"}
    return kept


def _work(picture: Image.Image, copies: int) -> int:
    """Bytes that the unpacked picture and its copies take."""
    return picture.width * picture.height * BYTES_A_PIXEL.get(picture.mode, 4) * copies


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """The picture `factor` times smaller each way, without another copy of it at full size.

    Colours are averaged, but the numbers of a palette cannot be, and transparency copies first.
    """
    if picture.mode in {"L", "RGB"}:
        return picture.reduce(factor)
    size = (max(1, picture.width // factor), max(1, picture.height // factor))
    return picture.resize(size, Image.Resampling.NEAREST)


def _encoded(picture: Image.Image, form: str) -> bytes:
    result = io.BytesIO()
    options = {"quality": KEPT_QUALITY} if form == "JPEG" else {"compress_level": PNG_LEVEL}
    picture.save(result, form, **options)
    return result.getvalue()
