"""Validate uploads: judge a file by its content, and make it harmless.

The name must be that of a type that we take, but the content decides. Pictures are re-encoded,
which drops metadata and hidden content. A PDF keeps its bytes, since a signature in it would not
survive rewriting, unless it needs a repair or carries what can be removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import filetype
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from clearance.core.values import BadValue
from clearance.files import file_inspection

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
HEIC, WEBP = "image/heic", "image/webp"
HEIC_OF_10_BITS = b"ftypheix"  # the brand (ISO/IEC 23008-12) that `filetype` does not know
ENDINGS = {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG}
# Taken and kept as JPEG. They are not offered to browsers: an iPhone that is asked for JPEG turns
# its photos into JPEG itself, whatever their size.
CONVERTED = {"heic": HEIC, "heif": HEIC, "webp": WEBP}
# Types that may be uploaded larger than they are stored: cameras make such files.
MADE_SMALLER = frozenset({JPEG, HEIC, WEBP})
# What people have in place of a PDF.
DOCUMENTS = frozenset(
    {"doc", "docx", "odt", "rtf", "pages", "xls", "xlsx", "ppt", "pptx", "tif", "tiff"}
)
PDF_HEADER_WITHIN = 1024  # readers find the header after some other bytes, too
_FORMS = {JPEG: "JPEG", PNG: "PNG", HEIC: "HEIC", WEBP: "WEBP"}

CRASHED = _l(
    "We could not check this file and have recorded the problem. Save it as a new PDF or JPEG and "
    "choose that one."
)
_PDF_FAULTS = {
    "crashed": CRASHED,
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
    "crashed": CRASHED,
    "large": _l(
        "This image has too many pixels. The limit is 64 million for a JPEG, 40 million for a "
        "PNG (half of that with 16 bits per colour), 32 million for HEIC and 10 million for WebP. "
        "Save it at a smaller size or as JPEG and choose the new file."
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
    """Return the media type that a name's extension promises, or None if it is not accepted."""
    return (ENDINGS | CONVERTED).get(_extension(name))


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _kind_by_content(data: bytes) -> str | None:
    if b"%PDF-" in data[:PDF_HEADER_WITHIN]:
        return PDF
    if data[4:12] == HEIC_OF_10_BITS:
        return HEIC
    found = filetype.guess_mime(data)
    return found if found in _FORMS else None


def clean_file(name: str, data: bytes, keep: int, account: str = "") -> CleanFile:
    """Check and clean a file. Slow (up to some seconds): call it outside a transaction.

    name: as shown to people, already cleaned (`values.file_label`). data: all of its bytes.
    keep: maximum bytes of the resulting picture. account: see `file_inspection`.
    Raises BadFile, file_inspection.Busy. Source: security requirement 28.
    """
    if kind_by_name(name) is None:
        raise BadFile(_other_type(name))
    if not data:
        raise BadFile(_l("This file is empty. Choose it again."))
    media_type = _kind_by_content(data)
    if media_type is None:
        raise BadFile(
            _l(
                "The content of this file does not match its name. Save it as PDF, JPEG or "
                "PNG and choose it again."
            )
        )
    if media_type == PDF:
        return _checked_pdf(data, account)
    kept = _rewritten_picture(data, media_type, keep, account)
    return CleanFile(PNG if media_type == PNG else JPEG, kept, 1)


def _other_type(name: str) -> LazyString:
    if _extension(name) in DOCUMENTS:
        return _l(
            "Make a PDF of this file first: choose Save as and PDF in the program that opens it, "
            "or Print and Save as PDF on a phone."
        )
    return _l("Choose a PDF, JPEG or PNG file. Other file types are not accepted.")


def _checked_pdf(data: bytes, account: str) -> CleanFile:
    """Return the PDF to keep. Raises BadFile, file_inspection.Busy."""
    answer = file_inspection.check_pdf(data, account)
    if answer.fault:
        raise BadFile(_PDF_FAULTS[answer.fault])
    return CleanFile(PDF, answer.data or data, answer.pages)


def _rewritten_picture(data: bytes, media_type: str, keep: int, account: str) -> bytes:
    """Return the picture re-encoded by `rewrite_picture`. Raises BadFile, file_inspection.Busy."""
    work = (
        file_inspection.convert_picture
        if media_type in {HEIC, WEBP}
        else file_inspection.rewrite_picture
    )
    answer = work(data, _FORMS[media_type], keep, account)
    if answer.fault:
        raise BadFile(_PICTURE_FAULTS[answer.fault])
    return answer.data
