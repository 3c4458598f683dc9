"""My services: what they need, why one is shut, and beginning a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.models.enums import Status
from tests.admin_views.my.conftest import People
from tests.support import factories, request_factories
from tests.support.pages import PageClient
from tests.support.rows import all_requests


def test_a_card_tells_conditions_documents_and_time(mine: PageClient) -> None:
    card = mine.get("/my/services/").soup.find(id="service-exam")
    text = card.get_text(" ")
    assert "organisation type is “clearing agent”" in text
    assert "Personal photo" in text
    assert "Decided within 5 working days" in text
    assert card.find("a", href="/my/services/exam/")


def test_a_service_that_is_not_granted_says_why_and_has_no_button(
    browser: Callable[..., PageClient], people: People
) -> None:
    page = browser(people.ungranted).get("/my/services/")
    card = page.soup.find(id="service-exam")
    assert card.select_one(".refusal")
    assert card.select_one("a.button") is None


def test_a_company_reads_why_it_cannot_ask_for_the_exam(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        company = factories.make_organisation(legal_entity="company")
        user = factories.make_agent(company, legal_entity="company")
    client = browser(user)
    assert client.get("/my/services/").soup.find(id="service-exam").select_one(".refusal")
    page = client.get("/my/services/exam/")
    assert page.soup.select_one("main .refusal")
    assert page.soup.select_one("main form") is None
    client.post("/my/services/exam/", {"broker_type": "general"})
    assert all_requests(app) == []


def test_next_begins_a_draft_with_what_is_known(
    app: Flask, mine: PageClient, people: People
) -> None:
    page = mine.submit(mine.get("/my/services/exam/"), {"broker_type": "general"}, form="#start")
    (draft,) = all_requests(app)
    assert page.url == f"/my/requests/{draft.id}/form"
    assert (draft.broker_type, draft.organisation_id) == ("general", people.organisation.id)
    assert draft.mobile == people.owner.mobile
    assert page.soup.find(attrs={"name": "mobile"})["value"] == people.owner.mobile


@pytest.mark.parametrize("typed", [None, "", "nothing"])
def test_without_a_broker_type_the_page_says_what_is_missing(
    app: Flask, mine: PageClient, typed: str | None
) -> None:
    page = mine.submit(mine.get("/my/services/exam/"), {"broker_type": typed}, form="#start")
    assert page.soup.select_one(".error-summary a[href='#broker_type']")
    assert all_requests(app) == []


def test_a_double_click_on_next_makes_one_draft(app: Flask, mine: PageClient) -> None:
    start = mine.get("/my/services/exam/")
    first = mine.submit(start, {"broker_type": "general"}, form="#start")
    second = mine.submit(start, {"broker_type": "general"}, form="#start")
    assert first.url == second.url
    assert len(all_requests(app)) == 1


def test_the_language_switch_keeps_the_choice(app: Flask, mine: PageClient) -> None:
    start = mine.get("/my/services/exam/")
    page = mine.submit(start, {"broker_type": "private"}, form="#start", press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert page.soup.find(id="broker_type-private").has_attr("checked")
    assert all_requests(app) == []


@pytest.mark.parametrize(
    ("code", "status"), [("nothing", 404), ("../login", 404), ("exam%00", 400)]
)
def test_an_unknown_service_is_404_and_nonsense_400(
    mine: PageClient, code: str, status: int
) -> None:
    mine.get(f"/my/services/{code}/", status=status)


def test_an_earlier_request_can_be_copied(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        sent = request_factories.make_request(people.owner, Status.WITHDRAWN)
    details = mine.get(f"/my/requests/{sent.id}/")
    page = mine.submit(details, form="form[action$='/copy']")
    copy = all_requests(app)[-1]
    assert copy.id != sent.id
    assert (copy.name_ar, copy.number) == (sent.name_ar, None)
    assert page.url == f"/my/requests/{copy.id}/form"


def test_a_foreign_request_cannot_be_copied(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        sent = request_factories.make_sent(people.owner)
    browser(people.foreign).post("/my/services/exam/copy", {"copy_of": sent.id}, status=404)
    assert len(all_requests(app)) == 1


def test_a_service_nobody_wrote_python_for_works_to_the_end(app: Flask, mine: PageClient) -> None:
    page = mine.submit(
        mine.get("/my/services/greeting/"), {"broker_type": "general"}, form="#start"
    )
    values = {"name_ar_1": "سالم", "words": "أهلاً وسهلاً"}
    page = mine.submit(page, values, form="#request-form", press="submit=send")
    assert "GR/1/" in page.text
    assert "أهلاً وسهلاً" in page.text
