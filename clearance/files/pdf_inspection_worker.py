"""PDF commands of the inspection worker: check, repair and clean a PDF, and draw its pages."""

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
# A number of an object as JSON: alone on its line, or after its key.
NUMBER = re.compile(rb'(^|\n *|": )[-+.\d]+(?=,?\s*$)', re.MULTILINE)

# Programs and files inside: such a PDF is refused.
ACTIVE_KEYS = {"/JS", "/JavaScript", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent", "/OPI"}
ACTIVE_ACTIONS = {
    *("/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE"),
    *("/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/GoTo3DView"),
}
ACTIVE_TYPES = {"/EmbeddedFile"}
ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}
# What a reader follows by itself, or out of the document: removed, since no page changes by it.
OUTWARD_ACTIONS = {"/GoToR", "/Thread"}
LOCAL_URI = re.compile(r"u:\s*(javascript|vbscript|data|file|smb)\s*:|u:\s*[\\/]{2}", re.IGNORECASE)


# What the libraries raise for files that they cannot read.
LIBRARY_FAULTS = (pikepdf.PdfError, pypdfium2.PdfiumError)


class _Fault(Exception):
    """The file is rejected; the only argument is the fault."""


class _Unclean(Exception):
    """The file cannot be kept as it is; rewriting it may help."""


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

    A PDF that opens only after a repair, forbids something, or does something harmless on its own
    is rewritten, and the result (in `data`) is what was checked. Otherwise it keeps its bytes,
    since a signature in them would not survive. It must open in both libraries that read PDFs here.
    """
    try:
        try:
            return Answer(pages=_sound(data))
        except (_Unclean, *LIBRARY_FAULTS):
            rewritten = _rewritten(data)
            return Answer(pages=_sound(rewritten), data=rewritten)
    except _Fault as fault:
        return Answer(str(fault))
    except pikepdf.PasswordError:
        return Answer("encrypted")
    except _Unclean:
        return Answer("broken")


def draw_page(data: bytes, page: str, width: str) -> Answer:
    """Draw page `page` (from 1) as PNG, `width` pixels wide, at most MAX_PIXELS_HIGH high."""
    image = _bitmap(pypdfium2.PdfDocument(data), int(page) - 1, int(width)).to_pil()
    result = io.BytesIO()
    image.convert("RGB").save(result, "PNG")
    return Answer(data=result.getvalue())


def _sound(data: bytes) -> int:
    """Return the number of pages of a PDF that can be kept as it is.

    Raises _Fault, _Unclean, pikepdf.PdfError, pypdfium2.PdfiumError.
    """
    if not data.startswith(b"%PDF-") or not _ends_as_pdf(data):
        raise _Unclean
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
        pages = len(pdf.pages)
        if pages > MAX_PAGES:
            raise _Fault("long")
        if pdf.is_encrypted or _things_to_clean(pdf):
            raise _Unclean
        _refuse_heavy(pdf)
        if pdf.get_warnings() or not pages:  # unreadable parts were not checked
            raise _Unclean
    if pages != _drawn(data):
        raise _Unclean
    return pages


def _ends_as_pdf(data: bytes) -> bool:
    """Return whether only white space follows the end, so that it is no other format as well."""
    return data.rstrip(b"\0\t\n\f\r ").endswith(b"%%EOF")


def _rewritten(data: bytes) -> bytes:
    """Return the PDF repaired, decrypted and cleaned. Raises _Fault, pikepdf.PdfError."""
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
        if len(pdf.pages) > MAX_PAGES:
            raise _Fault("long")
        for thing in _things_to_clean(pdf):
            _clean(thing)
        if _acts_on_opening(pdf):
            del pdf.Root.OpenAction
        result = io.BytesIO()
        pdf.save(result, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        return result.getvalue()


def _things_to_clean(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    """Return the objects that act by themselves or lead out. Raises _Fault for programs."""
    found = [pdf.Root] if _acts_on_opening(pdf) else []
    for thing, dictionaries in _objects(pdf):
        if any(_is_active(dictionary) for dictionary in dictionaries) or (
            isinstance(thing, pikepdf.Stream) and "/F" in thing  # its bytes are in another file
        ):
            raise _Fault("active")
        if any("/AA" in dictionary or _leads_out(dictionary) for dictionary in dictionaries):
            found.append(thing)
    return found


def _acts_on_opening(pdf: pikepdf.Pdf) -> bool:
    opening = pdf.Root.get("/OpenAction")
    return isinstance(opening, pikepdf.Dictionary) and opening.get("/S") not in ("/GoTo", None)


def _is_active(dictionary: dict[str, Any]) -> bool:
    return bool(
        dictionary.keys() & ACTIVE_KEYS
        or _name(dictionary, "/S") in ACTIVE_ACTIONS
        or _name(dictionary, "/Type") in ACTIVE_TYPES
        or _name(dictionary, "/Subtype") in ACTIVE_ANNOTATIONS
    )


def _leads_out(action: dict[str, Any]) -> bool:
    return _name(action, "/S") in OUTWARD_ACTIONS or bool(LOCAL_URI.match(_name(action, "/URI")))


def _clean(thing: pikepdf.Object) -> None:
    """Remove what acts or leads out from one object and from what is written inside it."""
    waiting: list[Any] = [thing]
    while waiting:
        value = waiting.pop()
        if isinstance(value, pikepdf.Stream):
            value = value.stream_dict
        if isinstance(value, pikepdf.Dictionary):
            leads_out = _leads_out(_plain(value))
            for key, _value in list(value.items()):
                if leads_out or key == "/AA":
                    del value[key]
            inner = [held for _key, held in value.items()]
        elif isinstance(value, pikepdf.Array):
            inner = list(value)
        else:
            continue
        waiting.extend(
            each for each in inner if isinstance(each, pikepdf.Object) and not each.is_indirect
        )


def _name(dictionary: dict[str, Any], key: str) -> str:
    """Return the name or string under `key`, or "" for other types; strings start with "u:"."""
    value = dictionary.get(key)
    return value if isinstance(value, str) else ""


def _objects(pdf: pikepdf.Pdf) -> Iterator[tuple[pikepdf.Object, list[dict[str, Any]]]]:
    """Yield every object of the file with its dictionaries: its own, and those inside it.

    Objects are read as JSON: walking the library's objects takes 30 times as long.
    """
    count = 0
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Object):  # a number, a truth value or null
            continue
        waiting, dictionaries = [_plain(thing)], []
        while waiting:
            value = waiting.pop()
            count += 1
            if isinstance(value, dict):
                dictionaries.append(value)
                value = value.values()
            elif not isinstance(value, list):
                continue
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))
            if count + len(waiting) > MAX_OBJECTS:
                raise _Fault("complex")
        yield thing, dictionaries


def _plain(thing: pikepdf.Object) -> Any:
    """Return the object as dictionaries, lists and strings; references are strings."""
    text = thing.to_json(dereference=True)
    try:
        return json.loads(text)
    except ValueError:  # qpdf copies numbers such as +.5 or 1. unchanged
        return json.loads(NUMBER.sub(rb"\g<1>0", text))


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
