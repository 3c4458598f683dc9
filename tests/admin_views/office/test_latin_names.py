"""Names of people on the office's pages: in Latin letters in English, as given in Arabic."""

from __future__ import annotations

import pytest

from clearance.models.enums import Role, Status
from tests.support.office_people import Office

SENDER, REVIEWER = ("سالم", "العتيبي", "Salem Alotaibi"), ("نورة", "الرشيدي", "Noura Alrashidi")


def columns(names: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("first_name", "last_name", "latin_name"), names, strict=True))


@pytest.fixture
def request_id(office: Office) -> int:
    reviewer = office.person("reviewer", **columns(REVIEWER))
    agent = office.agent(**columns(SENDER))
    return office.request(Status.UNDER_REVIEW, agent=agent, reviewer=reviewer)


@pytest.mark.parametrize(
    "path",
    [
        "/office/requests/details/?id={id}",
        "/office/requests/",
        "/office/requests/export/csv/",
        "/office/users/",
        "/office/users/export/csv/",
        "/office/staff/",
        "/office/audit/",
        "/office/audit/export/csv/",
    ],
)
def test_english_pages_show_latin_names_and_arabic_ones_the_names_as_given(
    office: Office, request_id: int, path: str
) -> None:
    url, shown = path.format(id=request_id), {}
    for language in ("ar", "en"):
        browser = office.staff(Role.MANAGER, language)
        shown[language] = browser.http.get(url).get_data(as_text=True)
    of_office = "/users" not in path
    first, last, latin = REVIEWER if of_office else SENDER
    assert latin in shown["en"]
    assert latin not in shown["ar"]
    assert f"{first} {last}" in shown["ar"]
    assert f"{first} {last}" not in shown["en"]


def test_without_a_latin_name_the_name_as_given_is_shown(office: Office) -> None:
    agent = office.agent(**columns(("سالم", "العتيبي", "")))
    request_id = office.request(agent=agent)
    page = office.staff().get(f"/office/requests/details/?id={request_id}")
    assert page.soup.find("bdi", string="سالم العتيبي")


@pytest.mark.parametrize("typed", ["sal alot", "سالم"])
def test_people_are_found_by_either_spelling(office: Office, typed: str) -> None:
    office.agent(**columns(SENDER))
    page = office.staff(Role.MANAGER).get(f"/office/users/?search={typed}")
    assert [cell.get_text(strip=True) for cell in page.soup.select("tbody td a")][:1] == [
        "Salem Alotaibi"
    ]
