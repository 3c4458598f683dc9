"""Lists as CSV."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from clearance.web import csv_export


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
    "typed", ["", "  ", "أحمد", "CE/8/19", "a=b", "١٢٣", "LG 2519770/011926", "'quoted'", "x\n=y"]
)
def test_ordinary_text_stays_as_it_is(typed: str) -> None:
    assert csv_export.escape_formula(typed) == typed


def test_values_of_ours_are_written_as_on_the_page() -> None:
    assert csv_export.escape_formula(None) == ""
    assert csv_export.escape_formula(-5) == "-5"
    assert csv_export.escape_formula(1.5) == "1.5"
    assert csv_export.escape_formula(date(2026, 3, 9)) == "09/03/2026"
    assert csv_export.escape_formula(datetime(2026, 3, 9, 22, 30, tzinfo=UTC)) == "10/03/2026 01:30"


def test_a_list_comes_as_a_download_that_excel_reads_in_arabic(context: Flask) -> None:
    rows = [["CE/1/26", "أحمد, عبدالله", 'the "best"'], ["CE/2/26", "=1", "two\nlines"]]
    with context.test_request_context():
        response = csv_export.csv_response(
            "الطلبات.csv", ["رقم الطلب", "الاسم", "notes"], iter(rows)
        )
        data = response.get_data()
    assert data.startswith("\ufeff".encode())
    assert b'"two\nlines"' in data
    assert data.count(b"\r\n") == 3
    assert read_back(data)[1:] == [rows[0], ["CE/2/26", "'=1", "two\nlines"]]
    assert response.mimetype == "text/csv"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="document.csv"; ')
    assert "filename*=UTF-8''%D8%A7%D9%84%D8%B7" in disposition
    assert response.headers["Cache-Control"] == "no-store"


def test_a_long_list_is_streamed_in_parts_and_small_memory() -> None:
    def rows() -> object:
        for number in range(100_000):
            yield [number, "أحمد عبدالله محمد العلي", "CE/8/19"]

    tracemalloc.start()
    sizes = [len(chunk) for chunk in csv_export.csv_chunks(["a", "b", "c"], rows())]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sizes) > 50
    assert sum(sizes) > 5_000_000
    assert peak < 2_000_000


def test_an_empty_list_still_tells_its_columns() -> None:
    assert b"".join(csv_export.csv_chunks(["رقم"], [])) == "\ufeffرقم\r\n".encode()
