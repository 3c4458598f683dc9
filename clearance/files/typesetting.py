"""Setting PDFs by typst: a compiler for each thread, the office's fonts, QR codes, days."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import segno
import typst
from flask_babel import lazy_gettext as _l

from clearance.core.errors import ServiceUnavailable
from clearance.core.settings import ROOT

TEMPLATES = ROOT / "templates" / "pdf"
FONT_PACKAGES = ("fontpkg_ibm_plex_sans_arabic", "fontpkg_amiri")
PDF_STANDARD: Literal["ua-1"] = "ua-1"  # tagged, so that it can be read aloud
NO_GLYPH = "could not be displayed with font"  # what typst says where no font has a character
INK = "#0a3650"

_local = threading.local()


def set_pdf(template: str, data: Mapping[str, Any], dated: datetime) -> bytes:
    """Set a template of templates/pdf with `data`; the same input gives the same bytes.

    data: travels as JSON and is never markup (security rule 33); a box stands for a character that
    the fonts have not. dated: the instant of the content, which the file tells as its date.
    Raises ServiceUnavailable where the fonts are missing.
    """
    try:
        return _compiled(template, data, dated, is_standard=True)
    except typst.TypstError as fault:
        if NO_GLYPH not in str(fault):
            raise
        # The standard allows no boxes; a sheet that never comes would be worse.
        return _compiled(template, data, dated, is_standard=False)


def _compiled(
    template: str, data: Mapping[str, Any], dated: datetime, *, is_standard: bool
) -> bytes:
    result = _compiler().compile(
        input=str(TEMPLATES / template),
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
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
    """One compiler for each thread: making one reads the fonts, which takes its time."""
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
        raise ServiceUnavailable(_l("The printer's fonts are not installed."))
    return folders
