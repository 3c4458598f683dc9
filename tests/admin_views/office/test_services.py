"""Services at the office: which are out of order, and why."""

from __future__ import annotations

import re

import pytest

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Service
from clearance.models.enums import Role
from clearance.services import versions
from tests.support import request_factories
from tests.support.office_people import Office
from tests.support.pages import ARABIC

LIST, DETAILS = "/office/services/", "/office/services/details/?id="


@pytest.fixture
def broken(office: Office) -> Office:
    """An office with one sound service and two that are out of order."""
    with office.app.app_context():
        request_factories.store(code="sound", prefix="SO")
        request_factories.store(
            code="odd", prefix="OD", title={"ar": "طلب غريب", "en": "Odd Request"}, flow="gone"
        )
        request_factories.store(code="lost", prefix="LO", title=None, on_approval=["gone"])
    return office


@pytest.mark.parametrize(("language", "label"), [("en", "Out of order"), ("ar", "معطلة")])
def test_list_marks_services_out_of_order(broken: Office, language: str, label: str) -> None:
    page = broken.staff(Role.MANAGER, language).get(LIST)
    marked = {
        row.select_one("a")["href"].partition("id=")[2]: label in row.get_text()
        for row in page.soup.select("main tbody tr")
    }
    assert marked == {"sound": False, "odd": True, "lost": True}


@pytest.mark.parametrize(("language", "label"), [("en", "Archived"), ("ar", "مؤرشفة")])
def test_list_marks_services_that_are_archived(broken: Office, language: str, label: str) -> None:
    with broken.app.app_context():
        db.session.get_one(Service, "odd").is_active = False
        db.session.commit()
    page = broken.staff(Role.MANAGER, language).get(LIST)
    badges = {
        row.select_one("a")["href"].partition("id=")[2]: [
            badge.get_text(strip=True) for badge in row.select(".badge")
        ]
        for row in page.soup.select("main tbody tr")
    }
    assert badges["odd"] == [label]
    assert label not in badges["sound"] + badges["lost"]


@pytest.mark.parametrize(("language", "label"), [("en", "Out of order"), ("ar", "معطلة")])
def test_details_list_the_faults(broken: Office, language: str, label: str) -> None:
    browser = broken.staff(Role.ADMINISTRATOR, language)
    odd, lost = (browser.get(DETAILS + code) for code in ("odd", "lost"))
    told = {
        "en": (
            "The portal knows no decision process “gone”.",
            "Title: This cannot be read.",
            "The portal knows no check or effect “gone”.",
        ),
        "ar": (
            "لا تعرف البوابة مسار قرار باسم «gone».",
            "العنوان: لا يمكن قراءة هذه القيمة.",
            "لا تعرف البوابة تحققاً أو أثراً باسم «gone».",
        ),
    }[language]
    assert label in odd.text and f"{told[0]} flow" in odd.text
    assert [item.get_text() for item in lost.soup.select(".alert li")] == [
        f"{told[1]} title",
        f"{told[2]} on_approval",
    ]
    assert label not in browser.get(DETAILS + "sound").text


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Services out of order: lost , Odd Request"),
        ("ar", "خدمات معطلة: lost ، طلب غريب"),
    ],
)
def test_home_names_services_out_of_order_with_links(
    broken: Office, role: str, language: str, line: str
) -> None:
    page = broken.staff(role, language).get("/office/")
    assert line in page.text
    links = [anchor["href"] for anchor in page.soup.select(".alert a")]
    assert links == [DETAILS + "lost", DETAILS + "odd"]


def test_home_of_reviewers_warns_of_nothing(broken: Office) -> None:
    assert "out of order" not in broken.staff().get("/office/").text


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
def test_home_warns_of_nothing_where_every_service_is_sound(office: Office, role: str) -> None:
    with office.app.app_context():
        request_factories.load_services()
    assert not office.staff(role).get("/office/").soup.select(".alert")


@pytest.mark.parametrize(
    ("language", "line"), [("en", "Open until 31 December 2099"), ("ar", "31 ديسمبر 2099")]
)
def test_details_tell_until_when_requests_are_taken(
    office: Office, language: str, line: str
) -> None:
    with office.app.app_context():
        request_factories.publish(request_factories.TRIVIAL, closes_on="2099-12-31")
    assert line in office.staff(Role.MANAGER, language).get(DETAILS + "greeting").text


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.MANAGER])
def test_the_guide_to_making_services_is_found_from_the_list_and_from_the_guide(
    office: Office, role: Role, language: str
) -> None:
    reader = office.staff(role, language)
    for page in (LIST, "/guide"):
        assert reader.get(page).soup.select_one("main a[href='/guide/services']"), page
    headings = [each.get_text() for each in reader.get("/guide/services").soup.select("main h2")]
    assert len(headings) >= 8
    assert all(bool(ARABIC.search(each)) == (language == "ar") for each in headings)


def test_nobody_else_reads_the_guide_to_making_services(office: Office) -> None:
    reviewer = office.staff(Role.REVIEWER)
    assert reviewer.get("/guide/services", status=404)
    assert reviewer.get("/guide").soup.select_one("main a[href='/guide/services']") is None


def test_a_services_page_calls_its_review_checks_and_effects_by_their_names(office: Office) -> None:
    with office.app.app_context():
        versions.publish_missing(utc_now())
        db.session.commit()
    reader = office.staff(Role.MANAGER, "ar")
    for code in ("exam", "transfer", "renewal"):
        told = [each.get_text() for each in reader.get(DETAILS + code).soup.select("main dd")[2:]]
        assert [each for each in told if re.search(r"[a-z]+_[a-z]+", each)] == [], code
        assert any("قرار" in each for each in told), code
