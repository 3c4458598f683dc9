"""PDFs inside the file process: is one sound, harmless, light enough; and its pages drawn."""

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
MAX_OBJECTS = 200_000  # dictionaries and lists inside of others included
MAX_PIXELS_HIGH = 8000
# The first page is drawn on trial, and more while this much time of the processor is not used up.
TRIAL_SECONDS = 0.6
TRIAL_WIDTH = 1200
SIGNED = re.compile(rb'(^|\n *|": )\+[.\d]+')

# Keys and actions that make a reader run, start, open or send something by itself.
ACTIVE_KEYS = {"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent"}
ACTIVE_ACTIONS = {
    *("/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/GoToR"),
    *("/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/GoTo3DView"),
}
ACTIVE_TYPES = {"/EmbeddedFile"}
ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


class _Fault(Exception):
    """The file is not taken; its only argument is the fault."""


def load_libraries() -> None:
    """Load what each PDF needs, before memory is limited."""
    Image.preinit()
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=UNPACKED_BYTES,
        png_max_memory=UNPACKED_BYTES,
        tiff_max_memory=UNPACKED_BYTES,
        run_length_max_memory=UNPACKED_BYTES,
        max_stream_filters=4,
    )


def check_pdf(data: bytes) -> Answer:
    """Judge a PDF: its pages, or the fault broken | encrypted | active | long | complex.

    It must open without repair in both libraries that will ever read it here.
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
        if pdf.get_warnings() or not pages:  # what could not be read could not be judged
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
    """The name under `key`; texts read otherwise ("u:…"), numbers and the like are no names."""
    value = dictionary.get(key)
    return value if isinstance(value, str) else ""


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[dict[str, Any]]:
    """Every dictionary of the file: of objects, of streams, and those that lie inside others.

    Objects are read as JSON: walking them as objects of the library takes 30 times as long.
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
    """The object as dictionaries, lists and texts; what it refers to is a text."""
    text = thing.to_json(dereference=True)
    try:
        return json.loads(text)
    except ValueError:  # qpdf writes +.5 as it stands in the file; numbers do not matter here
        return json.loads(SIGNED.sub(rb"\g<1>0", text))


def _refuse_heavy(pdf: pikepdf.Pdf) -> None:
    """Unpack what is drawn on the pages, as far as it may be unpacked."""
    total = 0
    for page in pdf.pages:
        contents = page.obj.get("/Contents", ())
        streams = contents if isinstance(contents, pikepdf.Array) else [contents]
        size = sum(len(each.read_bytes()) for each in streams if isinstance(each, pikepdf.Stream))
        total += size
        if size > PAGE_CONTENT_BYTES or total > CONTENT_BYTES:
            raise _Fault("complex")


def _drawn(data: bytes) -> int:
    """Draw the first pages as people will see them; return how many there are."""
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
