"""PDF typesetting with typst in the office's fonts, and QR codes."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import segno
import typst
from flask_babel import lazy_gettext as _l

from clearance.core.errors import ServiceUnavailable
from clearance.core.settings import ROOT

TEMPLATES = ROOT / "templates" / "pdf"
FONT_PACKAGES = ("fontpkg_ibm_plex_sans_arabic", "fontpkg_amiri")
PDF_STANDARD: Literal["ua-1"] = "ua-1"  # tagged, for screen readers
NO_GLYPH = "could not be displayed with font"  # typst's error if no font has a character
PICTURE_PPI = 100
INK = "#0a3650"

_local = threading.local()


def set_pdf(template: str, data: Mapping[str, Any], dated: datetime) -> bytes:
    """Render a template of templates/pdf with `data`; the same input gives the same bytes.

    data: passed as JSON, never interpreted as markup (security rule 33); characters missing from
    the fonts appear as boxes. dated: the document's date in the PDF metadata.
    Raises ServiceUnavailable if the fonts are missing.
    """
    try:
        return _compiled(template, data, dated, is_standard=True)
    except typst.TypstError as fault:
        if NO_GLYPH not in str(fault):
            raise
        # The standard forbids missing characters, but a non-conforming PDF is better than none.
        return _compiled(template, data, dated, is_standard=False)


def set_picture(template: str, data: Mapping[str, Any], dated: datetime) -> bytes:
    """Draw the first page of a template as PNG; arguments and errors as of `set_pdf`."""
    result = _compiler().compile(
        input=str(TEMPLATES / template),
        format="png",
        ppi=PICTURE_PPI,
        sys_inputs=_inputs(data),
        timestamp=int(dated.timestamp()),
    )
    return result[0] if isinstance(result, list) else cast(bytes, result)


def _inputs(data: Mapping[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(data, ensure_ascii=False, sort_keys=True)}


def _compiled(
    template: str, data: Mapping[str, Any], dated: datetime, *, is_standard: bool
) -> bytes:
    result = _compiler().compile(
        input=str(TEMPLATES / template),
        format="pdf",
        sys_inputs=_inputs(data),
        timestamp=int(dated.timestamp()),
        pdf_standards=[PDF_STANDARD] if is_standard else [],
    )
    if not isinstance(result, bytes):
        raise TypeError("a PDF is one file")
    return result


def qr_svg(text: str) -> str:
    """Draw a QR code (error correction M) as SVG."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, dark=INK)
    return out.getvalue().decode()


def _compiler() -> typst.Compiler:
    """Return this thread's compiler; creating one is slow, because it reads the fonts."""
    compiler: typst.Compiler | None = getattr(_local, "compiler", None)
    if compiler is None:
        compiler = typst.Compiler(
            root=str(TEMPLATES), font_paths=_font_folders(), ignore_system_fonts=True
        )
        _local.compiler = compiler
    return compiler


@cache
def _font_folders() -> list[str]:
    folders = [str(Path(str(files(package))) / "files") for package in FONT_PACKAGES]
    if not all(Path(folder).is_dir() for folder in folders):
        raise ServiceUnavailable(_l("The fonts for PDF documents are not installed."))
    return folders
