"""CSV export: streamed in chunks, readable by Excel in Arabic, safe from formula injection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from tempfile import SpooledTemporaryFile

from flask import Response, request, stream_with_context

from clearance.core.extensions import db
from clearance.core.i18n import format_day, format_instant
from clearance.core.request_kind import wants_head_only
from clearance.web.downloads import as_attachment

BOM = "\ufeff"
CHUNK_CHARACTERS = 64 * 1024

# Characters that start a formula in spreadsheets, and full-width forms that some programs
# normalise to them.
_FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")
_BIDI_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SKIPPED_BEFORE = f" \u00a0\u3000\u200b\ufeff{_BIDI_MARKS}"


def escape_formula(value: object) -> str:
    """Return the text of a cell, with `'` before anything a spreadsheet would calculate.

    Dates and times are formatted as on the page; numbers stay numbers, including negative ones.
    None is an empty cell. Source: security requirement 32.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return format_day(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = str(value)
    first = text.lstrip(_SKIPPED_BEFORE)[:1]
    return f"'{text}" if first in _FORMULA_STARTS and first else text


def csv_response(
    filename: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> Response:
    """Return a streamed CSV download of any size.

    filename: with extension. rows: a list, or a generator that begins a new query for every part of
    its rows; it runs in the request's context and may only read. The transaction ends before every
    part is sent. An error before the first part gives an error page; a later one breaks off the
    chunked transfer, which clients detect. HTTP/1.0 (some proxies) cannot signal that, so there the
    whole file is written before it is sent.
    """
    chunks = _without_transaction(csv_chunks(header, rows))
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return as_attachment(_whole(chunks), filename)
    first = next(chunks)
    if wants_head_only():
        return as_attachment(Response(mimetype="text/csv"), filename)
    response = Response(stream_with_context(chain([first], chunks)), mimetype="text/csv")
    return as_attachment(response, filename)


def _without_transaction(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        db.session.rollback()  # no transaction stays open while the client reads
        yield chunk


def _whole(chunks: Iterator[bytes]) -> Response:
    target = SpooledTemporaryFile(CHUNK_CHARACTERS * 16)  # noqa: SIM115 - closed with the response
    target.writelines(chunks)
    size = target.tell()
    target.seek(0)
    parts = iter(lambda: target.read(CHUNK_CHARACTERS), b"")
    response = Response(parts, mimetype="text/csv")
    response.content_length = size
    response.call_on_close(target.close)
    return response


def csv_chunks(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a CSV (RFC 4180, UTF-8 with BOM) in parts of about 64 KB."""
    buffer = io.StringIO()
    buffer.write(BOM)
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([escape_formula(value) for value in header])
    for row in rows:
        writer.writerow([escape_formula(value) for value in row])
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
