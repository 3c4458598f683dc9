"""Render certificates, cards, letters and statements from the snapshot in their rows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from PIL import Image, ImageOps

from clearance.core.i18n import format_day
from clearance.core.values import isolate
from clearance.files.typesetting import qr_svg, set_pdf, set_picture
from clearance.models.enums import IssuedKind
from clearance.services.statements import Composed

DAYS = ("issued", "valid_until", "dated")
AS_IT_IS = frozenset({"status", "gender", "ar", "en"})
"""Codes, and paragraphs of a statement, in which only the values are isolated."""
CODE_GROUP = 4
SAMPLE = "SAMPLE"
"""The check code of samples; real ones are longer."""
PHOTO_SIZE = (360, 480)  # 3:4, 400 dpi on the card
PHOTO_QUALITY = 88
REDUCIBLE = frozenset({"L", "RGB", "RGBA"})
FACE = (0.5, 0.4)  # typical position of the face: cropping keeps it


@dataclass(frozen=True)
class Sheet:
    """The values of an issued document's row."""

    kind: str
    language: str
    check_code: str
    content: Mapping[str, Any]
    issued_at: datetime


def issued_pdf(sheet: Sheet, photo: bytes | None = None) -> bytes:
    """Typeset the document as PDF; the same row gives the same bytes.

    photo: a `portrait` for a card; None draws a silhouette. User input is passed as JSON, with
    bidirectional isolation (security rule 33).
    """
    return set_pdf(f"{IssuedKind(sheet.kind)}.typ", _data(sheet, photo), sheet.issued_at)


def sample_picture(statement: Composed, base_url: str, now: datetime) -> bytes:
    """Draw a statement as PNG, marked as a sample; its number and code are nobody's."""
    named = {"number": f"{statement.prefix}/0/{now:%y}", "check_url": f"{base_url}/check/{SAMPLE}"}
    content = {**statement.content, **named, "mark": "نموذج"}
    sheet = Sheet(IssuedKind.STATEMENT, "ar", SAMPLE, content, now)
    return set_picture(f"{IssuedKind.STATEMENT}.typ", _data(sheet, None), now)


def _data(sheet: Sheet, photo: bytes | None) -> dict[str, Any]:
    return {
        **_shown(sheet.content),
        "language": sheet.language,
        "code": grouped(sheet.check_code),
        "qr": qr_svg(str(sheet.content["check_url"])),
        "address": _without_scheme(str(sheet.content["check_url"]).rpartition("/")[0]),
        "photo": list(photo) if photo is not None else None,
    }


def grouped(check_code: str) -> str:
    """Return a check code in the printed form: `ABCD-EFGH-…`."""
    starts = range(0, len(check_code), CODE_GROUP)
    return "-".join(check_code[start : start + CODE_GROUP] for start in starts)


def portrait(data: bytes) -> bytes:
    """Crop a picture to the card's format and re-encode it as JPEG. Raises: OSError."""
    result = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as picture:
        picture.draft("RGB", PHOTO_SIZE)  # decode a JPEG no larger than needed
        cut = ImageOps.fit(_on_paper(_reduced(picture)), PHOTO_SIZE, centering=FACE)
    cut.save(result, "JPEG", quality=PHOTO_QUALITY)
    return result.getvalue()


def _reduced(picture: Image.Image) -> Image.Image:
    """Return the picture reduced to a small multiple of PHOTO_SIZE, since later steps copy it."""
    width, height = PHOTO_SIZE
    factor = min(picture.width // (2 * width), picture.height // (2 * height))
    return picture.reduce(factor) if factor > 1 and picture.mode in REDUCIBLE else picture


def _on_paper(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, on a white background if it has transparency."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB")


def _shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """Format the snapshot's days and isolate its texts; codes stay as they are."""
    shown: dict[str, Any] = {}
    for name, value in content.items():
        if name in DAYS:
            shown[name] = isolate(format_day(date.fromisoformat(value)))
        elif isinstance(value, list):
            shown[name] = [_shown(part) for part in value]
        elif isinstance(value, dict):
            shown[name] = {lang: _lines(text) for lang, text in value.items()}
        else:
            shown[name] = value if name in AS_IT_IS else _lines(value)
    return shown


def _lines(text: Any) -> str:
    return "\n".join(isolate(line) if line else "" for line in str(text or "").splitlines())


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] or url
