"""Looks into a PDF in a process of its own, where a hostile file can hurt nobody; imports no room.

`check` reads a PDF from standard input and writes its verdict as JSON; `render PAGE WIDTH` writes
that page as PNG. Memory and time are limited; whoever starts it also limits the time from outside.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 20
DECODED_BYTES = 64 * 1024 * 1024
MAX_PAGES = 500
MAX_OBJECTS = 200_000
MAX_PIXELS_HIGH = 8000

# Keys and actions that make a reader run, start, open or send something by itself.
ACTIVE_KEYS = {"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent"}
ACTIVE_ACTIONS = {
    *("/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/GoToR"),
    *("/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/GoTo3DView"),
}
ACTIVE_TYPES = {"/EmbeddedFile"}
ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


def verdict(data: bytes) -> dict[str, Any]:
    """Say what a PDF is: {"pages": n} or {"fault": broken | encrypted | active | long}.

    It must open without repair in both libraries that will ever read it here.
    """
    import pikepdf  # each command loads only the library it needs
    import pypdfium2

    pikepdf.settings.set_qpdf_limits(flate_max_memory=DECODED_BYTES, png_max_memory=DECODED_BYTES)
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                return {"fault": "encrypted"}
            pages = len(pdf.pages)
            if pages > MAX_PAGES or len(pdf.objects) > MAX_OBJECTS:
                return {"fault": "long"}
            if _is_active(pdf):
                return {"fault": "active"}
            if pdf.get_warnings():  # what could not be read could not be judged
                return {"fault": "broken"}
        shown = len(pypdfium2.PdfDocument(data))
    except pikepdf.PasswordError:
        return {"fault": "encrypted"}
    except (pikepdf.PdfError, pypdfium2.PdfiumError, ValueError, KeyError, RuntimeError):
        return {"fault": "broken"}
    return {"pages": pages} if pages and pages == shown else {"fault": "broken"}


def page_image(data: bytes, page: int, width: int) -> bytes:
    """Draw page `page` (from 1) as PNG, `width` pixels wide, at most MAX_PIXELS_HIGH high."""
    import pypdfium2

    leaf = pypdfium2.PdfDocument(data)[page - 1]
    wide, high = leaf.get_size()
    scale = min(width / wide, MAX_PIXELS_HIGH / high)
    image = leaf.render(scale=scale, may_draw_forms=False).to_pil()
    result = io.BytesIO()
    image.convert("RGB").save(result, "PNG")
    return result.getvalue()


def _is_active(pdf: Any) -> bool:
    import pikepdf

    opening = pdf.Root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") not in ("/GoTo", None):
        return True
    return any(_says_active(each) for each in _dictionaries(pdf.objects))


def _says_active(dictionary: Any) -> bool:
    names = set(dictionary.keys())
    return bool(
        names & ACTIVE_KEYS
        or _name(dictionary, "/S") in ACTIVE_ACTIONS
        or _name(dictionary, "/Type") in ACTIVE_TYPES
        or _name(dictionary, "/Subtype") in ACTIVE_ANNOTATIONS
    )


def _name(dictionary: Any, key: str) -> str:
    value = dictionary.get(key)
    return str(value) if value is not None and value._type_name == "name" else ""


def _dictionaries(objects: Iterable[Any]) -> Iterator[Any]:
    """Every dictionary of the file: of objects, of streams, and those that lie inside others."""
    waiting = list(objects)
    while waiting:
        thing = waiting.pop()
        kind = getattr(thing, "_type_name", "")
        if kind in ("dictionary", "stream"):
            yield thing
            waiting.extend(value for _, value in thing.items() if _is_inner(value))
        elif kind == "array":
            waiting.extend(value for value in thing if _is_inner(value))


def _is_inner(value: Any) -> bool:
    return getattr(value, "_type_name", "") in ("dictionary", "array") and not value.is_indirect


def main(arguments: list[str]) -> int:
    """Run one command."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    data = sys.stdin.buffer.read()
    if arguments[0] == "check":
        sys.stdout.write(json.dumps(verdict(data)))
    else:
        sys.stdout.buffer.write(page_image(data, int(arguments[1]), int(arguments[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
