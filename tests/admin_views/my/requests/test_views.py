"""The list of my requests: scope, search, filters, order, export, organisation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.models import Request
from clearance.models.enums import Status
from tests.admin_views.my.conftest import People
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient


def numbers(page: Page) -> list[str]:
    cells = page.soup.select("main tbody td[data-label='Request number']")
    return [cell.get_text(strip=True) for cell in cells]


def test_an_empty_list_says_how_to_begin(mine: PageClient) -> None:
    page = mine.get("/my/requests/")
    assert page.soup.select_one(".empty a[href='/my/services/']")


@pytest.mark.parametrize(
    ("who", "sees"), [("owner", True), ("granted", True), ("ungranted", False), ("foreign", False)]
)
def test_the_list_has_what_the_reader_may_see(
    browser: Callable[..., PageClient], people: People, sent: Request, who: str, sees: bool
) -> None:
    assert (sent.number in numbers(browser(getattr(people, who)).get("/my/requests/"))) is sees


@pytest.mark.parametrize(
    "typed",
    [
        "احمد عبدالله",
        "أحمد عبد الله",
        "العنزي احمد",
        "ahmad ale",
        "{number}",
        "{civil}",
        "{civil_arabic}",
        "{local}",
        "{mobile}",
    ],
)
def test_search_finds_a_request_as_it_is_really_typed(
    app: Flask, mine: PageClient, people: People, sent: Request, typed: str
) -> None:
    with app.app_context():
        others = {f"name_{lang}_{n}": "" for lang in ("ar", "en") for n in (2, 4)}
        request_factories.make_draft(people.owner, name_ar_1="خالد", name_en_1="Khalid", **others)
    values = {
        "number": sent.number.lower(),
        "civil": sent.civil_id,
        "civil_arabic": sent.civil_id.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        "local": sent.mobile.removeprefix("+965"),
        "mobile": sent.mobile,
    }
    page = mine.submit(
        mine.get("/my/requests/"), {"search": typed.format(**values)}, form=".search"
    )
    assert numbers(page) == [sent.number]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "خالد", "CE/99/26", "' OR 1=1 --", "9" * 60])
def test_search_finds_nothing_where_nothing_fits(
    mine: PageClient, sent: Request, typed: str
) -> None:
    page = mine.submit(mine.get("/my/requests/"), {"search": typed}, form=".search")
    assert numbers(page) == []
    assert "Nothing matches" in page.text


def test_filters_narrow_by_state_service_and_day(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    with app.app_context():
        request_factories.make_draft(people.owner)
    address = "/my/requests/"
    assert numbers(mine.get(address)) == [sent.number]
    assert numbers(mine.get(f"{address}?flt0_status=open")) == [sent.number]
    assert numbers(mine.get(f"{address}?flt0_status=rejected")) == []
    assert numbers(mine.get(f"{address}?flt1_service=greeting")) == []
    assert numbers(mine.get(f"{address}?flt2_sent_from=2020-01-01")) == [sent.number]
    assert numbers(mine.get(f"{address}?flt3_sent_to=2020-01-01")) == []


@pytest.mark.parametrize("sort", [2, 3, 4])
@pytest.mark.parametrize("desc", ["", "&desc=1"])
def test_the_list_can_be_ordered(
    app: Flask, mine: PageClient, people: People, sent: Request, sort: int, desc: str
) -> None:
    with app.app_context():
        request_factories.make_request(people.owner, Status.WITHDRAWN)
    page = mine.get(f"/my/requests/?sort={sort}{desc}")
    assert len(numbers(page)) == 2
    assert page.soup.select_one("th[aria-sort]")


def test_the_list_is_exported_with_its_filters_and_no_formulas(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    with app.app_context():
        request_factories.make_draft(people.owner)
    answer = mine.http.get("/my/requests/export/csv/?flt0_status=open")
    text = answer.get_data().decode("utf-8-sig")
    assert answer.mimetype == "text/csv"
    header, line = text.strip().splitlines()
    assert header.startswith('"Request number","Service","Name"')
    assert line.startswith(f'"{sent.number}","Take the clearing agents\' exam","Ahmad')
    assert f'"{sent.mobile}"' in line


def test_an_export_in_arabic_has_arabic_words(
    browser: Callable[..., PageClient], people: People, sent: Request
) -> None:
    answer = browser(people.owner, "ar").http.get("/my/requests/export/csv/")
    assert "رقم الطلب" in answer.get_data().decode("utf-8-sig")


def test_the_list_follows_the_chosen_organisation(
    app: Flask, browser: Callable[..., PageClient], people: People, sent: Request
) -> None:
    with app.app_context():
        second = factories.make_organisation(name_en="Second Office")
        factories.make_membership(people.owner, second)
    client = browser(people.owner)
    page = client.get("/my/requests/")
    assert numbers(page) == [sent.number]
    page = client.submit(page, {"organisation": str(second.id)}, form="header .switcher")
    assert "Second Office" in page.text
    assert numbers(client.get("/my/requests/")) == []
    client.get(f"/my/requests/{sent.id}/")


def test_a_foreign_organisation_cannot_be_chosen(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        foreign = factories.make_organisation()
    for chosen in (str(foreign.id), "0", "x", ""):
        mine.post("/my/organisation", {"organisation": chosen}, status=404)


def test_who_serves_one_organisation_sees_no_switcher(mine: PageClient) -> None:
    assert mine.get("/my/").soup.select_one(".switcher") is None


def test_a_grant_taken_away_counts_at_the_next_request(
    app: Flask, browser: Callable[..., PageClient], people: People, sent: Request
) -> None:
    client = browser(people.granted)
    client.get(f"/my/requests/{sent.id}/")
    with app.app_context():
        from clearance.core.extensions import db
        from clearance.models import Grant

        db.session.query(Grant).filter(Grant.service_code == "exam").delete()
        db.session.commit()
    client.get(f"/my/requests/{sent.id}/", status=404)
