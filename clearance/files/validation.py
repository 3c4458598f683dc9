"""Validate uploads: check that a file is what it claims and harmless; clean pictures.

Extension, first bytes and parsing must agree on PDF, JPEG or PNG. Pictures are re-encoded, which
drops metadata and hidden content. A PDF keeps its bytes, since a signature in it would not survive
rewriting, so it must be clean as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import filetype
from flask_babel import lazy_gettext as _l

from clearance.core.values import BadValue
from clearance.files import file_inspection

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
ENDINGS = {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG}
# Types that may be uploaded larger than they are stored: cameras make such files.
MADE_SMALLER = frozenset({JPEG})

_PDF_FAULTS = {
    "encrypted": _l("This PDF is protected. Save it without a password and choose it again."),
    "active": _l(
        "This PDF contains a program or another file. Print it to a new PDF and choose that one."
    ),
    "long": _l("This PDF is too long. Choose one with only the pages that are needed."),
    "complex": _l(
        "This PDF is too complex to be read here. Print it to a new PDF, or scan the page at a "
        "lower resolution, and choose that one."
    ),
    "broken": _l("This PDF is damaged. Save or print it to a new PDF and choose that one."),
}
_PICTURE_FAULTS = {
    "large": _l(
        "This image has too many pixels. The limit is 64 million for a JPEG and 40 million "
        "for a PNG, or half of that with 16 bits per colour. Save it at a smaller size and "
        "choose the new file."
    ),
    "complex": _l(
        "This image is too complex to be read here. Save it at a smaller size, as an "
        "ordinary JPEG, and choose the new file."
    ),
    "broken": _l("This image is damaged. Open it, save it again and choose the new file."),
}


class BadFile(BadValue):
    """A rejected file; `message` says in plain words why and what to do."""


@dataclass(frozen=True)
class CleanFile:
    """The file to store. data: the bytes. pages: 1 for a picture."""

    media_type: str
    data: bytes
    pages: int


def kind_by_name(name: str) -> str | None:
    """Return the media type for a name's extension, or None if it is not accepted."""
    return ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None


def clean_file(name: str, data: bytes, keep: int, account: str = "") -> CleanFile:
    """Check and clean a file. Slow (up to some seconds): call it outside a transaction.

    name: as shown to people, already cleaned (`values.file_label`). data: all of its bytes.
    keep: maximum bytes of the resulting picture. account: see `file_inspection`.
    Raises BadFile, file_inspection.Busy. Source: security requirement 28.
    """
    media_type = kind_by_name(name)
    if media_type is None:
        raise BadFile(_l("Choose a PDF, JPEG or PNG file. Other file types are not accepted."))
    if not data:
        raise BadFile(_l("This file is empty. Choose it again."))
    found = filetype.guess(data)
    if found is None or found.mime != media_type:
        raise BadFile(
            _l(
                "The content of this file does not match its name. Save it as PDF, JPEG or "
                "PNG and choose it again."
            )
        )
    if media_type == PDF:
        return CleanFile(PDF, data, _checked_pdf(data, account))
    return CleanFile(media_type, _rewritten_picture(data, media_type, keep, account), 1)


def _checked_pdf(data: bytes, account: str) -> int:
    """Return the number of pages. Raises BadFile, file_inspection.Busy."""
    if not data.startswith(b"%PDF-") or not _ends_as_pdf(data):
        raise BadFile(_PDF_FAULTS["broken"])
    answer = file_inspection.check_pdf(data, account)
    if answer.fault:
        raise BadFile(_PDF_FAULTS[answer.fault])
    return answer.pages


def _ends_as_pdf(data: bytes) -> bool:
    """Return whether only white space follows the end, so that it is no other format as well."""
    return data.rstrip(b"\0\t\n\f\r ").endswith(b"%%EOF")


def _rewritten_picture(data: bytes, media_type: str, keep: int, account: str) -> bytes:
    """Return the picture re-encoded by `rewrite_picture`. Raises BadFile, file_inspection.Busy."""
    form = "JPEG" if media_type == JPEG else "PNG"
    answer = file_inspection.rewrite_picture(data, form, keep, account)
    if answer.fault:
        raise BadFile(_PICTURE_FAULTS[answer.fault])
    return answer.data
