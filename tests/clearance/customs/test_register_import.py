"""The file of `flask customs import`: as spreadsheets save it, and every fault in a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.customs import register_import
from clearance.models import CustomsAccount
from tests.support import workbooks
from tests.support.customs_system import HOLDER_CIVIL_ID, LICENCE_NO, PASSWORD, USER
from tests.support.rows import count_of


def row(**values: str) -> dict[str, str]:
    """One row of the file."""
    plain = {
        "licence_no": LICENCE_NO,
        "user_id": USER,
        "password": PASSWORD,
        "holder_first_name": "أحمد",
        "holder_last_name": "الكندري",
        "holder_civil_id": HOLDER_CIVIL_ID,
        "organisation_name_ar": "مكتب الكندري للتخليص",
        "organisation_name_en": "Alkandari Clearing",
        "broker_type": "general",
        "name_ar_1": "أحمد",
        "name_ar_4": "الكندري",
        "name_en_1": "Ahmad",
        "name_en_4": "Alkandari",
        "nationality": "KW",
        "civil_id": HOLDER_CIVIL_ID,
        "civil_id_expiry": "2030-05-01",
        "passport_no": "P1234567",
        "passport_expiry": "2029-01-31",
        "number": "CL/100",
        "guarantee_no": "LG 2519770/011926",
        "guarantee_expiry": "2028-12-31",
        "issued": "2020-01-01",
        "expires": "2028-06-30",
        "status": "active",
    }
    return {name: "" for name in register_import.COLUMNS} | plain | values


def write(path: Path, rows: list[dict[str, str]], columns: Any = register_import.COLUMNS) -> Path:
    """Write the rows as Excel would: with a BOM, and all values quoted."""
    lines = [",".join(columns)]
    lines += [",".join(f'"{each[name]}"' for name in columns) for each in rows]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return path


@pytest.mark.databases
def test_a_file_fills_the_register_and_the_account_then_agrees(app: Flask, tmp_path: Path) -> None:
    second = row(civil_id="285010100023", number="CL/101", broker_type="private")
    path = write(tmp_path / "register.csv", [row(), second])
    result = app.test_cli_runner().invoke(args=["customs", "import", str(path)])
    assert result.exit_code == 0, result.output
    assert result.output.strip().endswith("1.")
    with app.app_context():
        told = customs_client.verify(LICENCE_NO, USER, PASSWORD)
        assert [each.licence.number for each in told.brokers] == ["CL/100", "CL/101"]
        kept = db.session.scalars(sa.select(CustomsAccount)).one()
        assert PASSWORD not in f"{kept.password_hash}{kept.answer}"


def test_importing_again_replaces_the_account(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    for name in ("First Name", "Second Name"):
        path = write(tmp_path / "register.csv", [row(organisation_name_en=name)])
        assert runner.invoke(args=["customs", "import", str(path)]).exit_code == 0
    with app.app_context():
        told = customs_client.verify(LICENCE_NO, USER, PASSWORD)
        assert told.organisation.name_en == "Second Name"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"civil_id": "123"}, "row 3, column S: civil_id: "),
        ({"expires": "30/06/2028"}, "row 3, column AA: expires: "),
        ({"broker_type": "captain"}, "row 3, column I: broker_type: captain is not"),
        ({"name_ar_1": ""}, "row 3, column J: name_ar_1: "),
        ({"name_en_2": "x" * 81}, "row 3, column O: name_en_2: "),
        ({"holder_first_name": ""}, "row 3, column D: holder_first_name: differs from row 2"),
        ({"organisation_name_en": "Other"}, "row 3, column H: organisation_name_en: differs"),
        ({"licence_no": ""}, "row 3, column A: licence_no: is missing"),
        ({"user_id": "x" * 81}, "row 3, column B: user_id: has more than 80 characters"),
        ({"user_id": "other", "password": "x" * 129}, "row 3, column C: password: is too long"),
        ({"user_id": "other", "organisation_name_ar": ""}, "row 3, column G: organisation_name_ar"),
    ],
)
def test_a_faulty_row_is_named_and_nothing_is_taken(
    app: Flask, tmp_path: Path, change: dict[str, str], fault: str
) -> None:
    path = write(tmp_path / "register.csv", [row(), row(**change)])
    result = app.test_cli_runner().invoke(args=["customs", "import", str(path)])
    assert result.exit_code == 1
    assert fault in result.output
    with app.app_context():
        assert count_of(CustomsAccount) == 0


def import_it(app: Flask, path: Path, data: bytes) -> str:
    """What the command says when it refuses the file in plain lines and imports nothing."""
    path.write_bytes(data)
    result = app.test_cli_runner().invoke(args=["customs", "import", str(path)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    with app.app_context():
        assert count_of(CustomsAccount) == 0
    return result.output


def test_every_fault_of_every_account_has_a_line(app: Flask, tmp_path: Path) -> None:
    rows = [row(expires="x", issued="y"), row(user_id="other", civil_id="1", passport_no="")]
    path = write(tmp_path / "register.csv", rows)
    lines = import_it(app, path, path.read_bytes()).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "row 2, column Z",
        "row 2, column AA",
        "row 3, column S",
        "row 3, column U",
        "Error",
    ]


def test_missing_and_unknown_columns_are_named(app: Flask, tmp_path: Path) -> None:
    columns = ["colour", *register_import.COLUMNS[1:]]
    path = write(tmp_path / "register.csv", [row(colour="red")], columns)
    said = import_it(app, path, path.read_bytes())
    assert "row 1: no column is called licence_no" in said
    assert "row 1, column A (colour): unknown column" in said


def test_rows_that_do_not_fit_the_header_are_named(app: Flask, tmp_path: Path) -> None:
    path = write(tmp_path / "register.csv", [row()])
    data = path.read_bytes()
    said = import_it(app, path, data + b"\nKW-1,only,three")
    assert "row 3, column AB: status" in said
    said = import_it(app, path, data + b"," * 1 + b"x\n")
    assert "row 2, column AC: a value without a heading" in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01", "This file is not an Excel workbook or a CSV file"),
        (b"PK\x03\x04junk", "This file is not an Excel workbook or a CSV file"),
        (b'"licence_no', "Row 1 cannot be read"),
        (b"status,Status", "Columns A and B have the same heading"),
    ],
)
def test_another_file_is_refused_in_one_line(
    app: Flask, tmp_path: Path, data: bytes, said: str
) -> None:
    assert import_it(app, tmp_path / "register.csv", data).startswith(said)


def as_cp1256(rows: list[dict[str, str]]) -> bytes:
    columns = register_import.COLUMNS
    lines = [columns, *[[each[name] for name in columns] for each in rows]]
    return "\r\n".join(";".join(line) for line in lines).encode("cp1256")


def as_workbook(rows: list[dict[str, str]]) -> bytes:
    columns = [name.upper().replace("_", " ") for name in reversed(register_import.COLUMNS)]
    return workbooks.xlsx(columns, *[[_cell(name, each) for name in columns] for each in rows])


def _cell(name: str, each: dict[str, str]) -> Any:
    text = each[name.lower().replace(" ", "_")]
    return int(text) if text.isdecimal() else date.fromisoformat(text) if _DAY(text) else text


_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


@pytest.mark.parametrize("written", [as_cp1256, as_workbook])
def test_the_register_is_read_as_spreadsheets_save_it(
    app: Flask, tmp_path: Path, written: Callable[[list[dict[str, str]]], bytes]
) -> None:
    path = tmp_path / "register"
    path.write_bytes(written([row(), row(civil_id="285010100023", number="CL/101")]))
    result = app.test_cli_runner().invoke(args=["customs", "import", str(path)])
    assert result.exit_code == 0, result.output
    with app.app_context():
        told = customs_client.verify(LICENCE_NO, USER, PASSWORD)
        assert told.organisation.name_ar == "مكتب الكندري للتخليص"
        assert [each.civil_id for each in told.brokers] == [HOLDER_CIVIL_ID, "285010100023"]
        assert str(told.brokers[0].licence.expires) == "2028-06-30"
