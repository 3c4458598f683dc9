"""Tables as spreadsheets write them: what is read, where its cells are, what is refused."""

from __future__ import annotations

import codecs
import random
import resource
from collections.abc import Callable, Iterator
from datetime import date, datetime
from time import monotonic

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.files import file_inspection_worker, table_worker, tables
from clearance.files.file_inspection_worker import Answer
from clearance.files.tables import BadTable, Limits, Row
from tests.support import workbooks

LIMITS = Limits(rows=5, text_bytes=4096)


def text(mark: str = ",", end: str = "\r\n") -> str:
    """The text of ROWS."""
    lines = ["number,result", '"CE/1/26",ناجح', "", 'CE/2/26,"ا; ""ب"""', ""]
    return end.join(lines).replace(",", mark)


ROWS = [
    Row(1, ("number", "result")),
    Row(2, ("CE/1/26", "ناجح")),
    Row(4, ("CE/2/26", 'ا; "ب"')),
]

pytestmark = pytest.mark.usefixtures("english", "patient")


@pytest.fixture
def english(context: Flask) -> Iterator[None]:
    """Messages in English."""
    with force_locale("en"):
        yield


@pytest.mark.parametrize(
    "data",
    [
        text().encode(),
        text().encode("utf-8-sig"),
        text().encode("cp1256"),
        codecs.BOM_UTF16_LE + text().encode("utf-16-le"),
        codecs.BOM_UTF16_BE + text().encode("utf-16-be"),
        text(end="\n").encode(),
        text(end="\r").encode(),
        text(";").encode("cp1256"),
        text("\t").encode("utf-16"),
        ("sep=,\r\n" + text()).encode("utf-8-sig"),
        ("sep=|\n" + text("|")).encode(),
    ],
    ids=[
        "utf-8",
        "utf-8 with mark",
        "windows-1256",
        "utf-16 le",
        "utf-16 be",
        "lf",
        "cr",
        "semicolons",
        "unicode text of Excel",
        "separator line",
        "another separator",
    ],
)
def test_a_text_is_read_as_excel_wrote_it(data: bytes) -> None:
    assert tables.read(data, LIMITS) == ROWS


def test_a_workbook_is_read_with_numbers_days_and_empty_rows() -> None:
    data = workbooks.xlsx(
        ["number", "civil", "day", "at"],
        ["=1+1", 285010112345, date(2026, 12, 31), datetime.fromisoformat("2026-12-31T00:00")],
        [None, None, None, None],
        [" نص ", 285010112345.0, date(2027, 1, 1), datetime.fromisoformat("2026-12-31T09:30")],
    )
    assert tables.read(data, LIMITS) == [
        Row(1, ("number", "civil", "day", "at")),
        Row(2, ("=1+1", "285010112345", "2026-12-31", "2026-12-31")),
        Row(4, ("نص", "285010112345", "2027-01-01", "2026-12-31 09:30:00")),
    ]


def test_places_count_from_the_first_row_and_column_of_the_sheet() -> None:
    data = workbooks.raw_xlsx(
        '<row r="3"><c r="B3"><v>2.85010112345E+11</v></c><c r="C3" t="e"><v>#N/A</v></c>'
        '<c r="D3"><f>1+1</f><v>2.5</v></c><c r="E3" t="b"><v>1</v></c></row>'
        '<row r="9"><c r="C9" t="inlineStr"><is><t>a_x0000_b</t></is></c></row>'
    )
    assert tables.read(data, LIMITS) == [
        Row(3, ("", "285010112345", "", "2.5", "TRUE")),
        Row(9, ("", "", "ab")),
    ]


def test_the_first_sheet_that_people_see_is_read() -> None:
    rows = '<row r="1"><c r="A1"><v>7</v></c></row>'
    hidden = '<sheet name="H" sheetId="1" state="hidden" r:id="r1"/>'
    seen = '<sheet name="S" sheetId="2" r:id="r1"/>'
    assert tables.read(workbooks.raw_xlsx(rows, sheets=hidden + seen), LIMITS) == [Row(1, ("7",))]
    with pytest.raises(BadTable, match="no sheet that can be seen"):
        tables.read(workbooks.raw_xlsx(rows, sheets=hidden), LIMITS)


def test_a_libreoffice_sheet_is_read() -> None:
    data = workbooks.ods(
        '<table:table-row><table:table-cell office:value-type="string"><text:p>ناجح</text:p>'
        '</table:table-cell><table:table-cell office:value-type="float" office:value="7"/>'
        "</table:table-row>"
    )
    assert tables.read(data, LIMITS) == [Row(1, ("ناجح", "7"))]


def test_an_old_workbook_is_read() -> None:
    assert tables.read(workbooks.xls(), LIMITS) == [
        Row(1, ("number", "ناجح")),
        Row(3, ("285010112345",)),
    ]


# Refusals


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\r\n\x00,1\r\n", "not an Excel workbook or a CSV file"),
        (b"%PDF-1.7\n\x01\xff", "not an Excel workbook or a CSV file"),
        ("الرقم,النتيجة\r\nناجح".encode()[:-1], "not an Excel workbook or a CSV file"),
        ("ناجح".encode("utf-16-le"), "not an Excel workbook or a CSV file"),
        (codecs.BOM_UTF16_LE + b"\x00", "not an Excel workbook or a CSV file"),
        (codecs.BOM_UTF8 + "ناجح".encode("cp1256"), "not an Excel workbook or a CSV file"),
        (b"PK\x03\x04junk", "not an Excel workbook or a CSV file"),
        (table_worker.OLE + bytes(600), "not an Excel workbook or a CSV file"),
        (table_worker.OLE + "EncryptedPackage".encode("utf-16-le"), "without a password"),
        (b'a,b\r\n"1,2\r\n', "Row 2 cannot be read"),
        (b"a\r\n" * 6, "too many rows. The maximum is 5"),
        (b"," * 100 + b"\r\n", "more than 100 columns"),
        (b"x" * 4097, "too large. The limit is 4 KB"),
        (workbooks.xlsx(["a"], *[["1"]] * 6), "too many rows. The maximum is 5"),
        (b"PK\x03\x04" + bytes(LIMITS.workbook_bytes), "too large. The limit is 2048 KB"),
        (workbooks.raw_xlsx("<row><c"), "not an Excel workbook or a CSV file"),
        (workbooks.raw_xlsx('<row r="1"><c r="CW1"><v>1</v></c></row>'), "more than 100 columns"),
    ],
)
def test_another_file_is_refused_in_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(BadTable) as caught:
        tables.read(data, LIMITS)
    assert message in str(caught.value)


def far_cells() -> bytes:
    first, last = '<row r="1"><c r="A1"><v>1</v></c></row>', '<c r="{}1048576"><v>1</v></c></row>'
    return workbooks.raw_xlsx(f'{first}<row r="1048576">{last.format("CV")}')


def many_sheets() -> bytes:
    return workbooks.raw_xlsx("", parts={f"xl/{number}.xml": b"" for number in range(600)})


def large_part() -> bytes:
    return workbooks.raw_xlsx("", parts={"xl/media/image1.png": bytes(60_000_000)})


def long_cell() -> bytes:
    return workbooks.raw_xlsx(f'<row r="1"><c r="A1" t="str"><v>{"x" * 5_000_000}</v></c></row>')


def many_cells() -> bytes:
    return workbooks.raw_xlsx("<row>" + "<c><v>1</v></c>" * 2_500_000 + "</row>")


def repeated_cells() -> bytes:
    return workbooks.ods(
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        'office:value-type="float" office:value="7" table:number-columns-repeated="9000"/>'
        "</table:table-row>"
    )


@pytest.mark.parametrize(
    "bomb",
    [far_cells, many_sheets, large_part, long_cell, many_cells, repeated_cells],
)
def test_a_bomb_ends_only_its_process(bomb: Callable[[], bytes]) -> None:
    data = bomb()
    assert len(data) < LIMITS.workbook_bytes
    began, kept = monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadTable):
        tables.read(data, LIMITS)
    assert monotonic() - began < 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - kept < 20_000  # KiB


def test_a_damaged_directory_is_not_taken_for_a_fault_of_ours() -> None:
    newer = workbooks.xlsx(["a"], ["b"]).replace(
        b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x50"
    )
    answer = file_inspection_worker.answer_to("read_workbook", newer, ["5", "9"])
    assert answer == Answer("broken")


@pytest.mark.parametrize("good", [workbooks.xlsx(["number"], ["CE/1/26"]), workbooks.xls()])
def test_damaged_workbooks_are_refused_and_never_fail(good: bytes) -> None:
    rng = random.Random(7)
    for _turn in range(8):
        data = bytearray(good)
        for _byte in range(20):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        try:
            tables.read(bytes(data), LIMITS)
        except BadTable:
            continue


# Words and places


def test_headings_are_found_in_any_order_and_spelling() -> None:
    names = {"number": ["رقم الطلب", "request number"], "civil": ["civil_id", "الرقم المدني"]}
    header = Row(1, ("Name", " CIVIL-ID ", "رَقْمُ  الطلـب"))
    assert tables.columns_of(header, names) == {"civil": 1, "number": 2}
    assert tables.columns_of(Row(1, ("الرقم المدنى", "Request_Number")), names) == {
        "civil": 0,
        "number": 1,
    }
    with pytest.raises(BadTable, match="Columns A and C have the same heading"):
        tables.columns_of(Row(1, ("civil id", "x", "CIVIL ID")), names)


@pytest.mark.parametrize(
    ("column", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (16383, "XFD")]
)
def test_columns_are_named_as_in_a_spreadsheet(column: int, name: str) -> None:
    assert tables.letters(column) == name


def test_cells_are_named_in_both_languages() -> None:
    assert tables.cell_name(3, 1) == "Row 3, column B"
    with force_locale("ar"):
        assert tables.cell_name(3, 1) == "الصف 3، العمود B"
        assert tables.cell_name(3, None) == "الصف 3"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("285010112345", "285010112345"),
        ("285010112345.0", "285010112345"),
        ("2.85010112345E+11", "285010112345"),
        ("2,85010112345e11", "285010112345"),
        ("'285010112345", "285010112345"),
        ("\u2068٢٨٥٠١٠١١ ٢٣٤٥\u2069", "285010112345"),
        ("2.85E+11", "285000000000"),  # the other digits are lost: no candidate's number
        ("2.5", "2.5"),
        ("CE/1/26", "CE/1/26"),
        ("1E999", "1E999"),
        ("9" * 5000 + ".0", "9" * 5000 + ".0"),
    ],
)
def test_a_number_is_read_back_as_it_was_typed(text: str, digits: str) -> None:
    assert tables.whole_number(text) == digits
