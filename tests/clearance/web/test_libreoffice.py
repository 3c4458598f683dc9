"""Workbooks of lists as LibreOffice reads them; skipped where it is not installed."""

from __future__ import annotations

import csv
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.web import xlsx_export
from clearance.web.sheets import Head, Kind, Table

OFFICE = shutil.which("soffice")
HEADS = [
    Head("رقم الطلب"),
    Head("الاسم"),
    Head("الرقم المدني"),
    Head("الجوال"),
    Head("العدد", Kind.NUMBER),
    Head("الرسم", Kind.AMOUNT),
    Head("اليوم", Kind.DAY),
    Head("الوقت", Kind.INSTANT),
]
ROWS = [
    ["CE/1/26", "=1+1", "285010112345", "+96555512345", 5, Decimal("12.500"), None, None],
    ["CE/2/26", "@SUM(A1)", "012345678901", "-2+3", None, None, date(2026, 3, 9), None],
    ["1/2", "1e5", "TRUE", "=HYPERLINK(1)", -7, Decimal("0.001"), None, "12:30"],
]


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice (libreoffice-calc) is not installed")
def test_libreoffice_reads_texts_numbers_and_days_and_calculates_nothing(
    context: Flask, tmp_path: Path
) -> None:
    rows = [list(row) for row in ROWS]
    rows[0][7] = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    columns = list(zip(*rows, strict=True))
    target = tmp_path / "list.xlsx"
    with target.open("w+b") as file, force_locale("ar"):
        xlsx_export.write(file, [Table("الطلبات", HEADS, [columns])])
    assert OFFICE is not None
    # As CSV with every text quoted, so that what is a number shows by having no quotes.
    quoted = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,true"
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = [OFFICE, profile, "--headless", "--convert-to", quoted, "--outdir", tmp_path, target]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    text = (tmp_path / "list.csv").read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    assert next(csv.reader(lines)) == [head.label for head in HEADS]
    assert lines[1:] == [
        '"CE/1/26","=1+1","285010112345","+96555512345",5,12.500,,10/03/2026 01:30',
        '"CE/2/26","@SUM(A1)","012345678901","-2+3",,,09/03/2026,',
        '"1/2","1e5","TRUE","=HYPERLINK(1)",-7,0.001,,"12:30"',
    ]
