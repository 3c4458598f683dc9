"""PDF commands of the inspection worker: check that a PDF is harmless, and draw its pages."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image

from clearance.files.file_inspection_worker import Answer

MEBIBYTE = 1024 * 1024
UNPACKED_BYTES = 64 * MEBIBYTE  # of one stream
PAGE_CONTENT_BYTES = 16 * MEBIBYTE
CONTENT_BYTES = 64 * MEBIBYTE  # of all pages
MAX_PAGES = 500
MAX_OBJECTS = 200_000  # including nested dictionaries and lists
MAX_PIXELS_HIGH = 8000
# The first page is drawn as a trial, and more pages until this much CPU time is used.
TRIAL_SECONDS = 0.6
TRIAL_WIDTH = 1200
SIGNED = re.compile(rb'(^|\n *|": )\+[.\d]+')

# Keys and actions that make a reader run, open or send something automatically.
ACTIVE_KEYS = {"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent"}
ACTIVE_ACTIONS = {
    *("/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/GoToR"),
    *("/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/GoTo3DView"),
}
ACTIVE_TYPES = {"/EmbeddedFile"}
ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


class _Fault(Exception):
    """The file is rejected; the only argument is the fault."""


def load_libraries() -> None:
    """Load the libraries before memory is limited."""
    Image.preinit()
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=UNPACKED_BYTES,
        png_max_memory=UNPACKED_BYTES,
        tiff_max_memory=UNPACKED_BYTES,
        run_length_max_memory=UNPACKED_BYTES,
        max_stream_filters=4,
    )


def check_pdf(data: bytes) -> Answer:
    """Return a PDF's pages, or the fault broken | encrypted | active | long | complex.

    It must open without repair in both libraries that read PDFs here.
    """
    try:
        pages = _read(data)
        if pages != _drawn(data):
            return Answer("broken")
    except _Fault as fault:
        return Answer(str(fault))
    except pikepdf.PasswordError:
        return Answer("encrypted")
    return Answer(pages=pages)


def draw_page(data: bytes, page: str, width: str) -> Answer:
    """Draw page `page` (from 1) as PNG, `width` pixels wide, at most MAX_PIXELS_HIGH high."""
    image = _bitmap(pypdfium2.PdfDocument(data), int(page) - 1, int(width)).to_pil()
    result = io.BytesIO()
    image.convert("RGB").save(result, "PNG")
    return Answer(data=result.getvalue())


def _read(data: bytes) -> int:
    """Read every object; return the number of pages. Raises _Fault, pikepdf.PdfError."""
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
        if pdf.is_encrypted:
            raise _Fault("encrypted")
        pages = len(pdf.pages)
        if pages > MAX_PAGES:
            raise _Fault("long")
        _refuse_active(pdf)
        _refuse_heavy(pdf)
        if pdf.get_warnings() or not pages:  # unreadable parts were not checked
            raise _Fault("broken")
        return pages


def _refuse_active(pdf: pikepdf.Pdf) -> None:
    opening = pdf.Root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") not in ("/GoTo", None):
        raise _Fault("active")
    if any(_is_active(dictionary) for dictionary in _dictionaries(pdf)):
        raise _Fault("active")


def _is_active(dictionary: dict[str, Any]) -> bool:
    return bool(
        dictionary.keys() & ACTIVE_KEYS
        or _name(dictionary, "/S") in ACTIVE_ACTIONS
        or _name(dictionary, "/Type") in ACTIVE_TYPES
        or _name(dictionary, "/Subtype") in ACTIVE_ANNOTATIONS
    )


def _name(dictionary: dict[str, Any], key: str) -> str:
    """Return the name under `key`, or "" for other types; text strings start with "u:"."""
    value = dictionary.get(key)
    return value if isinstance(value, str) else ""


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[dict[str, Any]]:
    """Yield every dictionary of the file: of objects, of streams, and nested ones.

    Objects are read as JSON: walking the library's objects takes 30 times as long.
    """
    count = 0
    for thing in pdf.objects:
        waiting = [_plain(thing)]
        while waiting:
            value = waiting.pop()
            count += 1
            if isinstance(value, dict):
                yield value
                value = value.values()
            elif not isinstance(value, list):
                continue
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))
            if count + len(waiting) > MAX_OBJECTS:
                raise _Fault("complex")


def _plain(thing: pikepdf.Object) -> Any:
    """Return the object as dictionaries, lists and strings; references are strings."""
    text = thing.to_json(dereference=True)
    try:
        return json.loads(text)
    except ValueError:  # qpdf copies numbers such as +.5 unchanged; they do not matter here
        return json.loads(SIGNED.sub(rb"\g<1>0", text))


def _refuse_heavy(pdf: pikepdf.Pdf) -> None:
    """Refuse a PDF whose page contents exceed the limits when decompressed."""
    total = 0
    for page in pdf.pages:
        contents = page.obj.get("/Contents", ())
        streams = contents if isinstance(contents, pikepdf.Array) else [contents]
        size = sum(
            len(stream.read_bytes()) for stream in streams if isinstance(stream, pikepdf.Stream)
        )
        total += size
        if size > PAGE_CONTENT_BYTES or total > CONTENT_BYTES:
            raise _Fault("complex")


def _drawn(data: bytes) -> int:
    """Draw the first pages as readers will see them; return the number of pages."""
    document = pypdfium2.PdfDocument(data)
    number = 0
    while number < len(document) and (not number or time.process_time() < TRIAL_SECONDS):
        _bitmap(document, number, TRIAL_WIDTH).close()
        number += 1
    return len(document)


def _bitmap(document: pypdfium2.PdfDocument, number: int, width: int) -> Any:
    page = document[number]
    wide, high = page.get_size()
    scale = min(width / wide, MAX_PIXELS_HIGH / high)
    return page.render(scale=scale, may_draw_forms=False)
