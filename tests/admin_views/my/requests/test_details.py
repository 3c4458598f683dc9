"""The page of a request: what it says, the applicant's steps, messages, print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import rate_limits
from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import InternalNote, Message, Notice, Request, Service
from clearance.models.enums import Status
from clearance.requests import messages as request_messages
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.admin_views.my.conftest import People
from tests.support import request_factories
from tests.support.pages import PageClient
from tests.support.rows import count_of


def make(app: Flask, people: People, status: str) -> Request:
    with app.app_context():
        return request_factories.make_request(people.owner, status, reviewer=people.staff)


def status_of(app: Flask, req: Request) -> str:
    with app.app_context():
        return db.session.get_one(Request, req.id, populate_existing=True).status


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(
    "status",
    [
        "submitted",
        "under_review",
        "returned",
        "rejected",
        "withdrawn",
        "lapsed",
        "preapproved",
        "seated",
        "confirmed",
        "passed",
        "failed",
        "absent",
    ],
)
def test_every_state_has_its_page_in_both_languages(
    app: Flask,
    browser: Callable[..., PageClient],
    people: People,
    status: str,
    language: str,
) -> None:
    req = make(app, people, status)
    page = browser(people.owner, language).get(f"/my/requests/{req.id}/")
    assert req.number in page.text
    assert page.soup.select_one("#next .lead").get_text(strip=True)
    assert page.soup.select(".timeline li")


def test_the_page_tells_number_due_date_data_and_documents(mine: PageClient, sent: Request) -> None:
    page = mine.get(f"/my/requests/{sent.id}/")
    assert f"Request number: {sent.number}" in page.text
    assert sent.due_on.strftime("%d/%m/%Y") in page.text
    assert sent.name_ar in page.text
    assert sent.civil_id in page.text
    assert "civil_id_copy.pdf" in page.text


def test_a_draft_opens_its_form(app: Flask, mine: PageClient, people: People) -> None:
    draft = make(app, people, Status.DRAFT)
    assert mine.get(f"/my/requests/{draft.id}/").url == f"/my/requests/{draft.id}/form"


def test_the_applicant_reads_reason_and_remarks_with_the_places_to_correct(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    remarks = (RemarkInput("خطأ هنا.", field="mobile"),)
    with app.app_context():
        req = db.session.get_one(Request, sent.id)
        request_factories.step(
            req, Action.RETURN, people.staff, reason="راجع الهاتف.", data=Remarks(remarks=remarks)
        )
    page = mine.get(f"/my/requests/{sent.id}/")
    isolated = {text.get_text() for text in page.soup.select("main bdi")}
    assert {"راجع الهاتف.", "خطأ هنا."} <= isolated  # else the full stop is at the wrong end
    form = mine.get(f"/my/requests/{sent.id}/form")
    assert form.soup.select_one("#mobile-remark bdi").get_text() == "خطأ هنا."
    assert page.link("Mobile number").endswith(f"/my/requests/{sent.id}/form#mobile")
    assert page.link("Correct and send again").endswith("/form")
    last_day = kuwait_today() + timedelta(days=60)
    assert f"Send it again by {last_day:%d/%m/%Y}." in page.text


def test_agents_read_of_the_office_and_never_its_notes_or_names(
    app: Flask, mine: PageClient, people: People
) -> None:
    req = make(app, people, Status.UNDER_REVIEW)
    with app.app_context():
        reviewer = people.staff.name_in("ar")
        note = InternalNote(
            request_id=req.id, author_id=people.staff.id, body="سري للغاية", created_at=utc_now()
        )
        db.session.add(note)
        db.session.commit()
    page = mine.get(f"/my/requests/{req.id}/")
    assert "سري للغاية" not in page.text
    assert reviewer not in page.soup.find(id="history").get_text() or reviewer == (
        people.owner.name_in("ar")
    )


def test_withdrawing_asks_first_and_closes_the_request(
    app: Flask, mine: PageClient, sent: Request
) -> None:
    page = mine.get(mine.get(f"/my/requests/{sent.id}/").link("Withdraw"))
    assert status_of(app, sent) == Status.SUBMITTED
    page = mine.submit(page, form="#step")
    assert status_of(app, sent) == Status.WITHDRAWN
    assert page.url == f"/my/requests/{sent.id}/"


def test_a_double_click_on_withdraw_gives_the_first_result(
    app: Flask, mine: PageClient, sent: Request
) -> None:
    page = mine.get(f"/my/requests/{sent.id}/do/withdraw")
    first, second = (mine.submit(page, form="#step") for _each in range(2))
    assert first.url == second.url
    assert status_of(app, sent) == Status.WITHDRAWN


def test_a_stale_step_is_409_with_the_page_and_changes_nothing(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    page = mine.get(f"/my/requests/{sent.id}/do/withdraw")
    with app.app_context():
        req = db.session.get_one(Request, sent.id)
        request_factories.step(req, Action.REJECT, people.staff, reason="مكرر.")
    page = mine.submit(page, form="#step", status=409)
    assert page.soup.select_one(".alert-danger")
    assert sent.number in page.text
    assert status_of(app, sent) == Status.REJECTED


def test_what_is_not_possible_now_gives_the_page_with_the_reason(
    app: Flask, mine: PageClient, people: People
) -> None:
    req = make(app, people, Status.REJECTED)
    page = mine.get(f"/my/requests/{req.id}/do/withdraw")
    assert page.soup.select_one("main .refusal")
    assert page.soup.select_one("#step") is None


@pytest.mark.parametrize("version", [None, "", "x", "-1", "9" * 20])
def test_a_step_without_a_version_is_refused(
    app: Flask, mine: PageClient, sent: Request, version: str | None
) -> None:
    values = {} if version is None else {"version": version}
    mine.post(f"/my/requests/{sent.id}/do/withdraw", values, status=400)
    assert status_of(app, sent) == Status.SUBMITTED


def test_attendance_is_confirmed_by_one_press(app: Flask, mine: PageClient, people: People) -> None:
    req = make(app, people, ExamStatus.SEATED)
    page = mine.get(f"/my/requests/{req.id}/")
    assert "Examination Hall" in page.text
    page = mine.submit(page, form="form[action$='/do/confirm']")
    assert status_of(app, req) == ExamStatus.CONFIRMED
    assert "Attendance was confirmed" in page.text


def test_messages_go_to_the_office_and_are_told(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    page = mine.get(f"/my/requests/{sent.id}/")
    typed = "هل <b>وصلت</b> الوثائق؟"
    first = mine.submit(page, {"body": typed}, form="#message-form")
    mine.submit(page, {"body": typed}, form="#message-form")
    assert typed in first.text
    with app.app_context():
        assert count_of(Message) == 1
        told = db.session.scalars(
            sa.select(Notice.user_id).where(Notice.event == "office:message")
        ).all()
    assert told == [people.staff.id]


@pytest.mark.parametrize("typed", ["", "   ", "x" * 2001])
def test_a_message_that_cannot_be_sent_is_told_and_stays(
    app: Flask, mine: PageClient, sent: Request, typed: str
) -> None:
    page = mine.get(f"/my/requests/{sent.id}/")
    page = mine.submit(page, {"body": typed}, form="#message-form", status=400)
    assert page.error_of("body")
    assert page.soup.find(id="body").get_text() == typed
    with app.app_context():
        assert db.session.scalars(sa.select(Message)).all() == []


def test_an_answer_of_the_office_stands_in_the_page(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    with app.app_context():
        req = db.session.get_one(Request, sent.id)
        request_messages.post(req, "نعم، وصلت.", actor_of(people.staff), utc_now())
        db.session.commit()
    messages = mine.get(f"/my/requests/{sent.id}/").soup.find(id="messages").get_text(" ")
    assert "نعم، وصلت." in messages
    assert "The office" in messages


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_request_is_printed_as_pdf(
    browser: Callable[..., PageClient], people: People, sent: Request, language: str
) -> None:
    answer = browser(people.owner, language).http.get(f"/my/requests/{sent.id}/print")
    assert answer.mimetype == "application/pdf"
    assert answer.get_data().startswith(b"%PDF")
    assert sent.number.replace("/", "-") in answer.headers["Content-Disposition"]


def test_printing_has_a_limit_of_its_own_for_each_user(
    people: People,
    browser: Callable[..., PageClient],
    sent: Request,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "print_account", "2 per 1 hour")
    mine, url = browser(people.owner), f"/my/requests/{sent.id}/print"
    for _time in range(2):
        assert mine.http.get(url).status_code == 200
    late = mine.get(url, status=429)
    assert int(late.response.headers["Retry-After"]) > 0
    assert browser(people.granted).http.get(url).status_code == 200


def test_prints_that_were_not_given_are_not_counted(
    people: People,
    browser: Callable[..., PageClient],
    sent: Request,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "print_account", "1 per 1 hour")
    mine = browser(people.owner)
    for _time in range(2):
        mine.get("/my/requests/999999/print", status=404)
    assert mine.http.get(f"/my/requests/{sent.id}/print").status_code == 200
    mine.get(f"/my/requests/{sent.id}/print", status=429)


def test_the_print_of_a_foreign_request_is_404(
    browser: Callable[..., PageClient], people: People, sent: Request
) -> None:
    browser(people.foreign).get(f"/my/requests/{sent.id}/print", status=404)


COPY = "form[action$='/copy']"


def is_copy_offered(client: PageClient, req: Request) -> bool:
    return client.get(f"/my/requests/{req.id}/").soup.select_one(COPY) is not None


@pytest.mark.parametrize(
    ("status", "is_offered"),
    [
        (Status.SUBMITTED, False),
        (Status.RETURNED, False),
        (Status.REJECTED, True),
        (Status.WITHDRAWN, True),
        (ExamStatus.PASSED, False),
        (ExamStatus.FAILED, True),
    ],
)
def test_a_copy_is_offered_only_where_it_would_not_be_refused(
    app: Flask, mine: PageClient, people: People, status: str, is_offered: bool
) -> None:
    req = make(app, people, status)
    assert is_copy_offered(mine, req) is is_offered
    if is_offered:
        page = mine.submit(mine.get(f"/my/requests/{req.id}/"), form=COPY)
        assert page.url.endswith("/form")


def test_a_copy_is_not_offered_where_its_start_would_be_refused(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        passed = request_factories.make_request(people.owner, ExamStatus.PASSED)
        make_again = request_factories.make_request
        req = make_again(people.owner, Status.REJECTED, code="issuance", candidate_id=passed.id)
    assert is_copy_offered(mine, req)
    with app.app_context():
        make_again(people.owner, Status.APPROVED, code="issuance", candidate_id=passed.id)
    assert not is_copy_offered(mine, req)


def test_a_copy_is_not_offered_of_a_service_that_is_no_more(
    app: Flask, mine: PageClient, people: People
) -> None:
    req = make(app, people, Status.REJECTED)
    with app.app_context():
        db.session.get_one(Service, "exam").is_active = False
        db.session.commit()
    assert not is_copy_offered(mine, req)
