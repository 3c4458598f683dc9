"""Results as a file: headings and words as people write them, faults by row and cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.core.actor import Actor
from clearance.exams import results_file
from clearance.exams.results import RESULT_LABELS, BadResults, Result
from clearance.exams.sittings import SEATS_MAX
from clearance.files.tables import BadTable
from clearance.models import Request, User
from tests.support import workbooks
from tests.support.december_sitting import hold
from tests.support.exam_factories import seat_of

HEADER = ("number", "civil_id", "result")
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def csv_of(*rows: Sequence[str], mark: str = ",", encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join(mark.join(row) for row in (HEADER, *rows)).encode(encoding)


def xlsx_of(*rows: Sequence[str]) -> bytes:
    return workbooks.xlsx(HEADER, *rows)


def row_of(req: Request, result: str) -> tuple[str, str, str]:
    return (req.number or "", req.civil_id or "", result)


@pytest.mark.parametrize(
    "write",
    [
        csv_of,
        xlsx_of,
        lambda *rows: csv_of(*rows, mark=";", encoding="cp1256"),
        lambda *rows: csv_of(*rows, mark="\t", encoding="utf-16"),
    ],
    ids=["csv", "workbook", "semicolons in Windows-1256", "unicode text"],
)
def test_a_file_as_a_spreadsheet_writes_it_is_matched(
    context: Flask, actor: Actor, reviewer: User, write: Callable[..., bytes]
) -> None:
    exam, (one, two, three) = hold(actor, reviewer, 3)
    data = write(row_of(one, "ناجح"), row_of(two, " Failed "), ("", "", ""), row_of(three, "غائبة"))
    lines = results_file.read_file(data)
    assert [line.row for line in lines] == [2, 3, 5]
    assert results_file.match(exam.id, lines) == {
        seat_of(one).id: Result.PASSED,
        seat_of(two).id: Result.FAILED,
        seat_of(three).id: Result.ABSENT,
    }


@pytest.mark.parametrize(
    "header",
    [
        ["Result", "Name", "Request Number", "Civil number"],
        ["النتيجة", "الاسم", "رقم الطلب", "الرقم المدنى"],
        [" RESULT ", "result by", "number", "Civil-ID"],
    ],
)
def test_headings_are_in_any_order_and_either_language(
    context: Flask, actor: Actor, reviewer: User, header: list[str]
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    number, civil_id, result = row_of(req, "passed")
    data = workbooks.xlsx(header, [result, "=1+1", number, civil_id])
    assert len(results_file.match(exam.id, results_file.read_file(data))) == 1


def test_numbers_as_spreadsheets_rewrite_them_are_read_back(
    context: Flask, actor: Actor, reviewer: User
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    number, civil_id, _result = row_of(req, "")
    for typed in (
        int(civil_id),
        float(civil_id),
        f"{civil_id}.0",
        f"{civil_id[0]}.{civil_id[1:]}E+11",
        f" \u2068{civil_id.translate(EASTERN)}\u2069",
        f"'{civil_id}",
    ):
        data = workbooks.xlsx(HEADER, [f"\u200f{number.lower().translate(EASTERN)} ", typed, "P"])
        assert len(results_file.match(exam.id, results_file.read_file(data))) == 1
    short = csv_of((number, f"{civil_id[0]}.{civil_id[1:3]}E+11", "passed"))
    with force_locale("en"), pytest.raises(BadResults) as caught:
        results_file.match(exam.id, results_file.read_file(short))
    [fault] = caught.value.faults
    assert (fault.row, fault.column) == (2, 1)
    assert "a spreadsheet shortened it" in fault.message


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Result.PASSED, "passed|PASS|p|ناجح|ناجحة|نـاجـح|نَاجِحٌ|اجتاز|إجتازت|Passed "),
        (Result.FAILED, "failed|Fail|F|راسب|راسبه|لم يجتز|لم  تجتز|did not pass"),
        (Result.ABSENT, "absent|No show|no-show|غائب|غائبة|غايب|لم يحضر"),
    ],
)
def test_results_are_understood_as_people_write_them(
    context: Flask, actor: Actor, reviewer: User, result: Result, words: str
) -> None:
    exam, (req,) = hold(actor, reviewer, 1)
    for word in words.split("|"):
        lines = results_file.read_file(xlsx_of(row_of(req, word)))
        assert results_file.match(exam.id, lines) == {seat_of(req).id: result}, word


@pytest.mark.parametrize("language", ["ar", "en"])
def test_what_the_portal_itself_calls_them_is_understood(context: Flask, language: str) -> None:
    with force_locale(language):
        for result, label in RESULT_LABELS.items():
            assert results_file._WORDS[results_file.fold_name(str(label))] == result
        header = [str(label) for label in results_file.LABELS.values()]
        [line] = results_file.read_file(workbooks.xlsx(header, ["CE/1/26", "1", "x"]))
        assert line.columns == {"number": 0, "civil_id": 1, "result": 2}


@pytest.mark.parametrize(
    ("language", "places"),
    [
        (
            "en",
            [
                "Row 3, column A",
                "Row 4, column A",
                "Row 5, column B",
                "Row 6, column C",
                "Row 7, column A",
                "Row 7, column C",
                "Row 8, column C",
            ],
        ),
        ("ar", ["الصف 3، العمود A"]),
    ],
)
def test_every_bad_cell_is_named_and_no_row_is_matched(
    context: Flask, actor: Actor, reviewer: User, language: str, places: list[str]
) -> None:
    exam, (one, two) = hold(actor, reviewer, 2)
    data = csv_of(
        row_of(one, "passed"),
        row_of(one, "failed"),
        ("CE/999999/26", "288010112345", "passed"),
        (two.number or "", one.civil_id or "", "passed"),
        row_of(two, "excellent"),
        ("=HYPERLINK(1)", "@SUM(1)", "<script>"),
        row_of(two, ""),
    )
    with force_locale(language), pytest.raises(BadResults) as caught:
        results_file.match(exam.id, results_file.read_file(data))
    faults = caught.value.faults
    with force_locale(language):
        assert [fault.place for fault in faults][: len(places)] == places
    assert len(faults) == 7
    assert faults[5].who == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty"),
        (b"number,civil_id\r\nCE/1/26,288010112345\r\n", "Not found in row 1: Result."),
        (b"\r\nname,result\r\nA,passed\r\n", "in row 2: Request number, Civil number."),
        (b"number,civil_id,result\r\n", "no results under the header row"),
        (b"number,civil_id,result,Result\r\n", "Columns C and D have the same heading"),
        (csv_of(*[("CE/1/26", "1", "passed")] * (SEATS_MAX + 1)), "too many rows"),
        (b"x" * (results_file.LIMITS.text_bytes + 1), "The limit is 256 KB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(
    context: Flask, data: bytes, message: str
) -> None:
    with force_locale("en"), pytest.raises(BadTable) as caught:
        results_file.read_file(data)
    assert message in str(caught.value)


def test_a_full_sitting_fits_into_a_file(context: Flask) -> None:
    rows = [("CE/1/26", "1", "passed")] * SEATS_MAX
    assert len(results_file.read_file(csv_of(*rows))) == SEATS_MAX


def test_a_value_without_a_heading_is_refused(context: Flask) -> None:
    data = csv_of(("CE/1/26", "288010112345", "passed", "more"), ("CE/2/26", "", "", "", "x"))
    with force_locale("en"), pytest.raises(BadResults) as caught:
        results_file.read_file(data)
    with force_locale("en"):
        places = [fault.place for fault in caught.value.faults]
    assert places == ["Row 2, column D", "Row 3, column E"]
