"""After a passed exam, the home page and the request's page offer to apply for the licence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.models.enums import Status
from tests.admin_views.my.conftest import People
from tests.support import factories, request_factories
from tests.support.pages import PageClient

START = "/my/services/issuance/"


@pytest.fixture
def passed(app: Flask, people: People) -> Request:
    """The owner's exam request, passed just now."""
    with app.app_context():
        return request_factories.make_request(people.owner, ExamStatus.PASSED)


def offers(page: PageClient) -> list[str]:
    """The candidates for whom the page offers to apply for the licence."""
    forms = page.soup.select(f'form[action="{START}"]')
    return [form.select_one('[name="candidate_id"]')["value"] for form in forms]


def pages(client: PageClient, req: Request) -> list[list[str]]:
    """What the home page and the request's page offer."""
    return [offers(client.get(url)) for url in ("/my/", f"/my/requests/{req.id}/")]


def test_home_and_the_request_offer_the_licence_for_that_candidate(
    mine: PageClient, passed: Request
) -> None:
    assert pages(mine, passed) == [[str(passed.id)]] * 2
    now = mine.get("/my/").soup.select_one("#now")
    assert passed.name_en in now.get_text()
    assert "You can apply for the licence until" in now.get_text()
    begun = mine.submit(mine.get(f"/my/requests/{passed.id}/"), form=f'form[action="{START}"]')
    assert "/form" in begun.url
    assert passed.name_en in begun.soup.get_text()


def test_once_applied_for_it_is_offered_no_more(
    app: Flask, mine: PageClient, passed: Request
) -> None:
    mine.submit(mine.get("/my/"), form=f'form[action="{START}"]')
    assert pages(mine, passed) == [[], []]


def test_after_a_rejection_it_is_offered_again(
    app: Flask, mine: PageClient, people: People, passed: Request
) -> None:
    with app.app_context():
        make = request_factories.make_request
        make(people.owner, Status.REJECTED, code="issuance", candidate_id=passed.id)
    assert pages(mine, passed) == [[str(passed.id)]] * 2


def test_whoever_has_the_licence_is_offered_none(
    app: Flask, mine: PageClient, people: People, passed: Request
) -> None:
    with app.app_context():
        make = request_factories.make_request
        make(people.owner, Status.APPROVED, code="issuance", candidate_id=passed.id)
    assert pages(mine, passed) == [[], []]


def test_an_outdated_pass_offers_nothing(app: Flask, mine: PageClient, passed: Request) -> None:
    with app.app_context():
        req = db.session.get_one(Request, passed.id)
        req.decided_at -= timedelta(days=4 * 366)
        db.session.commit()
    assert pages(mine, passed) == [[], []]


def test_colleague_without_the_service_is_offered_nothing(
    browser: Callable[..., PageClient], people: People, passed: Request
) -> None:
    assert pages(browser(people.granted), passed) == [[], []]


def test_with_several_only_the_first_are_listed_and_a_link_leads_to_all(
    app: Flask, mine: PageClient, people: People, passed: Request
) -> None:
    with app.app_context():
        for _each in range(5):
            request_factories.make_request(people.owner, ExamStatus.PASSED)
    page = mine.get("/my/")
    assert len(offers(page)) == 5
    listed = mine.get(page.link("All candidates who can apply for a licence"))
    assert len(listed.soup.select(".broker-card")) == 6


def test_the_candidate_of_another_office_is_not_offered(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        request_factories.make_request(people.foreign, ExamStatus.PASSED)
        request_factories.make_request(factories.make_agent(), ExamStatus.PASSED)
    assert offers(mine.get("/my/")) == []
