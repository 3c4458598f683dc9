"""Read tables as spreadsheets write them: workbooks, and CSV in any of Excel's forms."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core.errors import DomainError
from clearance.core.name_folding import fold_name
from clearance.core.values import ascii_digits, clean_text
from clearance.files import file_inspection

SEPARATORS = ",;\t"
MAX_COLUMNS = 100
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = re.compile("[\0-\x08\x0e-\x1f\x7f]")
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,20})(?:[.,٫]([0-9]{1,20}))?(?:[eE]\+?([0-9]{1,2}))?")

NOT_A_TABLE = _l(
    "This file is not an Excel workbook or a CSV file, or it is damaged. Save it again as "
    "“Excel Workbook (.xlsx)” or “CSV UTF-8” and choose that file."
)
TOO_WIDE = _l("The file has more than %(most)d columns. Delete the others.", most=MAX_COLUMNS)
_WORKBOOK_FAULTS = {
    "broken": NOT_A_TABLE,
    "crashed": NOT_A_TABLE,
    "empty": _l("The workbook has no sheet that can be seen."),
    "encrypted": _l("This workbook is protected. Save it without a password and choose it again."),
    "complex": _l(
        "This workbook is too large to be read here. Copy the table alone into a new workbook, or "
        "save the sheet as “CSV UTF-8”."
    ),
    "wide": TOO_WIDE,
}


class BadTable(DomainError):
    """The file cannot be read; the message says why and what to do."""

    status_code = 400


@dataclass(frozen=True)
class Limits:
    """The largest file that a reader takes: rows that are not empty, and bytes of each kind."""

    rows: int
    text_bytes: int
    workbook_bytes: int = 2 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """A row that is not empty. number: as a spreadsheet shows it. cells: their text, trimmed."""

    number: int
    cells: tuple[str, ...]

    def cell(self, column: int) -> str:
        """Return the text of a column (from 0), "" beyond the last."""
        return self.cells[column] if column < len(self.cells) else ""


def read(data: bytes, limits: Limits, account: str = "") -> list[Row]:
    """Return the rows of the first sheet of a workbook, or of a CSV file.

    CSV: UTF-8, UTF-16 with its mark or Windows-1256; separated by commas, semicolons or tabs, or as
    Excel's `sep=` line says. A workbook is read in a process of its own (`file_inspection`; account
    as there), and formulas give the values saved with them. Slow: call it outside a transaction.
    Raises: BadTable; file_inspection.Busy. Source: security requirement 36.
    """
    is_workbook = data.startswith(_WORKBOOKS)
    most = limits.workbook_bytes if is_workbook else limits.text_bytes
    if len(data) > most:
        raise BadTable(_("The file is too large. The limit is %(most)d KB.", most=most // 1024))
    rows = _of_workbook(data, limits, account) if is_workbook else _of_text(data)
    found = []
    for row in rows:
        found.append(row)
        if len(found) > limits.rows:
            raise _too_long(limits)
    return found


def _too_long(limits: Limits) -> BadTable:
    return BadTable(_("The file has too many rows. The maximum is %(most)d.", most=limits.rows))


def _of_workbook(data: bytes, limits: Limits, account: str) -> Iterator[Row]:
    answer = file_inspection.read_workbook(data, limits.rows, MAX_COLUMNS, account)
    if answer.fault == "long":
        raise _too_long(limits)
    if answer.fault:
        raise BadTable(_WORKBOOK_FAULTS[answer.fault])
    for number, cells in json.loads(answer.data):
        yield from _row(number, cells)


def _of_text(data: bytes) -> Iterator[Row]:
    text = _decoded(data)
    line = _SEPARATOR_LINE.match(text)
    separator = line[1] if line else _separator(text)
    # Excel does not count the `sep=` line.
    stream = io.StringIO(text[line.end() :] if line else text, newline="")
    number = 0
    try:
        for number, cells in enumerate(csv.reader(stream, delimiter=separator, strict=True), 1):
            if len(cells) > MAX_COLUMNS:
                raise BadTable(TOO_WIDE)
            yield from _row(number, cells)
    except csv.Error:
        raise BadTable(
            _(
                "Row %(row)d cannot be read: a quotation mark is missing or in the wrong place.",
                row=number + 1,
            )
        ) from None


def _row(number: int, cells: Sequence[str]) -> Iterator[Row]:
    texts = [cell.strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    if texts:
        yield Row(number, tuple(texts))


def _decoded(data: bytes) -> str:
    encoding = next((_MARKS[mark] for mark in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8" or _is_damaged(data):
            raise BadTable(NOT_A_TABLE) from None
        text = data.decode("cp1256")
    if _CONTROLS.search(text):
        raise BadTable(NOT_A_TABLE)
    return text


def _is_damaged(data: bytes) -> bool:
    """Return whether most letters are UTF-8; those of Windows-1256 hardly ever form UTF-8."""
    text = data.decode("utf-8", "replace")
    return sum(letter > "\x7f" for letter in text) >= 2 * text.count("\ufffd")


def _separator(text: str) -> str:
    """Return the separator that makes the most columns of the first line."""
    first = next(iter(text.strip("\r\n").splitlines()), "")
    return max(SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def columns_of(header: Row, names: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return the places (from 0) of the columns found: name → place.

    names: name → the headings accepted; letter case, spaces, hyphens and spelling variants of
    Arabic make no difference. Raises: BadTable when two columns have one name.
    """
    known = {_key(heading): name for name in names for heading in names[name]}
    found: dict[str, int] = {}
    for place, heading in enumerate(header.cells):
        name = known.get(_key(heading))
        if name is None:
            continue
        if name in found:
            raise BadTable(
                _(
                    "Columns %(first)s and %(second)s have the same heading. Keep one of them.",
                    first=letters(found[name]),
                    second=letters(place),
                )
            )
        found[name] = place
    return found


def _key(heading: str) -> str:
    return "".join(fold_name(heading.replace("_", " ")).split())


def beyond_header(header: Row, row: Row) -> int | None:
    """Return the first column where `row` has a value but `header` ends, or None."""
    return next((at for at in range(len(header.cells), len(row.cells)) if row.cells[at]), None)


def letters(column: int) -> str:
    """Return the name of a column (from 0) in a spreadsheet: A, B, …, Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def cell_name(row: int, column: int | None) -> str:
    """Return where a cell is, in the reader's language; without a column, where the row is."""
    if column is None:
        return str(_("Row %(row)d", row=row))
    return str(_("Row %(row)d, column %(column)s", row=row, column=letters(column)))


def whole_number(text: str) -> str:
    """Return a number's digits as typed before the spreadsheet rewrote it, else `text` cleaned.

    2.85010112345E+11 and 285010112345.0 become 285010112345; digits that are lost stay lost. Spaces
    and a leading apostrophe are dropped, digits of both scripts are equal.
    """
    typed = "".join(ascii_digits(clean_text(text)).split()).removeprefix("'")
    found = _NUMBER.fullmatch(typed)
    if found is None:
        return typed
    value = Decimal(f"{found[1]}.{found[2] or 0}E{found[3] or 0}")
    whole = value.to_integral_value()
    return f"{whole:f}" if whole == value and (found[2] or found[3]) else typed
