"""Every page of the office that administrators keep, as each role meets it."""

from __future__ import annotations

import pytest

from clearance.models.enums import Role, Status
from tests.support.office_people import Office

LISTS = [
    "users",
    "organisations",
    "staff",
    "services",
    "document-kinds",
    "broker-types",
    "legal-entities",
    "reasons",
    "teams",
    "holidays",
    "texts",
    "announcements",
    "deliveries",
    "audit",
    "access",
    "settings",
    "audit/verify",
]
REVIEWERS_READ = {"organisations"}
CREATING = ["document-kinds", "broker-types", "legal-entities", "reasons", "holidays", "teams"]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.MANAGER])
@pytest.mark.parametrize("name", LISTS)
def test_administrators_and_managers_open_every_list(
    office: Office, name: str, role: str, language: str
) -> None:
    office.request()
    office.staff(role, language).get(f"/office/{name}" + ("" if "/" in name else "/"))


@pytest.mark.parametrize("name", LISTS)
def test_reviewers_find_none_of_them_but_organisations_and_agents_none(
    office: Office, name: str
) -> None:
    address = f"/office/{name}" + ("" if "/" in name else "/")
    office.staff().get(address, status=200 if name in REVIEWERS_READ else 404)
    office.browser(office.agent()).get(address, status=404)


@pytest.mark.parametrize("name", [*CREATING, "announcements"])
def test_only_administrators_add_and_change_rows(office: Office, name: str) -> None:
    assert office.staff(Role.ADMINISTRATOR).get(f"/office/{name}/new/").soup.select_one("#record")
    manager = office.staff(Role.MANAGER)
    manager.get(f"/office/{name}/new/", status=404)
    manager.post(f"/office/{name}/new/", {"name_ar": "x"}, status=404)
    manager.get(f"/office/{name}/edit/?id=1", status=404)
    assert "Add" not in [
        a.get_text(strip=True) for a in manager.get(f"/office/{name}/").soup.select("a")
    ]


@pytest.mark.parametrize("path", ["notices/", "account/"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR])
def test_everybody_of_the_office_has_notices_and_an_account(
    office: Office, role: str, path: str
) -> None:
    office.staff(role).get(f"/office/{path}")


@pytest.mark.parametrize(
    ("role", "wanted", "hidden"),
    [
        (Role.REVIEWER, ["Requests", "Exams"], ["Staff", "Settings"]),
        (Role.MANAGER, ["Requests", "Exams", "Staff", "Audit trail"], []),
        (Role.ADMINISTRATOR, ["Staff", "Services", "Settings"], ["Requests"]),
    ],
)
def test_the_menu_holds_what_the_role_may_open(
    office: Office, role: str, wanted: list[str], hidden: list[str]
) -> None:
    page = office.staff(role).get("/office/")
    lines = [a.get_text(strip=True) for a in page.soup.select("#menu li a")]
    assert set(wanted) <= set(lines)
    assert not set(hidden) & set(lines)
    assert "Organisations" in lines
    for name in ("Licences", "Brokers", "Issued documents", "Subscriptions"):
        assert (name in lines) == (role != Role.ADMINISTRATOR)
    for anchor in page.soup.select("#menu li a"):
        office.staff(role).get(anchor["href"])


@pytest.mark.parametrize("query", ["flt0_scope=x", "flt0_from=32/1/2026", "sort=77", "page=x"])
@pytest.mark.parametrize("name", ["audit", "access"])
def test_garbage_in_the_trails_address_is_refused(office: Office, name: str, query: str) -> None:
    office.request(Status.SUBMITTED)
    office.staff(Role.MANAGER).get(f"/office/{name}/?{query}", status=400)
