"""Decides whether an uploaded file is what it says and harmless, and cleans what can be cleaned.

A file is a PDF, JPEG or PNG by its ending, by its first bytes and by parsing, all alike. Pictures
are written anew, which drops their metadata and whatever was hidden behind them. A PDF keeps its
bytes, since a signature in it would not survive, so it must be clean as it is.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from threading import BoundedSemaphore

import filetype
from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps

from clearance import pdf_process
from clearance.values import BadValue

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
ENDINGS = {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG}
MAX_PIXELS = 40_000_000
JPEG_QUALITY = 90

_BAD_PICTURE = (
    *(OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError),
    *(struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning),
)
_PDF_FAULTS = {
    "encrypted": _l("This PDF is protected. Save it without a password and choose it again."),
    "active": _l(
        "This PDF contains a program or another file. Print it to a new PDF and choose that one."
    ),
    "long": _l("This PDF is too long. Choose one with only the pages that are needed."),
    "broken": _l("This PDF is damaged. Save or print it to a new PDF and choose that one."),
}
# A picture of 40 million pixels takes some 300 MB while it is written anew.
_decoding = BoundedSemaphore(2)


class BadFile(BadValue):
    """A file that is not taken; `message` says in plain words why and what to do."""


@dataclass(frozen=True)
class CleanFile:
    """What will be kept. data: the bytes. pages: 1 for a picture."""

    media_type: str
    data: bytes
    pages: int


def clean_file(name: str, data: bytes) -> CleanFile:
    """Check and clean a file; slow (up to some seconds), so not inside a transaction.

    name: as shown to people, already cleaned (`values.file_label`). data: all of its bytes.
    Raises BadFile. Source: security requirement 28.
    """
    media_type = ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if media_type is None:
        raise BadFile(_l("Choose a PDF, JPEG or PNG file; other kinds are not accepted."))
    if not data:
        raise BadFile(_l("This file is empty. Choose it again from where it is kept."))
    found = filetype.guess(data)
    if found is None or found.mime != media_type:
        raise BadFile(
            _l(
                "The content of this file is not what its name says. "
                "Save it as PDF, JPEG or PNG and choose it again."
            )
        )
    if media_type == PDF:
        return CleanFile(PDF, data, _checked_pdf(data))
    with _decoding:
        return CleanFile(media_type, _rewritten_picture(data, media_type), 1)


def _checked_pdf(data: bytes) -> int:
    """Return the number of pages. Raises BadFile."""
    if not data.startswith(b"%PDF-") or not _ends_as_pdf(data):
        raise BadFile(_PDF_FAULTS["broken"])
    try:
        verdict = pdf_process.check(data)
    except pdf_process.PdfFailure:
        raise BadFile(_PDF_FAULTS["broken"]) from None
    if verdict.fault:
        raise BadFile(_PDF_FAULTS[verdict.fault])
    return verdict.pages


def _ends_as_pdf(data: bytes) -> bool:
    """Whether nothing but white space follows the end, so that it is no other kind of file too."""
    return data.rstrip(b"\0\t\n\f\r ").endswith(b"%%EOF")


def _rewritten_picture(data: bytes, media_type: str) -> bytes:
    """Return the picture alone: upright, without metadata. Raises BadFile."""
    form = "JPEG" if media_type == JPEG else "PNG"
    try:
        with Image.open(io.BytesIO(data), formats=[form]) as picture:
            pixels = picture.width * picture.height
            if pixels <= MAX_PIXELS:
                picture.verify()
    except Image.DecompressionBombError:
        pixels = MAX_PIXELS + 1
    except _BAD_PICTURE:
        raise _damaged_picture() from None
    if pixels > MAX_PIXELS:
        raise BadFile(
            _l(
                "This picture has more than %(limit)d million pixels. Save it smaller.",
                limit=MAX_PIXELS // 1_000_000,
            )
        )
    try:
        with Image.open(io.BytesIO(data), formats=[form]) as picture:
            return _encoded(ImageOps.exif_transpose(picture), form)
    except _BAD_PICTURE:
        raise _damaged_picture() from None


def _encoded(picture: Image.Image, form: str) -> bytes:
    result = io.BytesIO()
    if form == "JPEG":
        kept = picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")
        _bare(kept).save(result, "JPEG", quality=JPEG_QUALITY)
    else:
        modes = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
        kept = picture if picture.mode in modes else picture.convert("RGBA")
        _bare(kept).save(result, "PNG")
    return result.getvalue()


def _bare(picture: Image.Image) -> Image.Image:
    """The pixels without what the file said beside them (transparency of a palette excepted)."""
    picture.load()
    picture.info = {k: v for k, v in picture.info.items() if k == "transparency"}
    return picture


def _damaged_picture() -> BadFile:
    return BadFile(_l("This picture is damaged. Open it, save it again and choose the new file."))
