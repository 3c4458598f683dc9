"""The agent's first page: what waits, what is open, what was told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from admin_views.my.home import views
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Announcement, Licence
from clearance.models.enums import IssuedKind, LicenceStatus, Status
from tests.admin_views.my.conftest import People
from tests.support import factories, issued_factories, request_factories
from tests.support.pages import PageClient


def test_what_waits_for_the_agent_stands_first(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        make = request_factories.make_request
        draft = make(people.owner, Status.DRAFT)
        returned = make(people.owner, Status.RETURNED)
        exam = request_factories.make_exam()
        seated = make(people.owner, ExamStatus.SEATED, exam=exam)
        sent = make(people.owner, Status.SUBMITTED)
        make(people.owner, Status.REJECTED)
    page = mine.get("/my/")
    assert _steps(page, "#now") == [
        (f"/my/requests/{seated.id}/", "Confirm attendance"),
        (f"/my/requests/{returned.id}/form", "Make corrections"),
        (f"/my/requests/{draft.id}/form", "Continue"),
    ]
    lapse = kuwait_today() + timedelta(days=60)
    told = [paragraph.get_text().strip() for paragraph in page.soup.select("#now .tasks p")]
    for text, day in zip(told, (exam.confirm_by, lapse), strict=False):
        assert text.endswith(f"Respond by {day:%d/%m/%Y}")
    opened = [link["href"] for link in page.soup.select("#open .tasks a")]
    assert opened == [f"/my/requests/{sent.id}/"]
    due = f"The office is due to decide by {sent.due_on:%d/%m/%Y}."
    assert due in page.soup.select_one("#open").get_text()
    assert due in mine.get(f"/my/requests/{sent.id}/").text


def _steps(page: PageClient, card: str) -> list[tuple[str, str]]:
    """Each line's button: where it leads and its visible words."""
    buttons = page.soup.select(f"{card} .tasks a.button")
    return [(button["href"], button.contents[0].strip()) for button in buttons]


def test_many_new_drafts_do_not_push_out_what_was_returned(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        returned = request_factories.make_request(people.owner, Status.RETURNED)
        for _each in range(views.SHOWN_DRAFTS + 1):
            request_factories.make_request(people.owner, Status.DRAFT)
    page = mine.get("/my/")
    assert _steps(page, "#now")[0] == (f"/my/requests/{returned.id}/form", "Make corrections")
    assert len(page.soup.select("#drafts + .tasks li")) == views.SHOWN_DRAFTS
    listed = mine.get(page.link("All drafts"))
    assert len(listed.soup.select("tbody tr")) == views.SHOWN_DRAFTS + 1


def test_an_empty_first_page_says_what_would_be_here(mine: PageClient) -> None:
    page = mine.get("/my/")
    assert page.soup.select_one("#now .empty")


def test_colleagues_without_the_grant_see_nothing_of_it(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        request_factories.make_sent(people.owner)
    assert browser(people.ungranted).get("/my/").soup.select(".tasks") == []


def test_announcements_stand_from_their_beginning_to_their_end(
    app: Flask, mine: PageClient
) -> None:
    now, hour = utc_now(), timedelta(hours=1)
    spans = {"current": (-hour, hour), "past": (-2 * hour, -hour), "future": (hour, None)}
    with app.app_context():
        for title, (begins, ends) in spans.items():
            db.session.add(
                Announcement(
                    title_ar=title,
                    title_en=title,
                    body_ar="نص",
                    body_en="text",
                    published_at=now + begins,
                    ends_at=now + ends if ends is not None else None,
                )
            )
        db.session.commit()
    titles = [heading.text for heading in mine.get("/my/").soup.select("#announcements h3")]
    assert titles == ["current"]


def test_the_menu_shows_where_one_is(mine: PageClient) -> None:
    page = mine.get("/my/requests/")
    current = page.soup.select(".side-menu a[aria-current=page]")
    assert [each.get_text(strip=True) for each in current] == ["My requests"]


@pytest.mark.databases
def test_licences_to_renew_name_what_ends_first_and_the_next_step(
    app: Flask, mine: PageClient, people: People
) -> None:
    today = kuwait_today()

    def make(**columns: Any) -> Licence:
        return issued_factories.make_licence(people.organisation, **columns)

    with app.app_context():
        past = make(expires=today - timedelta(days=3), status=LicenceStatus.EXPIRED)
        soon = make(guarantee_expiry=today + timedelta(days=9))
        make()  # nothing of it ends soon
        make(expires=today, status=LicenceStatus.SUSPENDED, suspended_by="office")
        asked = make(passport_expiry=today + timedelta(days=5))
        request_factories.make_sent(people.owner, "suspension", licence_id=asked.id)
    page = mine.get("/my/")
    assert page.soup.select_one("#renewals").text == "2 licences to renew"
    rows = page.soup.select(".renewals > li")
    assert [row.a["href"] for row in rows] == [
        f"/my/brokers/{soon.broker_id}/",
        f"/my/brokers/{past.broker_id}/",
    ]
    first = " ".join(rows[0].get_text(" ").split())
    assert "Expires first: Bank guarantee" in first and "9 days left" in first
    page = mine.submit(page, form=f".renewals form:has([value='{soon.id}'])")
    assert page.url.endswith("/form")


def test_renewals_are_no_business_of_whom_renewing_is_not_granted_to(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        issued_factories.make_licence(people.organisation, expires=kuwait_today())
        user = factories.make_agent(people.organisation, is_general=False, services=("letter",))
    assert browser(user).get("/my/").soup.select(".renewals") == []


def test_what_was_issued_lately_can_be_downloaded_from_here(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = issued_factories.make_licence(people.organisation)
        issued = issued_factories.make_issued(licence=licence)
        long_ago = utc_now() - timedelta(days=40)
        issued_factories.make_issued(IssuedKind.LETTER, licence, now=long_ago)
    links = [link["href"] for link in mine.get("/my/").soup.select("#issued .tasks a")]
    assert links == [f"/my/issued/{issued.id}/"]
