"""Lists too long to wait for: the offer, the order, the page of one's own exports."""

from __future__ import annotations

import csv
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.base import keyset_list
from clearance import exports
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import AccessEvent, ListExport, User
from clearance.models.enums import ExportStatus, Role, Status
from clearance.web import xlsx_export
from tests.support import export_rows, workbooks
from tests.support.office_people import Office

LIST, PAGE = "/office/requests/", "/office/exports/"


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of more than one row are long."""
    monkeypatch.setattr(keyset_list, "WRITTEN_AT_ONCE", 1)


def make(app: Flask) -> None:
    with app.app_context():
        exports.make_waiting(utc_now())


@pytest.mark.parametrize(("language", "filters"), [("en", "Status: Sent"), ("ar", "الحالة: ")])
def test_a_long_list_is_ordered_with_its_filters_and_fetched_when_it_is_made(
    office: Office, long: None, language: str, filters: str
) -> None:
    for _request in range(2):
        office.request()
    office.request(Status.UNDER_REVIEW)
    manager = office.staff(Role.MANAGER, language)
    offer = manager.get(f"{LIST}export/xlsx/?flt0_status=submitted&sort=sent_at")
    as_csv = offer.soup.select_one(f'a[href^="{LIST}export/csv/?"]')
    kept = parse_qs(urlsplit(as_csv["href"]).query)
    assert sorted(kept.values()) == [["sent_at"], ["submitted"]]
    page = manager.submit(offer, form='form[action$="/order"]')
    assert page.url == PAGE
    assert filters in page.text
    progress = page.soup.select_one("progress")
    assert (progress["value"], progress["max"]) == ("0", "2")
    assert page.soup.select_one("[data-renew]")
    make(office.app)
    page = manager.get(PAGE)
    assert not page.soup.select("progress, [data-renew]")
    link = page.soup.select_one('a[href$="/file"]')
    data = manager.http.get(link["href"]).get_data()
    assert len(workbooks.cells(data)) == 3
    assert ('rightToLeft="1"' in workbooks.sheet_xml(data)) == (language == "ar")
    with office.app.app_context():
        noted = sa.select(AccessEvent.result).where(AccessEvent.kind == "export:xlsx")
        assert db.session.scalars(noted.order_by(AccessEvent.id)).all() == ["asked", "read"]


def test_a_list_that_is_not_long_comes_at_once(office: Office, long: None) -> None:
    office.request()
    data = office.staff(Role.MANAGER).http.get(f"{LIST}export/xlsx/").get_data()
    assert len(workbooks.cells(data)) == 2


def test_a_list_of_nothing_leaves_as_its_headings(office: Office) -> None:
    manager = office.staff(Role.MANAGER)
    files = {
        kind: manager.http.get(f"{LIST}export/{kind}/?search=nobody").get_data()
        for kind in ("xlsx", "csv")
    }
    (heads,) = workbooks.cells(files["xlsx"])
    (line,) = csv.reader(files["csv"].decode("utf-8-sig").splitlines())
    assert heads[0] == "Request number"
    assert line == list(heads)


def test_beyond_what_a_workbook_holds_the_page_offers_csv_alone(
    office: Office, long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_export, "MOST_ROWS", 1)
    for _request in range(2):
        office.request()
    page = office.staff(Role.MANAGER).get(f"{LIST}export/xlsx/")
    assert page.soup.select_one(f'main a[href^="{LIST}export/csv/"]')
    assert not page.soup.select('form[action$="/order"]')


def test_an_order_can_be_cancelled_and_only_by_its_person(office: Office) -> None:
    with office.app.app_context():
        mine, theirs = office.person("mine", Role.MANAGER), office.person("other", Role.MANAGER)
        ids = {who: export_rows.ordered(_user(who)).id for who in (mine, theirs)}
        db.session.commit()
    browser = office.browser(mine)
    browser.post(f"{PAGE}{ids[theirs]}/remove", {}, status=404)
    browser.get(f"{PAGE}{ids[theirs]}/file", status=404)
    page = browser.submit(browser.get(PAGE), form='form[action$="/remove"]')
    assert page.url == PAGE
    assert not page.soup.select("progress")
    with office.app.app_context():
        assert db.session.scalars(sa.select(ListExport.id)).all() == [ids[theirs]]


def _user(user_id: int) -> User:
    return db.session.get_one(User, user_id)


@pytest.mark.parametrize("status", [each for each in ExportStatus if each != ExportStatus.READY])
def test_every_state_has_its_words_and_no_file(office: Office, status: str) -> None:
    with office.app.app_context():
        who = office.person("mine", Role.MANAGER)
        export_rows.ordered(_user(who), status=status)
        db.session.commit()
    for language in ("ar", "en"):
        page = office.browser(who, language).get(PAGE)
        assert len(page.soup.select(".export p")) >= 2
        assert not page.soup.select('a[href$="/file"]')
        assert status not in page.soup.select_one("main").get_text().split()


@pytest.mark.parametrize(
    ("wanted", "query", "status"),
    [
        ("office_requests", "flt0_status=gone", 400),
        ("office_requests", "sort=nothing", 400),
        ("office_services", "", 404),
        ("my_requests", "", 404),
        ("", "", 404),
    ],
)
def test_an_order_that_no_page_sends_is_refused(
    office: Office, wanted: str, query: str, status: int
) -> None:
    manager = office.staff(Role.MANAGER)
    manager.post(f"{PAGE}order", {"list": wanted, "query": query}, status=status)
    with office.app.app_context():
        assert not db.session.scalars(sa.select(ListExport)).all()


def test_a_double_click_orders_and_removes_once_and_leads_to_the_same_page(
    office: Office, long: None
) -> None:
    for _request in range(2):
        office.request()
    manager = office.staff(Role.MANAGER)
    offer = manager.get(f"{LIST}export/xlsx/")
    for _click in range(2):
        page = manager.submit(offer, form='form[action$="/order"]')
        assert page.url == PAGE
        assert len(page.soup.select(".export")) == 1
    for _click in range(2):
        removed = manager.submit(page, form='form[action$="/remove"]')
        assert removed.url == PAGE
        assert not removed.soup.select(".export")


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR])
def test_those_who_export_nothing_have_no_such_page(office: Office, role: str) -> None:
    office.staff(role).get(PAGE, status=404)


def test_orders_count_as_exports(office: Office) -> None:
    manager = office.staff(Role.MANAGER)
    posted = {"csrf_token": manager.csrf_token(), "list": "office_requests"}
    answers = [manager.http.post(f"{PAGE}order", data=posted).status_code for _order in range(11)]
    assert answers == [303] * 10 + [429]
