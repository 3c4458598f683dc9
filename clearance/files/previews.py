"""Document previews: one picture per PDF page, photos scaled down; cached in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from flask_babel import lazy_gettext as _l

from clearance.core.errors import DomainError
from clearance.files import file_inspection
from clearance.files.validation import JPEG, PDF, PNG

PAGE_WIDTH = 1200
THUMBNAIL_WIDTH = 240
WIDTHS = (THUMBNAIL_WIDTH, PAGE_WIDTH)
CACHE_BYTES = 32 * 1024 * 1024
ENTRY_BYTES = 500  # overhead of an entry besides its picture

Key = tuple[str, int, int]  # hash of the file, page, width


@dataclass(frozen=True)
class Picture:
    """A preview to show on a page."""

    media_type: str
    data: bytes


class PageNotDrawn(DomainError):
    """The page exceeds the drawing limits; retrying does not help."""

    status_code = 422
    message = _l("This page cannot be shown here. Download the document to read it.")


class PictureCache:
    """Thread-safe LRU cache of `limit` bytes; None: a page that could not be drawn."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Key, Picture | None] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Picture:
        """Return the picture. Raises KeyError if it is not cached; PageNotDrawn."""
        with self._lock:
            self._kept.move_to_end(key)
            picture = self._kept[key]
        if picture is None:
            raise PageNotDrawn
        return picture

    def put(self, key: Key, picture: Picture | None) -> None:
        """Cache a picture, evicting the least recently used ones."""
        with self._lock:
            if key not in self._kept:
                self._size += _size(picture)
                self._kept[key] = picture
            while self._size > self._limit:
                self._size -= _size(self._kept.popitem(last=False)[1])


def _size(picture: Picture | None) -> int:
    return ENTRY_BYTES + (len(picture.data) if picture else 0)


cache = PictureCache(CACHE_BYTES)


def draw(data: bytes, media_type: str, page: int, width: int, account: str = "") -> Picture | None:
    """Draw a page (from 1) of a checked file, at most `width` pixels wide.

    account: see `file_inspection`. Returns None for a page that cannot be drawn within the limits,
    now or later. Raises file_inspection.Busy.
    """
    if media_type == PDF:
        answer = file_inspection.draw_page(data, page, width, account)
        return None if answer.fault else Picture(PNG, answer.data)
    answer = file_inspection.draw_picture(data, width, account)
    return None if answer.fault else Picture(JPEG, answer.data)
