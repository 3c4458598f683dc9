"""Workbooks, to fill in and of lists: kinds of cells, choices, direction."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import TemporaryFile

import pytest
from flask import Flask
from flask_babel import force_locale
from python_calamine import load_workbook

from clearance.core.clock import KUWAIT
from clearance.web import xlsx_export
from clearance.web.sheets import Head, Kind, Table
from tests.support import workbooks

EVIL = ["=1+1", "+1", "@SUM(A1)", "http://example.com", "285010112345", "a\x01b<&>"]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_cell_is_text_whatever_it_begins_with(context: Flask, language: str) -> None:
    with force_locale(language):
        response = xlsx_export.workbook_response(
            "a.xlsx",
            ["Text", "Result"],
            [(text, "") for text in EVIL],
            {"Result": ["ناجح", "راسب"]},
        )
    data = response.get_data()
    assert workbooks.cells(data) == [["Text", "Result"], *[[text, ""] for text in EVIL]]
    xml = workbooks.sheet_xml(data)
    assert "<f>" not in xml
    assert "<hyperlink" not in xml
    assert xml.count('t="inlineStr"') == len(EVIL) + 2
    assert '<formula1>"ناجح,راسب"</formula1>' in xml
    assert ('rightToLeft="1"' in xml) == (language == "ar")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="a.xlsx"')


def test_a_table_without_rows_still_has_its_headings(context: Flask) -> None:
    response = xlsx_export.workbook_response("a.xlsx", ["Text", "Result"], [], {})
    assert workbooks.cells(response.get_data()) == [["Text", "Result"]]


def written(*tables: Table) -> bytes:
    with TemporaryFile() as target:
        xlsx_export.write(target, tables)
        target.seek(0)
        return target.read()


def table_of(kind: Kind, *values: object, name: str = "A") -> Table:
    return Table(name, [Head("Value", kind)], [[list(values)]])


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_list_has_a_frozen_head_filters_and_the_direction_of_its_language(
    context: Flask, language: str
) -> None:
    table = Table(
        "قائمة", [Head("الرقم"), Head("number")], [[["=1", "+1"], ["285010112345", None]]]
    )
    with force_locale(language):
        data = written(table)
    xml = workbooks.sheet_xml(data)
    assert workbooks.cells(data)[1:] == [["=1", "285010112345"], ["+1", ""]]
    assert "<f>" not in xml
    assert xml.count('t="inlineStr"') == 5
    assert 'ySplit="1"' in xml
    assert 'state="frozen"' in xml
    assert '<autoFilter ref="A1:B3"/>' in xml
    assert ('rightToLeft="1"' in xml) == (language == "ar")


def test_numbers_days_and_instants_are_real_ones_and_what_is_none_of_them_is_text(
    context: Flask,
) -> None:
    instant = datetime(2026, 12, 31, 21, 30, tzinfo=UTC)
    local = instant.astimezone(KUWAIT).replace(tzinfo=None)
    columns = {
        Kind.NUMBER: [5, True, "=1", 10**20],
        Kind.AMOUNT: [Decimal("1.500"), None, "x", -2],
        Kind.DAY: [date(2026, 3, 9), date(1899, 1, 1), "", instant],
        Kind.INSTANT: [instant, date(2026, 3, 9), None, "never"],
        Kind.TEXT: [5, date(2026, 3, 9), instant, "285010112345"],
    }
    table = Table("A", [Head(kind.name, kind) for kind in columns], [list(columns.values())])
    found = list(zip(*workbooks.cells(written(table))[1:], strict=True))
    assert found == [
        (5.0, "True", "=1", str(10**20)),
        (1.5, "", "x", -2.0),
        (date(2026, 3, 9), "01/01/1899", "", "01/01/2027 00:30"),
        (local, "09/03/2026", "", "never"),
        ("5", "09/03/2026", "01/01/2027 00:30", "285010112345"),
    ]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(context: Flask) -> None:
    (_head, (cell,)) = workbooks.cells(written(table_of(Kind.TEXT, "ش" * 40_000)))
    assert len(cell) == 32_767
    assert cell.endswith("ش…")


def test_tables_are_sheets_with_names_that_the_format_takes(context: Flask) -> None:
    names = ["[طلبات]: a/b", "ن" * 40, "ن" * 40, "سجل"]
    data = written(*(table_of(Kind.NUMBER, place, name=name) for place, name in enumerate(names)))
    book = load_workbook(io.BytesIO(data))
    assert book.sheet_names == [" طلبات   a b", "ن" * 31, "ن" * 26 + " (2)", "سجل"]
    found = [book.get_sheet_by_name(name).to_python()[1] for name in book.sheet_names]
    assert found == [[0.0], [1.0], [2.0], [3.0]]


def test_headings_that_are_alike_keep_their_columns(context: Flask) -> None:
    table = Table("A", [Head("الاسم"), Head("الاسم")], [[["a"], ["b"]]])
    assert workbooks.cells(written(table)) == [["الاسم", "الاسم (2)"], ["a", "b"]]


def test_a_list_without_rows_has_its_headings(context: Flask) -> None:
    assert workbooks.cells(written(Table("A", [Head("Number"), Head("Day", Kind.DAY)], []))) == [
        ["Number", "Day"]
    ]


def test_rows_beyond_the_format_are_refused(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_export, "MOST_ROWS", 3)
    assert len(workbooks.cells(written(table_of(Kind.NUMBER, 1, 2, 3)))) == 4
    with pytest.raises(xlsx_export.TooManyRows):
        written(table_of(Kind.NUMBER, 1, 2, 3, 4))


def test_a_fault_in_the_middle_is_raised_and_memory_does_not_grow(context: Flask) -> None:
    def parts(count: int) -> Iterator[list[list[object]]]:
        for place in range(count):
            yield [[f"{place} أحمد عبدالله محمد العلي"] * 1_000] * 5
        raise RuntimeError("the database is gone")

    heads = [Head(name) for name in "abcde"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RuntimeError, match="the database is gone"):
        written(Table("A", heads, parts(50)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024  # KB
