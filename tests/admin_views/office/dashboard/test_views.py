"""The managers' dashboard: figures with the lists that they count, its age, and its files."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from bs4 import Tag
from python_calamine import load_workbook

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.figures import summaries
from clearance.models import FigureState
from clearance.models.enums import Role, Status
from tests.support.figure_year import Year
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

PAGE = "/office/dashboard/"
DERIVED = ("Decided in time", "Median working days", "Working days for 9 in 10")


def count(office: Office, now: datetime | None = None) -> None:
    """Let the job count."""
    with office.app.app_context():
        summaries.refresh(now or utc_now(), seconds=None)


@pytest.fixture
def busy(office: Office, from_world: Callable[..., Any]) -> Office:
    """An office with requests in several states, one of them overdue."""
    office.people = from_world("dashboard", lambda: work(office))
    return office


def work(office: Office) -> dict[str, int]:
    """Let people send and decide, and the job count."""
    reviewer = office.person("Noura")
    for status in (Status.SUBMITTED, Status.UNDER_REVIEW, Status.RETURNED):
        office.request(status, reviewer=reviewer)
    for status in (Status.REJECTED, Status.WITHDRAWN):
        office.request(status, reviewer=reviewer)
    long_ago = utc_now() - timedelta(days=40)
    office.request(Status.SUBMITTED, now=long_ago)
    letter = office.licence(expires=kuwait_today() + timedelta(days=20))
    office.about(letter, "letter", Status.APPROVED, reviewer=reviewer)
    count(office)
    return office.people


def numbers(page: Page) -> Iterator[tuple[str, int, str]]:
    """What it is about, the number and the address of every count that is a link."""
    for link in page.soup.select("main .stat a, main .figures td a, main .chart td a"):
        holder: Any = link.find_parent(class_="stat") or link
        if link.has_attr("title") or any(words in holder.get_text() for words in DERIVED):
            continue
        value = holder.select_one(".stat-value, bdi") or link
        yield holder.get_text(" "), int(value.get_text().replace(",", "")), str(link["href"])


def listed(browser: PageClient, url: str) -> int:
    """How many rows a list shows."""
    return len([row for row in browser.get(url).soup.select("main tbody tr") if row.find("td")])


def test_every_figure_leads_to_the_list_with_exactly_its_rows(busy: Office) -> None:
    browser = busy.staff(Role.MANAGER)
    page = browser.get(f"{PAGE}?period=year")
    found = {url: (about, number) for about, number, url in numbers(page)}
    assert sum(number > 0 for _about, number in found.values()) > 20
    for url, (about, number) in found.items():
        assert listed(browser, url) == number, f"{about}: {url}"


def test_shares_and_days_lead_to_the_requests_they_were_counted_from(busy: Office) -> None:
    browser = busy.staff(Role.MANAGER)
    page = browser.get(f"{PAGE}?period=year")
    links = {link.text: link["href"] for link in page.soup.select(".stats-narrow .stat a")}
    assert {links[label] for label in DERIVED} == {links["Decided"]}
    share = page.soup.select_one("#by-service td a[title]")
    decided = share.find_parent("tr").select("td")[1]
    assert share["href"] == decided.a["href"]
    assert listed(browser, share["href"]) == int(decided.text)


@pytest.mark.databases
def test_decisions_by_stage_and_team_lead_to_the_requests_decided_there(office: Office) -> None:
    made = Year(seed=8, requests=80, first=date(2025, 12, 7), days=45)
    with office.app.app_context():
        made.build()
    count(office, made.after)
    browser = office.staff(Role.MANAGER)
    for period in ("period=month&at=2026-01-15", "period=year&at=2026-01-15"):
        page = browser.get(f"{PAGE}?{period}")
        for kind in ("stage", "team"):
            links = page.soup.select(f"#by-{kind} td:nth-child(2) a")
            assert len(links) == 2
            assert len({link.text for link in links}) == 2
            for link in links:
                assert f"flt0_decided_{'in' if kind == 'stage' else 'by'}=" in link["href"]
                assert listed(browser, link["href"]) == int(link.text) > 0


@pytest.mark.databases
def test_one_service_has_figures_of_its_own_by_reviewer_stage_and_period(office: Office) -> None:
    made = Year(seed=8, requests=80, first=date(2025, 12, 7), days=45)
    with office.app.app_context():
        made.build()
    count(office, made.after)
    browser = office.staff(Role.MANAGER)
    whole = browser.get(f"{PAGE}?period=month&at=2026-01-15")
    (url,) = (a["href"] for a in whole.soup.select("#by-service th a") if "permit" in a["href"])
    page = browser.get(url)
    decided = [
        story
        for story in made.stories
        if story.code == "permit"
        and story.status in ("approved", "rejected")
        and story.decided is not None
        and (story.decided + timedelta(hours=3)).strftime("%Y-%m") == "2026-01"
    ]
    by_reviewer = [int(td.text) for td in page.soup.select("#by-reviewer td:nth-child(2)")]
    assert sorted(filter(None, by_reviewer)) == sorted(
        Counter(story.reviewer for story in decided).values()
    )
    assert len(page.soup.select("#by-stage tbody tr")) == 2
    assert not page.soup.select("#by-service, #by-team, #expiring, #undelivered, #exam-results")
    found = list(numbers(page))
    assert sum(number > 0 for _about, number, _url in found) > 5
    for about, number, address in found:
        if not address.startswith(PAGE):
            assert "permit" in address
            assert listed(browser, address) == number, f"{about}: {address}"
    assert all("service=permit" in page.link(step) for step in ("Earlier", "Week", "Export CSV"))
    assert "service" not in page.link("All services")
    response = browser.http.get(page.link("Export CSV"))
    assert '"About","Service","Greeting Request"' in response.get_data(as_text=True)
    assert "figures-permit-month-2026-01-01.csv" in response.headers["Content-Disposition"]


@pytest.mark.parametrize("service", ["gone", "a" * 5000, "%", "renewal%27"])
def test_a_service_that_does_not_exist_is_no_choice(busy: Office, service: str) -> None:
    page = busy.staff(Role.MANAGER).get(f"{PAGE}?period=year&service={service}")
    assert page.soup.select("#by-service")


def test_reasons_lead_to_the_steps_that_gave_them(busy: Office) -> None:
    browser = busy.staff(Role.MANAGER)
    page = browser.get(f"{PAGE}?period=year")
    (link,) = page.soup.select("#returned-for td a")
    assert "flt0_reason=return.other" in link["href"]
    assert listed(browser, link["href"]) == 1
    browser.get("/office/audit/?flt0_reason=return.99", status=400, check=False)


def test_a_manager_reads_the_figures_in_both_languages(busy: Office) -> None:
    page = busy.staff(Role.MANAGER).get(f"{PAGE}?period=year")
    tiles = {tile.p.get_text(): tile.select_one(".stat-value").get_text() for tile in stats(page)}
    assert (tiles["Received"], tiles["Decided"], tiles["Returned"]) == ("7", "2", "1")
    assert tiles["Open requests"] == "4"
    assert "Figures as of" in page.text
    arabic = busy.browser(busy.person("Huda", Role.MANAGER), "ar").get(PAGE)
    assert "لوحة المؤشرات" in arabic.text


def stats(page: Page) -> list[Any]:
    """The tiles of the page."""
    return list(page.soup.select(".stat"))


def test_time_runs_from_right_to_left_in_arabic(busy: Office) -> None:
    places: dict[str, list[float]] = {}
    for language in ("en", "ar"):
        browser = busy.browser(busy.person("Huda", Role.MANAGER), language)
        drawn = browser.get(PAGE).soup.select_one("#amounts")
        labels = drawn.select(".plot-label") if isinstance(drawn, Tag) else []
        places[language] = [float(str(label["x"]).strip("%")) for label in labels]
    assert places["en"] == sorted(places["en"])
    assert places["ar"] == [round(100 - x, 3) for x in places["en"]]


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR])
def test_nobody_else_has_a_dashboard(office: Office, role: str) -> None:
    browser = office.staff(role)
    browser.get(PAGE, status=404)
    browser.get(f"{PAGE}export/csv/", status=404)
    assert PAGE not in [a["href"] for a in browser.get("/office/").soup.select("nav a")]


def test_the_menu_and_the_home_page_of_managers_lead_to_it(office: Office) -> None:
    home = office.staff(Role.MANAGER).get("/office/")
    assert home.soup.select_one(f"nav a[href='{PAGE}']")
    assert home.soup.select_one(f"main a[href='{PAGE}']")


@pytest.mark.parametrize("period", ["day", "week", "month", "year"])
def test_before_anything_is_counted_the_page_says_so(office: Office, period: str) -> None:
    page = office.staff(Role.MANAGER).get(f"{PAGE}?period={period}")
    assert "The figures are being counted for the first time." in page.text


def test_old_figures_say_how_old_they_are(busy: Office) -> None:
    with busy.app.app_context():
        state = db.session.get_one(FigureState, 1)
        state.made_at = utc_now() - timedelta(days=1)
        db.session.commit()
    page = busy.staff(Role.MANAGER).get(PAGE)
    assert "The figures are out of date" in page.text
    assert "counted 1 day ago" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "period=decade&at=yesterday",
        "period=week&at=0001-01-01",
        "period=year&at=9999-12-31",
        "period=day&at=" + "9" * 5000,
        "at=&period=",
    ],
)
def test_a_period_that_does_not_exist_is_replaced_by_one_that_does(
    office: Office, query: str
) -> None:
    office.staff(Role.MANAGER).get(f"{PAGE}?{query}")


def test_earlier_and_later_periods_are_a_click_away(office: Office) -> None:
    browser = office.staff(Role.MANAGER)
    page = browser.get(f"{PAGE}?period=month&at=2026-01-15")
    assert "January 2026" in page.text
    assert "“Before” is the period before: December 2025." in page.text
    assert "December 2025" in browser.get(page.link("Earlier")).soup.select_one("main h2").text
    assert "February 2026" in browser.get(page.link("Later")).soup.select_one("main h2").text


def test_figures_of_a_week_over_the_end_of_a_year_are_of_both_years(office: Office) -> None:
    for day in (datetime(2025, 12, 31, 9, tzinfo=UTC), datetime(2026, 1, 1, 9, tzinfo=UTC)):
        office.request(Status.SUBMITTED, now=day)
    count(office)
    browser = office.staff(Role.MANAGER)
    for period, expected in (
        ("period=week&at=2026-01-03", 2),
        ("period=month&at=2025-12-31", 1),
        ("period=year&at=2025-01-01", 1),
        ("period=year&at=2026-12-31", 1),
    ):
        found = numbers(browser.get(f"{PAGE}?{period}"))
        received = next(each for each in found if "Received" in each[0])
        assert received[1] == expected, period
        assert listed(browser, received[2]) == expected, period


def test_the_page_takes_few_statements(busy: Office) -> None:
    assert busy.queries(busy.staff(Role.MANAGER), PAGE) <= 16  # a transaction's beginning counted


def test_the_figures_leave_as_csv(busy: Office) -> None:
    browser = busy.staff(Role.MANAGER)
    response = browser.http.get(f"{PAGE}export/csv/?period=year")
    rows = list(csv.reader(io.StringIO(response.get_data(as_text=True).removeprefix("\ufeff"))))
    year = str(kuwait_today().year)
    assert rows[0] == ["Table", "About", "Figure", "Number"]
    assert ["Compared with earlier periods", year, "Received", "7"] in rows
    assert ["Now", "Open requests", "Number", "4"] in rows
    assert response.headers["Content-Disposition"].endswith(f"figures-year-{year}-01-01.csv")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_figures_leave_as_a_workbook_of_several_sheets(busy: Office, language: str) -> None:
    browser = busy.browser(busy.person("Huda", Role.MANAGER), language)
    response = browser.http.get(f"{PAGE}export/xlsx/?period=year")
    with ZipFile(io.BytesIO(response.get_data())) as book:
        names = sorted(name for name in book.namelist() if "worksheets/sheet" in name)
        sheets = [book.read(name).decode() for name in names]
    assert len(sheets) > 8
    assert all(("rightToLeft" in sheet) == (language == "ar") for sheet in sheets)
    assert not [sheet for sheet in sheets if "<f>" in sheet]
    trend = load_workbook(io.BytesIO(response.get_data())).get_sheet_by_index(1).to_python()
    assert trend[-1][:3] == [str(kuwait_today().year), 7, 2]
