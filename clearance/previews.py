"""Pictures of documents for the page: one per PDF page, photos made smaller; kept for a while."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock

from flask_babel import lazy_gettext as _l
from PIL import Image

from clearance import pdf_process
from clearance.errors import ServiceUnavailable
from clearance.file_checks import JPEG, PDF, PNG

PAGE_WIDTH = 1200
THUMBNAIL_WIDTH = 240
WIDTHS = (THUMBNAIL_WIDTH, PAGE_WIDTH)
JPEG_QUALITY = 85
CACHE_BYTES = 32 * 1024 * 1024

_decoding = BoundedSemaphore(2)


@dataclass(frozen=True)
class Picture:
    """A picture that a page may show."""

    media_type: str
    data: bytes


class PictureCache:
    """The pictures asked for last, as many as fit in `limit` bytes; safe among threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[tuple[str, int, int], Picture] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, int, int]) -> Picture | None:
        """Return the picture of (hash of the file, page, width), if it is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, int, int], picture: Picture) -> None:
        """Keep a picture, letting go of those not asked for longest."""
        with self._lock:
            if key not in self._kept:
                self._size += len(picture.data)
                self._kept[key] = picture
            while self._size > self._limit:
                self._size -= len(self._kept.popitem(last=False)[1].data)


cache = PictureCache(CACHE_BYTES)


def draw(data: bytes, media_type: str, page: int, width: int) -> Picture:
    """Make the picture of a page (from 1) of a checked file, `width` pixels wide at most.

    Raises ServiceUnavailable for a page that cannot be drawn.
    """
    if media_type == PDF:
        try:
            return Picture(PNG, pdf_process.render(data, page, width))
        except pdf_process.PdfFailure:
            raise ServiceUnavailable(
                _l("This page cannot be shown here. Download the document to read it.")
            ) from None
    with _decoding:
        return Picture(JPEG, _smaller(data, width))


def _smaller(data: bytes, width: int) -> bytes:
    result = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as picture:
        picture.draft("RGB", (width, width * 4))
        picture.thumbnail((width, width * 4))
        shown = picture.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        paper.alpha_composite(shown)
        paper.convert("RGB").save(result, "JPEG", quality=JPEG_QUALITY)
    return result.getvalue()
