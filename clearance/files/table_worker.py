"""Workbook command of the inspection worker: the first sheet as rows of text."""

from __future__ import annotations

import io
import json
import struct
from datetime import datetime
from zipfile import BadZipFile, ZipFile

import python_calamine
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from clearance.files.file_inspection_worker import Answer

# The last are of zipfile, for damaged directories.
LIBRARY_FAULTS = (CalamineError, OSError, BadZipFile, NotImplementedError, ValueError, struct.error)
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_PARTS, MAX_UNPACKED = 500, 50 * 1024 * 1024
MAX_CHARACTERS = 4_000_000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_EXACT = 10**15  # a float holds every whole number below it
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def load_libraries() -> None:
    """Load the libraries before memory is limited."""
    json.dumps(python_calamine.__all__)


def read_workbook(data: bytes, most: str, columns: str) -> Answer:
    """Read the first visible sheet: data is JSON, [row number, [text of each cell]] for each row.

    Formulas give the values saved with them. most: rows that are not empty; columns: at most.
    """
    if data.startswith(OLE) and _ENCRYPTED in data:
        return Answer("encrypted")
    if data.startswith(ZIP):
        with ZipFile(io.BytesIO(data)) as parts:
            sizes = [part.file_size for part in parts.infolist()]
        if len(sizes) > MAX_PARTS or sum(sizes) > MAX_UNPACKED:
            return Answer("complex")
    with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
        sheet = _first_sheet(book)
        return Answer("empty") if sheet is None else _rows_of(sheet, int(most), int(columns))


def _first_sheet(book: CalamineWorkbook) -> CalamineSheet | None:
    kind, visible = python_calamine.SheetTypeEnum, python_calamine.SheetVisibleEnum
    for place, sheet in enumerate(book.sheets_metadata):
        if sheet.typ == kind.WorkSheet and sheet.visible == visible.Visible:
            return book.get_sheet_by_index(place)
    return None


def _rows_of(sheet: CalamineSheet, most: int, columns: int) -> Answer:
    first, last = (sheet.start or (0, 0))[1], (sheet.end or (0, 0))[1]
    if last >= columns:
        return Answer("wide")
    rows, characters = [], 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        texts = [""] * first + [_text(cell) for cell in cells]
        size = sum(map(len, texts))
        if not size:
            continue
        rows.append((number, texts))
        characters += size
        if len(rows) > most:
            return Answer("long")
        if characters > MAX_CHARACTERS:
            return Answer("complex")
    return Answer(data=json.dumps(rows).encode())


def _text(cell: object) -> str:
    """Return the cell as a person would type it; days as 2026-12-31."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return str(cell).translate(_CONTROLS).strip()
