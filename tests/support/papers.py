"""Reading PDFs as people do: their words, what stands where on the page, the codes in a picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
import zxingcpp
from PIL import Image

MILLIMETRE = 72 / 25.4
_SCALE = 200 / 72  # dots a point, as a telephone's camera sees at least


@dataclass(frozen=True)
class Letter:
    """One letter on the page; millimetres from the left and from the top."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()


def text_of(data: bytes) -> str:
    """The words of a PDF in one line; bidi marks are dropped.

    On pages from right to left the library turns the order of Latin words round: see `seen`.
    """
    with _opened(data) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    folded = unicodedata.normalize("NFKC", " ".join(" ".join(pages).split()))
    return "".join(each for each in folded if unicodedata.category(each) != "Cf")


def letters(data: bytes, page: int = 0) -> list[Letter]:
    """Every visible letter of a page, in the order of the file."""
    found = []
    with _opened(data) as document:
        leaf = document[page]
        high, words = leaf.get_height(), leaf.get_textpage()
        for index in range(words.count_chars()):
            text = words.get_text_range(index, 1)
            if text.strip():
                left, bottom, right, top = words.get_charbox(index)
                edges = (left, high - top, right, high - bottom)
                found.append(Letter(text, *(round(edge / MILLIMETRE, 2) for edge in edges)))
    return found


def seen(data: bytes, page: int = 0) -> str:
    """The letters of a page as they stand on paper, each line from left to right."""
    with _opened(data) as document:
        words = document[page].get_textpage()
        lines: dict[int, list[tuple[float, str]]] = {}
        for index in range(words.count_chars()):
            box = words.get_charbox(index, loose=True)
            lines.setdefault(round(box[1]), []).append((box[0], words.get_text_range(index, 1)))
    return "\n".join("".join(each for _, each in sorted(line)) for line in lines.values())


def sizes(data: bytes) -> list[tuple[float, float]]:
    """Width and height of each page in millimetres."""
    with _opened(data) as document:
        return [
            (round(page.get_width() / MILLIMETRE, 1), round(page.get_height() / MILLIMETRE, 1))
            for page in document
        ]


def picture(data: bytes, page: int = 0) -> Image.Image:
    """A page as a scanner sees it."""
    with _opened(data) as document:
        return document[page].render(scale=_SCALE).to_pil().convert("L")


def codes_in(image: Image.Image) -> list[str]:
    """What the square codes in a picture say."""
    return [code.text for code in zxingcpp.read_barcodes(image)]
