"""Lists as their readers arrange them: views, columns, row height, in the office and beyond."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import ListLayout, SavedView, User
from clearance.models.enums import Role, Status
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.rows import count_of

LIST = "/office/requests/"
VIEWS = "/office/lists/requests/"


def heads(page: Page) -> list[str]:
    return [
        " ".join(th.get_text().split()) for th in page.soup.select("thead th:not([class^=choose])")
    ]


def save_view(browser: PageClient, query: str, name: str = "Late ones", **more: str) -> int:
    """Save what the list shows under a name; gives the view's id."""
    page = browser.get(f"{VIEWS}new?{query}")
    page = browser.submit(page, {"name": name, **more}, form="#view-form")
    with browser.http.application.app_context():
        return int(
            db.session.scalars(sa.select(SavedView.id).order_by(SavedView.id.desc())).first() or 0
        )


def chips(page: Page) -> list[str]:
    return [" ".join(chip.get_text().split()) for chip in page.soup.select("li.chip")]


@pytest.fixture
def reviewer(office: Office) -> PageClient:
    office.request()
    office.request(Status.RETURNED)
    return office.staff()


def test_a_view_brings_filters_search_order_and_columns_back(
    office: Office, reviewer: PageClient
) -> None:
    view_id = save_view(
        reviewer, "flt0_status=returned&sort=due_on&desc=1&columns=number,due_on,civil_id&from=0"
    )
    page = reviewer.get(f"{LIST}?view={view_id}")
    assert chips(page) == ["Status: Corrections needed"]
    assert heads(page) == ["Request number", "Due date", "Civil number"]
    assert len(page.soup.select("tbody tr")) == 1
    assert page.soup.select_one("[aria-sort=descending]").get_text().strip() == "Due date"
    assert "Late ones" in page.soup.select_one("details.more summary").get_text()


def test_links_of_a_view_keep_it_and_what_is_changed_can_be_saved_in_it(
    office: Office, reviewer: PageClient
) -> None:
    view_id = save_view(reviewer, "flt0_status=returned")
    page = reviewer.get(f"{LIST}?view={view_id}")
    page = reviewer.get(page.soup.select_one(".chip-remove")["href"])
    assert chips(page) == []
    assert len(page.soup.select("tbody tr")) == 2
    assert "changed" in page.soup.select_one("details.more summary").get_text()
    reviewer.submit(page, {}, form="form[action$='/copy']")
    assert len(reviewer.get(f"{LIST}?view={view_id}").soup.select("tbody tr")) == 2


def test_a_list_opens_with_the_chosen_view_until_the_whole_list_is_asked_for(
    office: Office, reviewer: PageClient
) -> None:
    view_id = save_view(reviewer, "flt0_status=returned")
    reviewer.submit(reviewer.get(VIEWS), {}, form="form[action$='/default']")
    page = reviewer.get(LIST)
    assert len(page.soup.select("tbody tr")) == 1
    whole = page.soup.select_one(".more-menu a[href*='view=none']")
    page = reviewer.get(whole["href"])
    assert len(page.soup.select("tbody tr")) == 2
    sorted_page = reviewer.get(page.soup.select_one("th a.sort")["href"])
    assert len(sorted_page.soup.select("tbody tr")) == 2
    reviewer.submit(reviewer.get(f"{VIEWS}{view_id}/"), {"name": "Renamed"}, form="#view-form")
    assert "Renamed" in reviewer.get(LIST).text
    reviewer.submit(reviewer.get(VIEWS), {}, form="form[action$='/remove']")
    assert len(reviewer.get(LIST).soup.select("tbody tr")) == 2


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_view_says_what_is_gone_and_opens_with_the_rest(office: Office, language: str) -> None:
    office.request()
    browser = office.staff(Role.REVIEWER, language)
    gone = {"name": "gone", "label": {"ar": "عمود قديم", "en": "Old column"}, "value": ""}
    old = {"name": "old", "label": {"ar": "تصفية قديمة", "en": "Old filter"}, "value": "x"}
    unknown = {"name": "status", "label": {"ar": "الحالة", "en": "Status"}, "value": "nowhere"}
    view_id = save_view(browser, "")
    with office.app.app_context():
        view = db.session.get_one(SavedView, view_id)
        number = {"name": "number", "label": {}, "value": ""}
        view.state = {"filters": [old, unknown], "columns": [number, gone], "sort": gone}
        db.session.commit()
    page = browser.get(f"{LIST}?view={view_id}")
    alert = page.soup.select_one(".list .alert").get_text()
    for part in (old, unknown, gone):
        assert part["label"][language] in alert  # type: ignore[index]  # a mapping
    assert len(heads(page)) == 1
    assert len(page.soup.select("tbody tr")) == 1


def test_a_shared_view_of_somebody_who_left_still_opens(office: Office) -> None:
    office.request(Status.RETURNED)
    manager = office.person("leaver", Role.MANAGER)
    view_id = save_view(office.browser(manager), "flt0_status=returned", is_shared="y")
    with office.app.app_context():
        db.session.get_one(User, manager).is_active = False
        db.session.commit()
    reviewer = office.staff()
    assert chips(reviewer.get(f"{LIST}?view={view_id}")) == ["Status: Corrections needed"]
    assert "Shared by" in reviewer.get(VIEWS).text
    reviewer.get(f"{VIEWS}{view_id}/", status=404)
    page = office.staff(Role.MANAGER).get(f"{VIEWS}{view_id}/")
    assert page.soup.select_one("[name=is_shared]").has_attr("checked")


def test_a_view_of_others_or_one_removed_shows_the_whole_list_and_says_so(office: Office) -> None:
    office.request()
    view_id = save_view(office.browser(office.person("other")), "flt0_status=returned")
    for asked in (view_id, 999_999, "x"):
        page = office.staff().get(f"{LIST}?view={asked}")
        assert "no longer shared" in page.soup.select_one(".list .alert").get_text()
        assert len(page.soup.select("tbody tr")) == 1


def test_the_second_of_two_managers_sees_the_first_ones_name_before_overwriting(
    office: Office,
) -> None:
    first, second = (office.browser(office.person(who, Role.MANAGER)) for who in ("a", "b"))
    view_id = save_view(first, "flt0_status=open", is_shared="y")
    late = second.get(f"{VIEWS}{view_id}/")
    first.submit(first.get(f"{VIEWS}{view_id}/"), {"name": "First"}, form="#view-form")
    page = second.submit(late, {"name": "Second"}, form="#view-form", status=409)
    assert "First" in page.soup.select_one(".alert").get_text()
    assert page.soup.select_one("[name=name]")["value"] == "Second"
    second.submit(page, {}, form="#view-form")
    assert "Second" in first.get(VIEWS).text


def test_a_long_name_is_refused_at_its_field(office: Office, reviewer: PageClient) -> None:
    page = reviewer.get(f"{VIEWS}new")
    page = reviewer.submit(page, {"name": "ن" * 240}, form="#view-form")
    assert page.soup.select_one("#name-error")
    with office.app.app_context():
        assert count_of(SavedView) == 0


def test_columns_are_chosen_ordered_and_kept_until_the_standard_ones_return(
    office: Office, reviewer: PageClient
) -> None:
    page = reviewer.get(f"{VIEWS}columns")
    posted = {
        "shown": ["mobile", "due_on"],
        "order": ["number", "due_on", "mobile"],
        "is_roomy": "y",
    }
    reviewer.submit(page, posted, form="#columns-form")
    page = reviewer.get(LIST)
    assert heads(page) == ["Request number", "Due date", "Mobile number"]
    assert page.soup.select_one(".table-roomy")
    assert heads(office.browser(office.person("other")).get(LIST))[1:3] == ["Service", "Name"]
    reviewer.submit(reviewer.get(f"{VIEWS}columns"), {"reset": "1"}, form="#columns-form")
    assert heads(reviewer.get(LIST))[1:3] == ["Service", "Name"]


def test_columns_move_up_and_down_before_they_are_saved(reviewer: PageClient) -> None:
    page = reviewer.get(f"{VIEWS}columns")
    order = [field["value"] for field in page.soup.select("[name=order]")]
    assert order[:3] == ["number", "service_code", "name"]
    ticked = [box["value"] for box in page.soup.select("[name=shown][checked]:not([disabled])")]
    ticked.remove("name")
    for way, moved in (("down", "number"), ("up", "name"), ("up", "name"), ("up", "name")):
        posted = {"_change": f"{way}:{moved}", "shown": ticked}
        page = reviewer.submit(page, posted, form="#columns-form")
    order = [field["value"] for field in page.soup.select("[name=order]")]
    assert order[:3] == ["name", "service_code", "number"]
    assert not page.soup.select_one("[name=shown][value=name]").has_attr("checked")
    assert page.soup.select_one("[value='up:name']").has_attr("disabled")
    assert page.soup.select_one("main button[autofocus]")["value"] == "down:name"
    assert heads(reviewer.get(LIST))[0] == "Request number"
    reviewer.submit(page, {"shown": [*ticked, "name"]}, form="#columns-form")
    assert heads(reviewer.get(LIST))[:3] == ["Name", "Service", "Request number"]


def test_columns_chosen_in_a_view_belong_to_it_alone(office: Office, reviewer: PageClient) -> None:
    view_id = save_view(reviewer, "flt0_status=returned")
    page = reviewer.get(f"{LIST}?view={view_id}")
    link = page.soup.select_one(".more-menu a[href*='/columns']")
    page = reviewer.submit(reviewer.get(link["href"]), {"shown": ["status"]}, form="#columns-form")
    assert heads(page) == ["Request number", "Status"]
    with office.app.app_context():
        assert [layout.columns for layout in db.session.scalars(sa.select(ListLayout))] == []


def test_a_column_that_is_not_offered_is_refused(office: Office, reviewer: PageClient) -> None:
    page = reviewer.get(f"{VIEWS}columns")
    reviewer.submit(page, {"shown": ["password_hash"]}, form="#columns-form", status=400)
    assert heads(reviewer.get(f"{LIST}?columns=number,password_hash")) == ["Request number"]


@pytest.mark.parametrize("path", ["", "new", "columns"])
def test_lists_that_one_may_not_open_cannot_be_arranged(office: Office, path: str) -> None:
    reviewer = office.staff()
    for name in ("users", "audit", "nothing", "holidays"):
        reviewer.get(f"/office/lists/{name}/{path}", status=404)
    office.browser(office.agent()).get(f"{VIEWS}{path}", status=404)


def test_a_chosen_column_shows_no_more_than_the_list_may(
    office: Office, reviewer: PageClient
) -> None:
    civil_id = office.read(1, lambda req: req.civil_id)
    page = reviewer.get(f"{LIST}?columns=number,civil_id")
    assert str(civil_id) not in page.text
    assert any(
        str(civil_id)[-4:] in td.get_text()
        for td in page.soup.select("[data-label='Civil number']")
    )


@pytest.mark.databases
def test_requests_are_sorted_by_due_date_those_without_one_last(office: Office) -> None:
    soon, later, none = (office.request() for _each in range(3))
    days: dict[int, Any] = {soon: "2030-01-02", later: "2030-02-02", none: None}
    with office.app.app_context():
        for request_id, day in days.items():
            db.session.execute(
                sa.text("UPDATE request SET due_on = :day WHERE id = :id"),
                {"day": day, "id": request_id},
            )
        db.session.commit()
    reader = office.staff()

    def shown(query: str) -> list[int]:
        rows = reader.get(f"{LIST}?sort=due_on{query}").soup.select("[name=rowid]")
        return [int(row["value"]) for row in rows]

    assert shown("") == [soon, later, none]
    assert shown(f"&after={soon}") == [later, none]
    assert shown(f"&desc=1&after={none}") == [later, soon]
    assert shown(f"&before={none}") == [soon, later]


@pytest.mark.parametrize(
    ("language", "short", "whole"),
    [
        ("en", ["Exam", "Returned"], ["Take the clearing agents' exam", "Corrections needed"]),
        ("ar", ["امتحان", "معاد"], ["طلب امتحان وكلاء التخليص", "معاد للاستكمال"]),
    ],
)
def test_long_names_of_services_and_states_have_a_short_form_that_readers_do_not_hear(
    office: Office, language: str, short: list[str], whole: list[str]
) -> None:
    office.request(Status.RETURNED)
    row = office.staff(Role.REVIEWER, language).get(LIST).soup.select_one("tbody tr")
    assert [each.get_text() for each in row.select(".brief[aria-hidden=true]")] == short
    assert [each.get_text() for each in row.select(".whole")] == whole
