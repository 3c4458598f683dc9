"""Lists of choices: pasted, kept for ever, chosen by fields of services."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import ChoiceList, Event
from clearance.models.enums import Role
from clearance.services import drafting, versions
from tests.support import request_factories as requests
from tests.support.office_people import Office
from tests.support.pages import Page
from tests.support.permit import PERMIT

LIST = "/office/choice-lists/"
PORTS = "الشويخ\tShuwaikh\tshuwaikh\nميناء الزور;Zour port\n\nأخرى | Other | other | text\n"
FIELD = "/office/services/temporary_permit/draft/form/fields/port/"


def add(office: Office, items: str, **more: str) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    values = {"code": "ports", "name_ar": "الموانئ", "name_en": "Ports", "items": items} | more
    return browser.submit(browser.get(f"{LIST}new/"), values, form="#record")


def change(office: Office, items: str) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(f"{LIST}edit/?id=ports"), {"items": items}, form="#record")


def kept(office: Office) -> list[tuple[str, bool, bool]]:
    with office.app.app_context():
        row = db.session.get(ChoiceList, "ports")
        items = row.items if row is not None else []
        return [
            (each["value"], each.get("retired", False), each.get("text", False)) for each in items
        ]


@pytest.mark.databases
def test_a_list_is_pasted_from_a_spreadsheet(office: Office) -> None:
    page = add(office, PORTS)
    assert "Ports" in page.text
    assert kept(office) == [
        ("shuwaikh", False, False),
        ("zour_port", False, False),
        ("other", False, True),
    ]
    with office.app.app_context():
        event = db.session.scalars(
            sa.select(Event).where(Event.kind == "reference:choice_list:created")
        ).one()
        assert event.changes["items"][1][0]["label"]["en"] == "Shuwaikh"


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ("الشويخ | Shuwaikh\n\n | Doha", "Line 3: write the choice in both languages."),
        ("الدوحة | | doha", "Line 1: write the choice in both languages."),
        ("أ | A | a\nب | B | a", "Line 2: “a” is on line 1 already."),
        ("أ | A\nب | a", "Line 2: “a” is on line 1 already."),
        ("أ | A | Port-1", "Line 1: the value has lower case Latin letters"),
        ("أ | A | a | gone", "Line 1: write Arabic | English | value."),
        ("أ | A | a | text\nب | B | b | text", "Line 2: “text” is on line 1 already."),
        ("\n".join(f"خ{n} | c{n}" for n in range(501)), "These are more than 500 choices."),
    ],
)
def test_a_wrong_line_is_told_by_its_number(office: Office, items: str, told: str) -> None:
    assert told in add(office, items).error_of("items")
    assert kept(office) == []


@pytest.mark.databases
def test_a_choice_that_is_left_out_stays_and_is_offered_no_more(office: Office) -> None:
    add(office, PORTS)
    page = change(office, "الشويخ | Shuwaikh | shuwaikh\nالدوحة | Doha | doha")
    assert "Choices that were left out are kept, and no longer offered." in page.text
    assert kept(office) == [
        ("shuwaikh", False, False),
        ("doha", False, False),
        ("zour_port", True, False),
        ("other", True, True),
    ]
    form = office.staff(Role.ADMINISTRATOR).get(f"{LIST}edit/?id=ports")
    lines = form.soup.find("textarea", attrs={"name": "items"}).text.strip().split("\n")
    assert lines[-1] == "أخرى | Other | other | retired | text"


def test_a_change_made_meanwhile_is_shown_beside_the_typed_one(office: Office) -> None:
    add(office, PORTS)
    browser = office.staff(Role.ADMINISTRATOR)
    before = browser.get(f"{LIST}edit/?id=ports")
    change(office, PORTS + "الدوحة | Doha | doha")
    page = browser.submit(before, {"items": PORTS}, form="#record")
    assert "Now saved:" in page.error_of("items")
    assert "الدوحة | Doha | doha" in page.error_of("items")


def test_a_manager_reads_the_lists_only(office: Office) -> None:
    add(office, PORTS)
    browser = office.staff(Role.MANAGER)
    assert "Ports" in browser.get(LIST).text
    browser.get(f"{LIST}edit/?id=ports", status=404)


def test_a_field_of_a_service_takes_a_list_and_conditions_know_its_choices(office: Office) -> None:
    add(office, PORTS)
    with office.app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
    browser = office.staff(Role.ADMINISTRATOR)
    browser.submit(browser.get(FIELD), {"list": "ports"}, form="#part-form")
    other = browser.get("/office/services/temporary_permit/draft/form/fields/other_port/")
    values = {"when_field": "port", "when_op": "is", "when_value": "ميناء الزور"}
    page = browser.submit(other, values, form="#part-form")
    assert "“Port” is “Zour port”" in page.text
    with office.app.app_context():
        document = drafting.source("temporary_permit").document
        fields: dict[str, Any] = {each["name"]: each for each in document["fields"]}
        assert fields["port"]["list"] == "ports"
        assert "choices" not in fields["port"]
        assert fields["other_port"]["when"] == {"field": "port", "is": ["zour_port"]}
        assert versions.faults(document) == []
    preview = browser.http.get("/office/services/temporary_permit/draft/preview/form?lang=ar").text
    assert '<option value="zour_port">' in preview
    assert "port_text" in preview


def test_a_pasted_choice_without_a_language_is_told_by_its_line(office: Office) -> None:
    with office.app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.submit(
        browser.get(FIELD), {"choices": "الشويخ\tShuwaikh\nالدوحة"}, form="#part-form"
    )
    assert "The draft was saved." in page.text
    checked = browser.get("/office/services/temporary_permit/draft/checkup/")
    assert re.search("Line 2: .*This is missing.", checked.text)
