"""Workbooks: of lists, and to fill in. Text stays text, whatever it begins with."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from flask import Response, request
from flask_babel import lazy_gettext as _l
from rustpy_xlsxwriter import Format, write_worksheet, write_worksheets
from werkzeug.wsgi import wrap_file

from clearance.core import i18n
from clearance.core.clock import KUWAIT
from clearance.core.errors import DomainError
from clearance.core.request_kind import wants_head_only
from clearance.web.csv_export import as_text
from clearance.web.downloads import as_attachment
from clearance.web.sheets import Head, Kind, Part, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576 - 1  # of the format, without the headings
COLUMN_WIDTH = 24.0

_NARROWEST, _WIDEST, _WIDTH_ROWS = 8, 50, 200
_LONGEST_TEXT = 32_767
_LONGEST_WHOLE_NUMBER = 10**15  # the format keeps fifteen digits
_FIRST_YEAR = 1900
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31
_FORMATS = {
    Kind.TEXT: "@",
    Kind.NUMBER: "0",
    Kind.AMOUNT: "0.000",
    Kind.DAY: "dd/mm/yyyy",
    Kind.INSTANT: "dd/mm/yyyy hh:mm",
}


class TooManyRows(DomainError):
    """A table has more rows than the format holds."""

    message = _l("The list has more rows than a workbook can hold. Export it as CSV.")


def tables_response(filename: str, tables: Sequence[Table]) -> Response:
    """Return a workbook with a sheet for each table as a download; written before it is sent.

    Its parts are read in the request's context. Memory does not grow with the rows.
    """
    if wants_head_only():
        return as_attachment(Response(mimetype=MEDIA_TYPE), filename)
    target = TemporaryFile()  # noqa: SIM115 - closed with the response
    try:
        write(target, tables)
    except BaseException:
        target.close()
        raise
    response = Response(
        wrap_file(request.environ, target), mimetype=MEDIA_TYPE, direct_passthrough=True
    )
    response.content_length = target.seek(0, io.SEEK_END)
    target.seek(0)
    response.call_on_close(target.close)
    return as_attachment(response, filename)


def write(target: BinaryIO, tables: Sequence[Table]) -> None:
    """Write a workbook with a sheet for each table, laid out for the current language.

    target: an empty file on disk. A value that is not of its column's kind is written as text, and
    no cell is a formula. Raises: TooManyRows.
    """
    begun = [(table, *_begin(table.parts)) for table in tables]
    names = _distinct([_NOT_IN_NAMES.sub(" ", table.name) for table in tables], _LONGEST_NAME)
    labels = [_distinct([head.label for head in table.heads]) for table in tables]
    each = dict(zip(names, tables, strict=True))
    write_worksheets(
        [
            (name, _records(table, heads, parts))
            for name, heads, (table, _first, parts) in zip(names, labels, begun, strict=True)
        ],
        # By its name the library writes row by row; given the object it would keep the whole file.
        f"/dev/fd/{target.fileno()}",
        freeze_panes={name: {"row": 1, "col": 0} for name in names},
        header_format=dict.fromkeys(names, Format().set_bold().set_num_format("@")),
        column_formats={name: list(map(_format, table.heads)) for name, table in each.items()},
        column_widths={
            name: _widths(table, first)
            for name, (table, first, _parts) in zip(names, begun, strict=True)
        },
        autofilter=dict.fromkeys(names, True),
        sheet_view=dict.fromkeys(names, {"right_to_left": i18n.language() == "ar"}),
        ignore_errors=dict(zip(names, labels, strict=True)),
    )


def _begin(parts: Iterable[Part]) -> tuple[Part, Iterator[Part]]:
    """Return the first part, empty if there is none, and all of them."""
    rest = iter(parts)
    first = next(rest, None)
    return (first, chain([first], rest)) if first is not None else ((), rest)


def _records(table: Table, labels: Sequence[str], parts: Iterable[Part]) -> Iterator[Any]:
    """Yield the rows as the library takes them; an empty one if there is none, for the headings."""
    count = 0
    cells = [_CELLS[head.kind] for head in table.heads]
    for part in parts:
        count += len(part[0])
        if count > MOST_ROWS:
            raise TooManyRows
        columns = [list(map(cell, values)) for cell, values in zip(cells, part, strict=True)]
        for row in zip(*columns, strict=True):
            yield dict(zip(labels, row, strict=True))
    if not count:
        yield dict.fromkeys(labels)


def _distinct(texts: Sequence[str], longest: int = _LONGEST_TEXT) -> list[str]:
    """Return the texts cut to `longest`, those that repeat an earlier one with a number."""
    found: list[str] = []
    for text in texts:
        candidate, number = text[:longest], 1
        while candidate.lower() in map(str.lower, found):
            number += 1
            candidate = f"{text[: longest - 5]} ({number})"
        found.append(candidate)
    return found


def _format(head: Head) -> Format:
    return Format().set_num_format(_FORMATS[head.kind])


def _widths(table: Table, first: Part) -> list[float]:
    """Return the widths in characters that fit headings (with their filter) and first rows."""
    widths = []
    for place, head in enumerate(table.heads):
        values = first[place][:_WIDTH_ROWS] if first else ()
        longest = max((len(as_text(value)) for value in values), default=0)
        widths.append(float(min(max(longest + 2, len(head.label) + 4, _NARROWEST), _WIDEST)))
    return widths


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if value.__class__ is str else as_text(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _number(value: Any) -> Any:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return value if is_number and abs(value) < _LONGEST_WHOLE_NUMBER else _text(value)


def _day(value: Any) -> Any:
    is_day = value.__class__ is date and value.year >= _FIRST_YEAR
    return value if is_day else _text(value)


def _instant(value: Any) -> Any:
    """Return an instant in Kuwait's time, which is what the format's cells can say."""
    if isinstance(value, datetime) and value.year > _FIRST_YEAR:
        return value.astimezone(KUWAIT).replace(tzinfo=None)
    return _text(value)


_CELLS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.AMOUNT: _number,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
}


def workbook_response(
    filename: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    choices: Mapping[str, Collection[str]],
) -> Response:
    """Return a workbook of one sheet as a download, laid out for the reader's language.

    header: headings, all different. rows: few enough for memory; every value is written as text.
    choices: heading → the values that its cells offer in a list. Source: security requirement 32.
    """
    records = [{name: str(value) for name, value in zip(header, row, strict=True)} for row in rows]
    as_text: list[Any] = [Format().set_num_format("@")] * len(header)
    target = io.BytesIO()
    write_worksheet(
        records or [dict.fromkeys(header)],
        target,
        freeze_row=1,
        bold_headers=True,
        column_widths=[COLUMN_WIDTH] * len(header),
        column_formats=as_text,
        sheet_view={"right_to_left": i18n.language() == "ar"},
        ignore_errors=list(header),
        data_validations={
            name: {"type": "list", "values": list(values), "error_style": "warning"}
            for name, values in choices.items()
        },
    )
    return as_attachment(Response(target.getvalue(), mimetype=MEDIA_TYPE), filename)
