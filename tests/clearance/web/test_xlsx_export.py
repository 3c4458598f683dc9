"""Workbooks to fill in: text cells, choices, direction."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.web import xlsx_export
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
