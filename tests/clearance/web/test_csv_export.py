"""Lists as CSV."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from clearance.web import csv_export, sheets
from clearance.web.sheets import Head, Kind, Table


def read_back(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "typed",
    [
        '=HYPERLINK("http://x.example";"press")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\0=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "   =1",
        "\u00a0=1",
        "\u200f=1",
        "\u2068\u202e =1",
    ],
)
def test_what_a_spreadsheet_would_calculate_gets_an_apostrophe(typed: str) -> None:
    assert csv_export.escape_formula(typed) == "'" + typed


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "أحمد", "CE/8/19", "a=b", "١٢٣", "LG 2519770/011926", "'quoted'", "x\ny", "a;b-c"],
)
def test_ordinary_text_stays_as_it_is(typed: str) -> None:
    assert csv_export.escape_formula(typed) == typed


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("a;=1", "'a;'=1"),
        ("a\t \u200f@x", "'a\t' \u200f@x"),
        ("a\r\n=1\n+2", "'a\r\n'=1\n'+2"),
        ("=1;=2", "'=1;'=2"),
        ("+96555512345;=1", "'+96555512345;'=1"),
    ],
)
def test_a_formula_is_defused_where_another_separator_would_begin_a_cell(
    typed: str, written: str
) -> None:
    assert csv_export.escape_formula(typed) == written
    for separator in (",", ";", "\t"):
        table = sheets.of_rows("a", ["a", "b"], [[typed, "b"]])
        data = b"".join(csv_export.csv_chunks(table)).decode("utf-8-sig")
        for row in csv.reader(io.StringIO(data, newline=""), delimiter=separator):
            assert not any(cell.lstrip(" \u200f").startswith(("=", "+", "@")) for cell in row)


def test_mobile_numbers_are_plain_and_numbers_stay_negative() -> None:
    table = Table(
        "a",
        [Head("mobile"), Head("number", Kind.NUMBER), Head("amount", Kind.AMOUNT)],
        [[["+96555512345", "+1+1", None], [-5, True, "=1"], [Decimal("-1.500"), 1.5, None]]],
    )
    assert read_back(b"".join(csv_export.csv_chunks(table)))[1:] == [
        ["+96555512345", "-5", "-1.500"],
        ["'+1+1", "True", "1.5"],
        ["", "'=1", ""],
    ]


def test_days_and_instants_are_written_as_on_the_page() -> None:
    late = datetime(2026, 12, 31, 21, 59, tzinfo=UTC)
    elsewhere = late.astimezone(ZoneInfo("Asia/Tokyo"))
    table = Table(
        "a",
        [Head("day", Kind.DAY), Head("instant", Kind.INSTANT), Head("text")],
        [[[date(2026, 3, 9), None, "=1"], [late, elsewhere, None], [late, date(2026, 3, 9), 1]]],
    )
    assert read_back(b"".join(csv_export.csv_chunks(table)))[1:] == [
        ["09/03/2026", "01/01/2027 00:59", "01/01/2027 00:59"],
        ["", "01/01/2027 00:59", "09/03/2026"],
        ["'=1", "", "1"],
    ]


def test_a_list_comes_as_a_download_that_excel_reads_in_arabic(context: Flask) -> None:
    rows = [["CE/1/26", "أحمد, عبدالله", 'the "best"'], ["CE/2/26", "=1", "two\nlines"]]
    with context.test_request_context():
        response = csv_export.csv_response(
            "الطلبات.csv", ["رقم الطلب", "الاسم", "notes"], iter(rows)
        )
        data = response.get_data()
    assert data.startswith("\ufeff".encode())
    assert b'"CE/1/26","\xd8' in data
    assert b'"the ""best"""' in data
    assert b'"two\nlines"' in data
    assert data.count(b"\r\n") == 3
    assert read_back(data)[1:] == [rows[0], ["CE/2/26", "'=1", "two\nlines"]]
    assert response.mimetype == "text/csv"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="document.csv"; ')
    assert "filename*=UTF-8''%D8%A7%D9%84%D8%B7" in disposition
    assert response.headers["Cache-Control"] == "no-store"


def test_a_long_list_is_streamed_in_parts_and_small_memory() -> None:
    def rows() -> Iterator[list[object]]:
        for number in range(100_000):
            yield [number, "أحمد عبدالله محمد العلي", "CE/8/19"]

    tracemalloc.start()
    table = sheets.of_rows("a", ["a", "b", "c"], rows())
    sizes = [len(chunk) for chunk in csv_export.csv_chunks(table)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sizes) == 50
    assert sum(sizes) > 5_000_000
    assert peak < 2_000_000


def test_an_empty_list_still_tells_its_columns() -> None:
    table = sheets.of_rows("a", ["رقم"], [])
    assert b"".join(csv_export.csv_chunks(table)) == '\ufeff"رقم"\r\n'.encode()
