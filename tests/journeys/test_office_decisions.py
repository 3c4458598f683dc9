"""Deciding on requests through the office's pages: one, many, and two reviewers at once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Event, Notice, Reason, Remark, Request, User
from clearance.models.enums import Role, Status
from clearance.notifications.inbox import text_of
from clearance.requests import completeness
from tests.support import factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.parallel import run_together

LIST = "/office/requests/"
LANGUAGES = ["ar", "en"]


def ask(browser: PageClient, request_id: int, action: str, **more: Any) -> Page:
    return browser.get(f"{LIST}{request_id}/do/{action}", **more)


def decide(browser: PageClient, request_id: int, action: str, **values: Any) -> Page:
    """Open the page that asks, and go on."""
    status = values.pop("status", 200)
    return browser.submit(ask(browser, request_id, action), values, form="#step", status=status)


def choose(browser: PageClient, action: str, ids: list[int], query: str = "") -> Page:
    """Tick rows of the list and press an action."""
    page = browser.get(LIST + query)
    return browser.submit(page, {"rowid": ids}, form="#bulk", press=f"action={action}")


def outcomes(page: Page) -> dict[str, str]:
    """Request number → why not, "" when done."""
    rows = [
        [" ".join(td.get_text(" ").split()) for td in tr.select("td")]
        for tr in page.soup.select("tbody tr")
    ]
    return {number: "" if outcome == "Done" else why for number, outcome, why in rows}


def number_of(office: Office, request_id: int) -> str:
    return str(office.read(request_id, lambda req: req.number))


def steps(office: Office, request_id: int) -> list[str]:
    with office.app.app_context():
        kinds = db.session.scalars(
            sa.select(Event.kind).where(Event.request_id == request_id).order_by(Event.id)
        )
        return [kind.rpartition(":")[2] for kind in kinds if kind.startswith("request:step:")]


@pytest.mark.databases
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reviewer_takes_and_approves(office: Office, language: str) -> None:
    request_id, me = office.request(), office.person("me")
    browser = office.browser(me, language)
    page = browser.get(f"{LIST}{request_id}/")
    take = f"form[action$='{request_id}/do/take']"
    browser.submit(page, form=take)
    assert office.read(request_id, lambda req: (req.status, req.reviewer_id)) == (
        Status.UNDER_REVIEW,
        me,
    )
    page = decide(browser, request_id, "preapprove")
    assert page.url.endswith(f"?id={request_id}")
    assert page.soup.select(".alert-success")
    assert office.status(request_id) == Status.PREAPPROVED


def test_deciding_on_an_untaken_request_takes_it_too(office: Office) -> None:
    request_id = office.request()
    decide(office.staff(), request_id, "preapprove")
    assert steps(office, request_id) == ["send", "take", "preapprove"]


def test_giving_back_puts_a_request_into_the_queue_again(office: Office) -> None:
    me = office.person("me")
    request_id = office.request(Status.UNDER_REVIEW, reviewer=me)
    browser = office.browser(me)
    page = browser.get(f"{LIST}{request_id}/")
    browser.submit(page, form=f"form[action$='{request_id}/do/give_back']")
    assert office.read(request_id, lambda req: (req.status, req.reviewer_id)) == (
        Status.SUBMITTED,
        None,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_rejecting_asks_for_a_reason(office: Office, language: str) -> None:
    request_id = office.request()
    browser = office.staff(language=language)
    page = decide(browser, request_id, "reject", reason="  ", status=400)
    assert page.error_of("reason")
    assert office.status(request_id) == Status.SUBMITTED
    page = browser.submit(page, {"reason": "لا تنطبق الشروط."}, form="#step")
    assert "لا تنطبق الشروط." in page.soup.select_one("#history").get_text()
    assert office.status(request_id) == Status.REJECTED


def test_a_reason_that_is_too_long_stays_on_the_page(office: Office) -> None:
    request_id = office.request()
    page = decide(office.staff(), request_id, "reject", reason="x" * 1001, status=400)
    assert page.error_of("reason")
    assert "x" * 1001 in page.soup.select_one("textarea[name=reason]").get_text()
    assert office.status(request_id) == Status.SUBMITTED


def ready_reason(office: Office, action: str = "reject") -> int:
    with office.app.app_context():
        reason = Reason(
            action=action, text_ar="الشهادة غير مقبولة.", text_en="The certificate is refused."
        )
        db.session.add(reason)
        db.session.commit()
        return reason.id


READY = {"ar": "الشهادة غير مقبولة.", "en": "The certificate is refused."}


def test_a_ready_reason_is_read_by_each_in_their_language(office: Office) -> None:
    reason_id = ready_reason(office)
    applicant = office.agent("applicant", language="ar")
    request_id = office.request(agent=applicant)
    page = decide(
        office.staff(), request_id, "reject", ready_reason=str(reason_id), reason="See page 2."
    )
    assert READY["en"] in history_on(page)
    for lang in LANGUAGES:
        page = office.browser(applicant, lang).get(f"/my/requests/{request_id}/")
        assert f"{READY[lang]} See page 2." in history_on(page)
    with office.app.app_context():
        told = db.session.scalars(
            sa.select(Notice).where(Notice.user_id == applicant).order_by(Notice.id.desc())
        ).first()
        assert told is not None
        assert all(READY[lang] in text_of(told, lang)[1] for lang in LANGUAGES)


def test_editing_a_ready_reason_changes_no_past_decision(office: Office) -> None:
    reason_id, request_id = ready_reason(office), office.request()
    decide(office.staff(), request_id, "reject", ready_reason=str(reason_id), reason="")
    with office.app.app_context():
        db.session.get_one(Reason, reason_id).text_en = "Something else."
        db.session.commit()
    page = office.staff().get(f"/office/requests/details/?id={request_id}")
    assert READY["en"] in history_on(page)
    assert "Something else." not in page.text


def history_on(page: Page) -> str:
    return " ".join(page.soup.select_one("#history").get_text().split())


def test_a_reason_of_another_step_is_no_choice(office: Office) -> None:
    reason_id = ready_reason(office, "return")
    request_id = office.request()
    page = decide(
        office.staff(), request_id, "reject", ready_reason=str(reason_id), reason="x", status=400
    )
    assert page.error_of("ready_reason")
    assert office.status(request_id) == Status.SUBMITTED


def test_the_language_can_be_changed_without_losing_what_was_typed(office: Office) -> None:
    request_id, browser = office.request(), office.staff(language="ar")
    page = ask(browser, request_id, "reject")
    page = browser.submit(page, {"reason": "سبب"}, form="#step", press="_language=en")
    assert page.soup.html["lang"] == "en"
    assert page.soup.select_one("textarea[name=reason]").get_text().strip() == "سبب"
    assert office.status(request_id) == Status.SUBMITTED


# Returning with remarks


def test_only_what_was_remarked_on_is_open_to_the_applicant(office: Office) -> None:
    request_id, agent = office.request(), office.agent()
    browser = office.staff()
    page = decide(
        browser,
        request_id,
        "return",
        **{
            "reason": "Please correct.",
            "mark-field-address": "y",
            "remark-field-address": "The street is missing.",
            "mark-document-photo": "y",
            "remark-document-photo": "Too dark.",
        },
    )
    assert "The street is missing." in page.soup.select_one("#remarks").get_text()
    with office.app.app_context():
        req = db.session.get_one(Request, request_id)
        assert req.status == Status.RETURNED
        assert completeness.open_fields(req) == {"address"}
        assert completeness.open_document_kinds(req) == {"photo"}
    form = office.browser(agent).get(f"/my/requests/{request_id}/form")
    assert form.soup.select_one("[name=address]") is not None
    assert form.soup.select_one("[name=name_ar_1]") is None
    assert "The street is missing." in form.text
    assert "Too dark." in form.text


def test_a_mark_without_words_is_refused_beside_it(office: Office) -> None:
    request_id = office.request()
    page = decide(
        office.staff(),
        request_id,
        "return",
        **{"reason": "Please correct.", "mark-field-address": "y"},
        status=400,
    )
    assert page.error_of("remark-field-address")
    assert office.status(request_id) == Status.SUBMITTED


def test_a_remark_needs_a_place_that_the_service_has(office: Office) -> None:
    request_id = office.request()
    decide(
        office.staff(),
        request_id,
        "return",
        **{"reason": "Please.", "mark-field-status": "y", "remark-field-status": "approved"},
    )
    with office.app.app_context():
        assert not db.session.scalars(sa.select(Remark)).all()


# Who may decide


@pytest.mark.parametrize("action", ["take", "return", "preapprove", "reject"])
def test_managers_find_no_decisions(office: Office, action: str) -> None:
    request_id, manager = office.request(), office.staff(Role.MANAGER)
    ask(manager, request_id, action, status=404)
    manager.post(f"{LIST}{request_id}/do/{action}", {"version": "2", "reason": "x"}, status=404)
    manager.post(f"{LIST}action/", {"action": action, "rowid": str(request_id)}, status=404)
    assert office.status(request_id) == Status.SUBMITTED


def test_managers_assign_and_the_reviewer_is_told(office: Office) -> None:
    request_id, huda = office.request(), office.person("Huda")
    manager = office.staff(Role.MANAGER)
    page = decide(manager, request_id, "assign", status=400)
    assert page.error_of("reviewer_id")
    decide(manager, request_id, "assign", reviewer_id=str(huda))
    assert office.read(request_id, lambda req: (req.status, req.reviewer_id)) == (
        Status.UNDER_REVIEW,
        huda,
    )
    with office.app.app_context():
        told = db.session.scalars(sa.select(Notice.event).where(Notice.user_id == huda)).all()
        assert told == ["office:assigned"]


def test_work_is_assigned_to_active_reviewers_only(office: Office) -> None:
    request_id = office.request()
    gone = office.person("Gone", is_active=False)
    manager = office.staff(Role.MANAGER)
    page = ask(manager, request_id, "assign")
    assert str(gone) not in [option["value"] for option in page.soup.select("#reviewer_id option")]
    page = manager.submit(page, {"reviewer_id": str(gone)}, form="#step", status=400)
    assert page.error_of("reviewer_id")


@pytest.mark.parametrize("action", ["send", "withdraw", "lapse", "seat", "nonsense", "TAKE"])
def test_steps_of_others_are_missing_pages(office: Office, action: str) -> None:
    request_id, browser = office.request(), office.staff()
    ask(browser, request_id, action, status=404)
    browser.get(f"{LIST}do/{action}?id={request_id}", status=404)


def test_nobody_decides_on_their_own_file(office: Office) -> None:
    civil_id = factories.civil_id()
    request_id = office.request(civil_id=civil_id)
    browser = office.browser(office.person("Owner", civil_id=civil_id))
    page = ask(browser, request_id, "preapprove")
    assert "This request is about you." in page.text
    assert page.soup.select_one("#step") is None
    version = office.read(request_id, lambda req: req.version)
    page = browser.post(f"{LIST}{request_id}/do/preapprove", {"version": str(version)}, status=409)
    assert "This request is about you." in page.text
    assert office.status(request_id) == Status.SUBMITTED


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_version_that_no_page_has_is_refused(office: Office, version: str) -> None:
    request_id = office.request()
    office.staff().post(f"{LIST}{request_id}/do/take", {"version": version}, status=400)
    assert office.status(request_id) == Status.SUBMITTED


def test_no_step_without_a_csrf_token(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    version = office.read(request_id, lambda req: req.version)
    browser.post(
        f"{LIST}{request_id}/do/take", {"version": str(version), "csrf_token": ""}, status=400
    )
    assert office.status(request_id) == Status.SUBMITTED


# Too late, twice, at once


def test_who_comes_too_late_is_told_who_did_what_and_when(office: Office) -> None:
    request_id = office.request()
    late, quick = office.staff(), office.browser(office.person("Huda"))
    page = ask(late, request_id, "reject")
    decide(quick, request_id, "preapprove")
    page = late.submit(page, {"reason": "No."}, form="#step", status=409)
    alert = page.soup.select_one(".alert-danger").get_text(" ")
    assert "Huda Alsabah" in alert
    assert "given preliminary approval" in alert
    assert steps(office, request_id) == ["send", "take", "preapprove"]


def test_a_double_click_decides_once_and_ends_on_the_same_page(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    page = ask(browser, request_id, "preapprove")
    for _ in range(2):
        page_after = browser.submit(page, form="#step")
        assert page_after.url.endswith(f"?id={request_id}")
    assert steps(office, request_id) == ["send", "take", "preapprove"]


@pytest.mark.databases
def test_two_reviewers_at_once_never_both_decide(office: Office) -> None:
    request_id = office.request()
    browsers = [office.browser(office.person(name)) for name in ("Huda", "Salma")]
    pages = [ask(browser, request_id, "preapprove") for browser in browsers]
    answers: dict[int, Page] = {}

    def press(number: int) -> None:
        form = pages[number].form("#step")
        data = {field["name"]: field["value"] for field in form.select("input[name]")}
        url = f"{LIST}{request_id}/do/preapprove"
        response = browsers[number].http.post(url, data=data)
        answers[number] = Page(response, url)

    run_together(press, 2)
    assert sorted(answer.status for answer in answers.values()) == [303, 409]
    loser = next(answer for answer in answers.values() if answer.status == 409)
    winner = office.read(request_id, lambda req: req.reviewer.name_in("ar"))
    assert winner in loser.soup.select_one(".alert-danger").get_text(" ")
    assert steps(office, request_id) == ["send", "take", "preapprove"]


# Many


@pytest.mark.databases
def test_many_are_told_row_by_row_what_was_done_and_why_not(office: Office) -> None:
    me, civil_id = office.person("me"), factories.civil_id()
    with office.app.app_context():
        db.session.get_one(User, me).civil_id = civil_id
        db.session.commit()
    good = office.request()
    taken = office.request(Status.UNDER_REVIEW, reviewer=office.person("Huda"))
    own_file = office.request(civil_id=civil_id)
    finished = office.request(Status.REJECTED)
    browser = office.browser(me)
    page = choose(browser, "preapprove", [good, taken, own_file, finished])
    assert "4 requests selected" in page.text
    assert len(page.soup.select("#step input[name=row]")) == 4
    page = browser.submit(page, form="#step")
    told = outcomes(page)
    assert told[number_of(office, good)] == ""
    assert "Huda Alsabah has taken" in told[number_of(office, taken)]
    assert "about you" in told[number_of(office, own_file)]
    assert "not possible while" in told[number_of(office, finished)]
    assert [office.status(each) for each in (good, taken, own_file, finished)] == [
        Status.PREAPPROVED,
        Status.UNDER_REVIEW,
        Status.SUBMITTED,
        Status.REJECTED,
    ]


def test_a_step_that_is_possible_for_none_of_the_chosen_says_so(office: Office) -> None:
    finished = [office.request(Status.REJECTED) for _ in range(2)]
    page = choose(office.staff(), "preapprove", finished)
    assert "for 0 of them" in page.text
    assert "None of the selected requests can be changed this way now." in page.text
    assert page.soup.select_one("#step .form-actions button") is None
    assert office.staff("reviewer", "ar").get(page.url).soup.select_one("#step input[name=row]")


def test_many_are_taken_given_back_and_returned_with_one_reason(office: Office) -> None:
    ids = [office.request() for _ in range(3)]
    browser = office.staff()
    browser.submit(choose(browser, "take", ids), form="#step")
    assert {office.status(each) for each in ids} == {Status.UNDER_REVIEW}
    browser.submit(choose(browser, "give_back", ids[:1]), form="#step")
    assert office.status(ids[0]) == Status.SUBMITTED
    page = choose(browser, "return", ids)
    page = browser.submit(page, form="#step", status=400)
    assert page.error_of("reason")
    browser.submit(page, {"reason": "Documents are unclear."}, form="#step")
    assert {office.status(each) for each in ids} == {Status.RETURNED}


def test_a_manager_assigns_many(office: Office) -> None:
    ids, huda = [office.request() for _ in range(2)], office.person("Huda")
    manager = office.staff(Role.MANAGER)
    manager.submit(choose(manager, "assign", ids), {"reviewer_id": str(huda)}, form="#step")
    assert {office.read(each, lambda req: req.reviewer_id) for each in ids} == {huda}


def test_a_row_that_moved_on_meanwhile_is_not_done_and_says_who(office: Office) -> None:
    first, second = office.request(), office.request()
    browser, quick = office.staff(), office.browser(office.person("Huda"))
    page = choose(browser, "take", [first, second])
    decide(quick, second, "preapprove")
    told = outcomes(browser.submit(page, form="#step"))
    assert told[number_of(office, first)] == ""
    assert "Huda Alsabah" in told[number_of(office, second)]


def test_the_results_can_be_read_in_the_other_language(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    page = browser.submit(choose(browser, "take", [request_id]), form="#step")
    page = browser.submit(page, form="#results", press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert number_of(office, request_id) in page.text
    assert steps(office, request_id) == ["send", "take"]


def test_the_same_bulk_form_sent_twice_does_its_work_once(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    page = choose(browser, "take", [request_id])
    browser.submit(page, form="#step")
    again = browser.submit(page, form="#step")
    assert again.h1 == "Requests"
    assert steps(office, request_id) == ["send", "take"]


def test_foreign_and_missing_rows_are_left_out(office: Office) -> None:
    good, draft = office.request(), office.request(Status.DRAFT)
    browser = office.staff()
    page = choose(browser, "take", [good])
    told = browser.submit(page, {"row": [f"{good}-2", f"{draft}-1", "999999-1"]}, form="#step")
    assert list(outcomes(told)) == [number_of(office, good)]
    assert office.status(draft) == Status.DRAFT


@pytest.mark.parametrize("typed", ["1", "1-2-3", "x-1", "1-", "-1-1", "1-99999999999999"])
def test_rows_that_no_page_posts_are_refused(office: Office, typed: str) -> None:
    office.request()
    office.staff().post(f"{LIST}do/take", {"row": typed}, status=400)


def test_no_row_chosen_leads_back_with_a_word(office: Office) -> None:
    office.request()
    browser = office.staff()
    page = choose(browser, "take", [])
    assert "Select at least one row first." in page.text


def test_after_many_the_way_back_keeps_the_filters_and_the_host(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    page = choose(browser, "take", [request_id], "?flt0_queue=unassigned")
    page = browser.submit(page, form="#step")
    assert "flt0_queue=unassigned" in page.link("Back to the list")
    page = browser.get(f"{LIST}do/give_back?id={request_id}&url=//evil.example/")
    assert "evil" not in page.link("Back to the list")
