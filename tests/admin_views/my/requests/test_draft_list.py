"""Drafts have a tab of their own beside the requests that were sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.core.clock import KUWAIT
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import Request
from tests.admin_views.my.conftest import People
from tests.admin_views.my.requests.test_views import numbers
from tests.support import issued_factories, request_factories
from tests.support.pages import Page, PageClient

LIST, DRAFTS = "/my/requests/", "/my/requests/drafts/"


def tabs(page: Page) -> list[tuple[str, str, bool]]:
    """Each tab: its text, its address and whether it is the present one."""
    links = page.soup.select(".tabs a")
    return [
        (" ".join(link.get_text(" ").split()), link["href"], link.has_attr("aria-current"))
        for link in links
    ]


def rows(page: Page) -> list[list[str]]:
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.soup.select("main tbody tr")
    ]


def test_the_list_has_what_was_sent_and_the_tab_the_drafts(
    mine: PageClient, sent: Request, draft: Request
) -> None:
    page = mine.get(LIST)
    assert numbers(page) == [sent.number]
    assert tabs(page) == [("Sent requests", LIST, True), ("Drafts 1", DRAFTS, False)]
    page = mine.get(DRAFTS)
    assert tabs(page) == [("Sent requests", LIST, False), ("Drafts 1", DRAFTS, True)]
    assert len(rows(page)) == 1
    assert page.soup.select_one("main tbody a")["href"] == f"/my/requests/{draft.id}/form"


def test_a_draft_says_what_tells_it_from_others(
    app: Flask, mine: PageClient, people: People, draft: Request
) -> None:
    with app.app_context():
        licence = issued_factories.make_licence(people.organisation)
        about = request_factories.make_draft(people.owner, "letter", licence_id=licence.id)
        req = db.session.get_one(Request, draft.id)
        req.name_ar_1 = req.name_en_1 = req.name_ar_4 = req.name_en_4 = ""
        req.name_ar_2 = req.name_en_2 = ""
        db.session.commit()
        saved = f"{about.saved_at.astimezone(KUWAIT):%d/%m/%Y}"
        number, name, civil_id = licence.number, licence.broker.name_en, req.civil_id
    newest, oldest = rows(mine.get(DRAFTS))
    assert "letter" in newest[0]
    assert newest[1:3] == [name, number]
    assert saved in newest[4]
    assert oldest[1:4] == ["Not entered yet", "—", mask_civil_id(civil_id)]


def test_a_draft_without_anything_yet_says_so(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    with app.app_context():
        req = db.session.get_one(Request, empty_draft.id)
        for name in ("name_ar_1", "name_ar_2", "name_ar_4", "name_en_1", "name_en_2", "name_en_4"):
            setattr(req, name, "")
        req.civil_id = None
        db.session.commit()
    ((_service, person, *_more),) = rows(mine.get(DRAFTS))
    assert person == "Not entered yet"


@pytest.mark.parametrize(
    ("who", "sees"), [("owner", 1), ("granted", 1), ("ungranted", 0), ("foreign", 0)]
)
def test_the_tab_has_what_the_reader_may_see(
    browser: Callable[..., PageClient], people: People, draft: Request, who: str, sees: int
) -> None:
    page = browser(getattr(people, who)).get(DRAFTS)
    assert len(rows(page)) == sees
    assert bool(page.soup.select_one(".empty")) is not bool(sees)


def test_many_drafts_are_searched_and_paged(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        for number in range(26):
            request_factories.make_draft(
                people.owner, with_documents=False, name_en_1="Khalid" if number == 3 else "Ahmad"
            )
    page = mine.get(DRAFTS)
    assert tabs(page)[1][0] == "Drafts 26"
    assert [len(rows(page)), len(rows(mine.get(page.link("Next"))))] == [25, 1]
    found = mine.submit(page, {"search": "khalid"}, form="main form.search")
    assert len(rows(found)) == 1
    assert "Nothing matches" in mine.get(f"{DRAFTS}?search=nobody").text


def test_links_to_the_drafts_and_a_deleted_one_lead_to_the_tab(
    app: Flask, mine: PageClient, people: People, draft: Request
) -> None:
    with app.app_context():
        for _each in range(3):
            request_factories.make_draft(people.owner, with_documents=False)
    assert mine.get("/my/").link("All drafts") == DRAFTS
    form = mine.get(f"/my/requests/{draft.id}/form")
    assert form.link("Back") == DRAFTS
    page = mine.submit(mine.get(f"/my/requests/{draft.id}/discard"))
    assert page.url == DRAFTS
    assert len(rows(page)) == 3


def test_the_list_of_what_was_sent_does_not_filter_by_draft(mine: PageClient) -> None:
    options = [
        each["value"]
        for each in mine.get(f"{LIST}?open=filters").soup.select("#flt0_status option")
    ]
    assert "submitted" in options
    assert "draft" not in options
