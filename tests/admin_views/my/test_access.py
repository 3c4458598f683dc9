"""Who opens which page of the agents' area: one table for all of them, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.models.enums import Status
from tests.admin_views.my.conftest import People
from tests.support import request_factories
from tests.support.pages import PageClient

COMMON = ("/my/", "/my/services/", "/my/requests/", "/my/notices/", "/my/account/")
OF_A_REQUEST = (
    "/my/requests/{sent}/",
    "/my/requests/details/?id={sent}",
    "/my/requests/{sent}/do/withdraw",
    "/my/requests/{sent}/documents/{document}",
    "/my/requests/{draft}/form",
    "/my/requests/{draft}/discard",
)
POSTS = (
    "/my/requests/{draft}/form",
    "/my/requests/{draft}/form/autosave",
    "/my/requests/{draft}/discard",
    "/my/requests/{draft}/documents",
    "/my/requests/{sent}/do/withdraw",
    "/my/requests/{sent}/messages",
    "/my/requests/{sent}/documents/{document}/remove",
    "/my/requests/{sent}/documents/{document}/rename",
)


@pytest.fixture
def rows(app: Flask, people: People) -> dict[str, int]:
    with app.app_context():
        draft = request_factories.make_draft(people.owner)
        sent = request_factories.make_sent(people.owner)
        return {"draft": draft.id, "sent": sent.id, "document": sent.documents[0].id}


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("path", COMMON + OF_A_REQUEST)
@pytest.mark.parametrize("who", ["owner", "granted"])
def test_owner_and_granted_colleague_see_the_page(
    browser: Callable[..., PageClient],
    people: People,
    rows: dict[str, int],
    who: str,
    path: str,
    language: str,
) -> None:
    page = browser(getattr(people, who), language).get(path.format(**rows))
    assert page.soup.html["lang"] == language
    assert "%(" not in page.text


@pytest.mark.parametrize("path", OF_A_REQUEST)
@pytest.mark.parametrize("who", ["ungranted", "foreign", "staff"])
def test_everybody_else_gets_the_404_of_a_missing_page(
    browser: Callable[..., PageClient], people: People, rows: dict[str, int], who: str, path: str
) -> None:
    client = browser(getattr(people, who))
    refused = client.get(path.format(**rows), status=404)
    missing = client.get(path.format(draft=999999, sent=999999, document=999999), status=404)
    assert refused.h1 == missing.h1


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("who", ["ungranted", "foreign", "staff"])
def test_nobody_else_can_post(
    browser: Callable[..., PageClient], people: People, rows: dict[str, int], who: str, path: str
) -> None:
    values = {"version": "1", "body": "x", "label": "x", "name_ar_1": "غريب"}
    browser(getattr(people, who)).post(path.format(**rows), values, status=404)


@pytest.mark.parametrize("path", COMMON + OF_A_REQUEST)
def test_a_visitor_is_sent_to_sign_in_and_back(
    browser: Callable[..., PageClient], rows: dict[str, int], path: str
) -> None:
    address = path.format(**rows)
    response = browser().http.get(address)
    assert response.status_code == 302
    assert response.location.startswith(f"/login?next={address.partition('?')[0]}")


@pytest.mark.parametrize("path", COMMON)
def test_staff_have_no_agents_area(
    browser: Callable[..., PageClient], people: People, path: str
) -> None:
    browser(people.staff).get(path, status=404)


def test_agents_have_no_office(browser: Callable[..., PageClient], people: People) -> None:
    browser(people.owner).get("/office/", status=404)


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_its_token_is_refused(
    browser: Callable[..., PageClient], people: People, rows: dict[str, int], path: str
) -> None:
    response = browser(people.owner).http.post(path.format(**rows), data={"version": "1"})
    assert response.status_code == 400


@pytest.mark.parametrize("action", ["approve", "take", "lapse", "nothing"])
def test_steps_of_others_do_not_exist_for_the_applicant(
    mine: PageClient, rows: dict[str, int], action: str
) -> None:
    mine.get(f"/my/requests/{rows['sent']}/do/{action}", status=404)
    mine.post(f"/my/requests/{rows['sent']}/do/{action}", {"version": "2"}, status=404)


def test_a_document_is_found_under_its_own_request_only(
    app: Flask, mine: PageClient, people: People, rows: dict[str, int]
) -> None:
    with app.app_context():
        other = request_factories.make_request(people.owner, Status.SUBMITTED)
    mine.get(f"/my/requests/{other.id}/documents/{rows['document']}", status=404)
