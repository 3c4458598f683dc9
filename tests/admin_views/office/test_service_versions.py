"""Versions of a service: the list, one of them, its file, and what differs between two."""

from __future__ import annotations

import pytest

from clearance.models.enums import Role
from tests.support import request_factories as requests
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

VERSIONS = "/office/services/greeting/versions/"


@pytest.fixture
def published(office: Office) -> Office:
    """An office with three versions of a service; the first has a request."""
    administrator = office.person("Huda", Role.ADMINISTRATOR)
    with office.app.app_context():
        requests.publish(requests.TRIVIAL)
    office.request("withdrawn", code="greeting", words="سلام")
    with office.app.app_context():
        second = requests.publish(requests.TRIVIAL, processing_days=9)
        second.published_by_id = administrator
        title = {"ar": "طلب تحية", "en": "Greeting"}
        requests.publish(requests.TRIVIAL, processing_days=9, title=title)
    return office


@pytest.fixture
def manager(published: Office) -> PageClient:
    return published.staff(Role.MANAGER)


def rows(page: Page) -> list[list[str]]:
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("td")]
        for row in page.soup.select("tbody tr")
    ]


def test_versions_are_listed_newest_first(manager: PageClient) -> None:
    told = [[cells[0], cells[2], cells[3]] for cells in rows(manager.get(VERSIONS))]
    assert told == [
        ["Version 3", "The portal", "0"],
        ["Version 2", "Huda Alsabah", "0"],
        ["Version 1", "The portal", "1"],
    ]


def test_an_earlier_version_becomes_the_draft_and_undo_takes_it_back(published: Office) -> None:
    keeper = published.staff(Role.ADMINISTRATOR)
    page = keeper.get(VERSIONS)
    assert len(page.soup.select("form[action$='/draft']")) == 2  # not of the version in use
    page = keeper.submit(page, form="form[action$='/versions/1/draft']")
    assert "The draft says what version 1 says." in page.text
    page = keeper.get("/office/services/greeting/draft/publish/")
    changes = page.soup.select_one("table").get_text(" ", strip=True)
    assert "Working days to respond 9" in changes
    assert "Draft by" in keeper.get("/office/services/").text
    stale = keeper.get(VERSIONS)
    page = keeper.get("/office/services/greeting/draft/basics/")
    page = keeper.submit(page, form="form[action$='/undo']")
    assert page.soup.select_one("[name=processing_days]")["value"] == "9"
    page = keeper.submit(stale, form="form[action$='/versions/1/draft']")
    assert "changed this draft in the meantime" in page.text


def test_an_earlier_version_is_read_and_says_that_it_is_one(manager: PageClient) -> None:
    page = manager.get(manager.get(VERSIONS).link("Version 1"))
    assert "This is an earlier version." in page.text
    assert page.h1.startswith("Greeting Request")
    assert "This is an earlier version." not in manager.get(VERSIONS + "3/").text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (1, 2, [["Service", "Working days to respond", "3", "9"]]),
        (2, 1, [["Service", "Working days to respond", "9", "3"]]),
        (2, 3, [["Service", "Title in English", "Greeting Request", "Greeting"]]),
        (2, 2, []),
    ],
)
def test_two_chosen_versions_are_compared_in_words(
    manager: PageClient, old: int, new: int, told: list[list[str]]
) -> None:
    page = manager.get(f"{VERSIONS}1/compare/3/")
    page = manager.submit(page, {"old": str(old), "new": str(new)}, form="main form")
    assert page.url == f"{VERSIONS}{old}/compare/{new}/"
    assert rows(page) == told
    assert ("Only texts differ." in page.text) is ((old, new) == (2, 3))
    assert ("No differences" in page.text) is (old == new)


def test_a_comparison_is_in_the_readers_language(published: Office) -> None:
    page = published.staff(Role.MANAGER, "ar").get(f"{VERSIONS}1/compare/2/")
    assert rows(page) == [["الخدمة", "أيام العمل للرد", "3", "9"]]


@pytest.mark.parametrize(
    "address", ["4/", "4/compare/1/", "1/compare/4/", "compare", "compare?old=1&new=x"]
)
def test_a_version_that_is_not_there_is_not_found(manager: PageClient, address: str) -> None:
    manager.get(VERSIONS + address, status=404)
