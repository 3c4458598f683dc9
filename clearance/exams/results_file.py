"""Exam results as a file: its headings and words, reading it, matching rows to candidates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core.extensions import db
from clearance.core.name_folding import fold_name
from clearance.core.values import clean_text
from clearance.exams import sittings
from clearance.exams.results import BadResults, Fault, Result
from clearance.files import tables
from clearance.files.tables import BadTable
from clearance.models import ExamSeat, Request

LIMITS = tables.Limits(rows=sittings.SEATS_MAX + 1, text_bytes=256 * 1024)
LIMIT_BYTES = max(LIMITS.text_bytes, LIMITS.workbook_bytes)
SHOWN_MAX = 60  # characters of a cell shown in faults

LABELS: dict[str, Any] = {
    "number": _l("Request number"),
    "civil_id": _l("Civil number"),
    "result": _l("Result"),
}
_HEADINGS = {
    "number": ("number", "request number", "request no.", "request", "رقم الطلب", "الطلب"),
    "civil_id": (
        "civil_id",
        "civil number",
        "civil no.",
        "civil id number",
        "civil id no.",
        "الرقم المدني",
        "رقم مدني",
        "رقم البطاقة المدنية",
    ),
    "result": ("result", "results", "exam result", "النتيجة", "نتيجة", "نتيجة الامتحان"),
}
_SPELLINGS = {
    Result.PASSED: "passed; pass; p; ناجح; ناجحة; نجح; نجحت; اجتاز; اجتازت; مجتاز; مجتازة",
    Result.FAILED: (
        "failed; fail; f; not passed; did not pass; راسب; راسبة; رسب; رسبت; لم يجتز; لم تجتز; "
        "لم ينجح; لم تنجح; غير ناجح; غير ناجحة; غير مجتاز; غير مجتازة"
    ),
    Result.ABSENT: (
        "absent; no show; noshow; did not attend; غائب; غائبة; غاب; غابت; لم يحضر; لم تحضر; غياب"
    ),
}
_WORDS = {
    fold_name(word): result for result, words in _SPELLINGS.items() for word in words.split(";")
}


@dataclass(frozen=True)
class Line:
    """One row of the file, cleaned. cells: name → text; columns: name → place, from 0."""

    row: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]

    def fault(self, name: str, message: str) -> Fault:
        """Return a fault of one cell."""
        who = self.cells["number"][:SHOWN_MAX]
        return Fault(self.row, who, message, self.columns[name])


def read_file(data: bytes, account: str = "") -> list[Line]:
    """Read a workbook or CSV with the columns of LABELS, in any order; others are ignored.

    data: at most LIMIT_BYTES + 1 bytes. Slow: call it before any query (`tables.read`).
    Raises: BadTable, BadResults (a value without a heading), file_inspection.Busy.
    """
    rows = tables.read(data, LIMITS, account)
    if not rows:
        raise BadTable(_("The file is empty."))
    header = rows[0]
    columns = tables.columns_of(header, _HEADINGS)
    missing = [str(LABELS[name]) for name in LABELS if name not in columns]
    if missing:
        raise BadTable(
            _(
                "The first row must name the columns. Not found in row %(row)d: %(missing)s.",
                row=header.number,
                missing=_listed(missing),
            )
        )
    if len(rows) == 1:
        raise BadTable(_("The file has no results under the header row."))
    faults = [
        Fault(row.number, "", _("This column has no heading in the first row."), column)
        for row in rows[1:]
        if (column := tables.beyond_header(header, row)) is not None
    ]
    if faults:
        raise BadResults(faults)
    return [_line(row, columns) for row in rows[1:]]


def _listed(words: Sequence[str]) -> str:
    return str(_(", ")).join(words)


def _line(row: tables.Row, columns: Mapping[str, int]) -> Line:
    cells = {name: row.cell(column) for name, column in columns.items()}
    return Line(
        row.number,
        {
            "number": tables.whole_number(cells["number"]).upper(),
            "civil_id": tables.whole_number(cells["civil_id"]),
            "result": fold_name(clean_text(cells["result"])),
        },
        columns,
    )


def match(exam_id: int, lines: Iterable[Line]) -> dict[int, Result]:
    """Match all lines to candidates: seat id → result, in the order of the lines.

    Raises: BadResults with every cell that names no candidate of this sitting, one of an earlier
    row, another civil number, or no result.
    """
    seats = _seats_by_number(exam_id)
    results: dict[int, Result] = {}
    found: list[Fault] = []
    for line in lines:
        seat = seats.get(line.cells["number"])
        result = _WORDS.get(line.cells["result"])
        faults = list(_line_faults(line, seat, result, results))
        found += faults
        if seat is not None and result is not None and not faults:
            results[seat.id] = result
    if found:
        raise BadResults(found)
    return results


def _line_faults(
    line: Line, seat: Any, result: Result | None, earlier: Mapping[int, Any]
) -> Iterator[Fault]:
    if seat is None:
        yield line.fault("number", _("No candidate of this exam has this request number."))
    elif seat.id in earlier:
        yield line.fault("number", _("This candidate is already in an earlier row."))
    elif line.cells["civil_id"] != seat.civil_id:
        yield line.fault(
            "civil_id",
            _(
                "The civil number is not this candidate's. If a spreadsheet shortened it, format "
                "the column as text."
            ),
        )
    if not line.cells["result"]:
        yield line.fault(
            "result", _("The result is missing. Enter it, or delete the row to record it later.")
        )
    elif result is None:
        yield line.fault("result", _("The result must be passed, failed or absent."))


def _seats_by_number(exam_id: int) -> dict[str, Any]:
    rows = db.session.execute(
        sa.select(ExamSeat.id, Request.number, Request.civil_id)
        .join(Request, Request.id == ExamSeat.request_id)
        .where(ExamSeat.exam_id == exam_id)
    )
    return {row.number.upper(): row for row in rows}
