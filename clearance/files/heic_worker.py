"""HEIC command of the inspection worker: photos as iPhones keep them."""

from __future__ import annotations

from typing import Any

import pillow_heif
from PIL import Image

from clearance.files import picture_worker
from clearance.files.file_inspection_worker import Answer

LIBRARY_FAULTS = picture_worker.LIBRARY_FAULTS
# A decoded photo and its copy in Pillow fit into the memory up to WHOLE; larger ones are halved
# strip by strip. Beyond MAX_PIXELS the decoder itself needs too much.
MAX_PIXELS, WHOLE_PIXELS = 32_000_000, 16_000_000
STRIP_ROWS = 256
OUT_OF_MEMORY = "Memory allocation error"  # how the library's errors begin


def load_libraries() -> None:
    """Load the libraries before memory is limited."""
    picture_worker.load_libraries()
    pillow_heif.options.DECODE_THREADS = 1


def convert_heic(data: bytes, keep: str) -> Answer:
    """Re-encode the photo as JPEG, upright, without metadata, in at most `keep` bytes.

    Raises: MemoryError when the decoder needs more than the limit, such as for 10-bit colours.
    """
    photo = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)[0]
    pixels = photo.size[0] * photo.size[1]
    if pixels > MAX_PIXELS:
        return Answer("large")
    try:
        kept = _rows(photo, 0, photo.size[1]) if pixels <= WHOLE_PIXELS else _halved(photo)
    except RuntimeError as fault:
        if OUT_OF_MEMORY in str(fault):
            raise MemoryError from fault
        raise
    return picture_worker.fitting(picture_worker.on_white(kept), "JPEG", keep)


def _halved(photo: Any) -> Image.Image:
    width, height = photo.size
    kept = Image.new(photo.mode, ((width + 1) // 2, (height + 1) // 2))
    for top in range(0, height, STRIP_ROWS):
        kept.paste(_rows(photo, top, min(STRIP_ROWS, height - top)).reduce(2), (0, top // 2))
    return kept


def _rows(photo: Any, top: int, count: int) -> Image.Image:
    part = photo.data[top * photo.stride : (top + count) * photo.stride]
    size = (photo.size[0], count)
    return Image.frombuffer(photo.mode, size, part, "raw", photo.mode, photo.stride)
