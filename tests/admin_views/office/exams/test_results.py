"""Results as the office enters them, on the page or by a file."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams import results as exam_results
from clearance.exams.results import Result
from clearance.exams.statuses import ExamStatus
from clearance.files import file_inspection
from clearance.models import Exam, User
from tests.support import workbooks
from tests.support.exam_factories import seat_of, status_of
from tests.support.pages import Page, PageClient
from tests.support.sitting_pages import LANGUAGES, announced, details, held


@pytest.mark.parametrize("language", LANGUAGES)
def test_results_by_hand_are_confirmed_then_recorded(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    exam, (one, two, three) = held(reviewer, 3)
    client = browser(reviewer, language)
    label = {"ar": "تسجيل النتائج", "en": "Record results"}[language]
    grid = client.get(client.get(details(exam)).link(label))
    names = [f"result-{seat_of(req).id}" for req in (one, two)]
    question = client.submit(
        grid, dict(zip(names, ("passed", "absent"), strict=True)), form="#results-grid"
    )
    assert one.number in question.text
    assert three.number not in question.text
    assert status_of(one) == ExamStatus.CONFIRMED
    back = client.submit(question, form="#confirm-results", press="back=1")
    chosen = back.soup.select_one(f"select[name={names[0]}] option[selected]")
    assert chosen is not None
    assert chosen["value"] == "passed"
    page = client.submit(question, form="#confirm-results", press="confirmed=1")
    assert page.url == details(exam)
    assert [status_of(req) for req in (one, two, three)] == [
        ExamStatus.PASSED,
        ExamStatus.ABSENT,
        ExamStatus.CONFIRMED,
    ]
    again = client.submit(question, form="#confirm-results", press="confirmed=1")
    assert again.url == details(exam)  # a double click
    other = {"form_key": "of another page"}
    late = client.submit(question, other, form="#confirm-results", press="confirmed=1", status=409)
    assert one.number in late.text
    assert status_of(one) == ExamStatus.PASSED


def test_results_before_the_exam_lead_back_to_it(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (req,) = announced(reviewer, 1, confirmed=1)
    client = browser(reviewer)
    assert client.get(f"/office/exams/{exam.id}/results").url == details(exam)
    posted = {f"result-{seat_of(req).id}": "passed", "confirmed": "1"}
    page = client.post(f"/office/exams/{exam.id}/results", posted)
    assert "has not taken place yet" in page.text
    assert status_of(req) == ExamStatus.CONFIRMED


@pytest.mark.parametrize("posted", [{"result-1": "excellent"}, {"result-x": "passed"}])
def test_a_result_no_page_offers_is_refused(
    reviewer: User, browser: Callable[..., PageClient], posted: dict[str, str]
) -> None:
    exam, (req,) = held(reviewer, 1)
    client = browser(reviewer)
    status = 400 if "result-1" in posted else 404
    client.post(f"/office/exams/{exam.id}/results", posted | {"confirmed": "1"}, status=status)
    assert status_of(req) == ExamStatus.CONFIRMED


def upload(client: PageClient, exam: Exam, data: bytes, *, status: int = 200) -> Page:
    return client.post(
        f"/office/exams/{exam.id}/results/file",
        {"results": (io.BytesIO(data), "results.csv")},
        status=status,
    )


def test_a_file_of_results_is_confirmed_then_recorded(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (one, two) = held(reviewer, 2)
    client = browser(reviewer)
    sheet = client.get(f"/office/exams/{exam.id}/results-sheet.csv").response
    lines = sheet.get_data().decode("utf-8-sig").split()
    assert lines[0] == '"number","civil_id","result"'
    empty = '""'
    filled = "\r\n".join(
        [lines[0], f"{lines[1].removesuffix(empty)}passed", f"{lines[2].removesuffix(empty)}failed"]
    )
    question = upload(client, exam, filled.encode())
    assert status_of(one) == ExamStatus.CONFIRMED
    client.submit(question, form="#confirm-results", press="confirmed=1")
    assert [status_of(one), status_of(two)] == [ExamStatus.PASSED, ExamStatus.FAILED]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_is_downloaded_filled_in_and_recorded(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    exam, (one, two) = held(reviewer, 2)
    client = browser(reviewer, language)
    page = client.get(f"/office/exams/{exam.id}/results")
    label = {"ar": "تنزيل النموذج (إكسل)", "en": "Download the template (Excel)"}[language]
    header, *rows = workbooks.cells(client.get(page.link(label)).response.get_data())
    names = {"ar": [one.name_ar, two.name_ar], "en": [one.name_en, two.name_en]}[language]
    assert [row[:3] for row in rows] == [
        [req.number, req.civil_id, name] for req, name in zip((one, two), names, strict=True)
    ]
    words = {"ar": ["ناجح", "راسب"], "en": ["Passed", "Failed"]}[language]
    filled = [[*row[:3], word] for row, word in zip(rows, words, strict=True)]
    question = upload(client, exam, workbooks.xlsx(header, *filled))
    client.submit(question, form="#confirm-results", press="confirmed=1")
    assert [status_of(one), status_of(two)] == [ExamStatus.PASSED, ExamStatus.FAILED]


def test_a_bad_file_tells_each_row_escaped_and_records_nothing(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (one, _two) = held(reviewer, 2)
    client = browser(reviewer)
    data = (
        f"number,civil_id,result\r\n{one.number},{one.civil_id},passed\r\n"
        "<script>alert(1)</script>,1,passed\r\n=1+1,1,passed\r\n"
    )
    page = upload(client, exam, data.encode(), status=400)
    rows = page.soup.select(".alert-danger tbody tr")
    assert [row.td.get_text(strip=True) for row in rows] == ["Row 3, column A", "Row 4, column A"]
    assert "&lt;SCRIPT&gt;" in page.response.get_data(as_text=True)
    assert status_of(one) == ExamStatus.CONFIRMED


def test_many_faults_are_counted_beyond_those_shown(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, _candidates = held(reviewer, 1)
    data = b"number,civil_id,result\r\n" + b"CE/0/26,1,passed\r\n" * 130
    page = upload(browser(reviewer), exam, data, status=400)
    assert len(page.soup.select(".alert-danger tbody tr")) == 100
    assert "There are 30 more cells to correct, not shown here." in page.text


def test_a_value_without_a_heading_is_told_by_its_cell(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, _candidates = held(reviewer, 1)
    data = b"number,civil_id,result\r\nCE/0/26,1,passed,x\r\n"
    page = upload(browser(reviewer), exam, data, status=400)
    assert "Row 2, column D" in page.text


def test_a_busy_machine_is_told_beside_the_field(
    reviewer: User, browser: Callable[..., PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    exam, (one,) = held(reviewer, 1)
    monkeypatch.setattr(file_inspection, "INSIDE", 0)
    data = workbooks.xlsx(["number", "civil_id", "result"], [one.number, one.civil_id, "P"])
    page = upload(browser(reviewer), exam, data, status=503)
    assert page.error_of("results")


@pytest.mark.parametrize("data", [b"", b"number,result\r\nCE/1/26,passed\r\n", b"\xff\xfe\x00"])
def test_an_unreadable_file_is_told_beside_the_field(
    reviewer: User, browser: Callable[..., PageClient], data: bytes
) -> None:
    exam, _candidates = held(reviewer, 1)
    page = upload(browser(reviewer), exam, data, status=400)
    assert page.error_of("results")


def test_recording_without_a_choice_says_so(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, _candidates = held(reviewer, 1)
    client = browser(reviewer)
    page = client.submit(client.get(f"/office/exams/{exam.id}/results"), form="#results-grid")
    assert "Choose at least one result first." in page.text


def test_nothing_is_left_to_record_when_all_have_results(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (req,) = held(reviewer, 1)
    exam_results.record(
        exam.id, {seat_of(req).id: Result.PASSED}, actor=actor_of(reviewer), now=utc_now()
    )
    db.session.commit()
    client = browser(reviewer)
    assert "Nothing to record" in client.get(f"/office/exams/{exam.id}/results").text
    assert "Every result is recorded." in client.get(details(exam)).text
