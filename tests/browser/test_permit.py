"""The guide's service in real browsers: imported, asked for, decided by three, checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.looks import faults
from tests.browser.visits import Portal, Visit
from tests.journeys.test_guide_service import VISIT, definition

CODE, CHIEF = "permit_by_three", "chief@example.com"
INSPECTORS = "inspectors"
TEAMS = [("review", "reviewer"), ("review", "chief"), (INSPECTORS, "reviewer2")]
READY_AR = {
    "title": "تصريحك للطلب {number} جاهز",
    "body": "التصريح للطلب {number} جاهز.\n{reason}",
    "sms": "تصريحك للطلب {number} جاهز.",
}
READY_EN = {
    "title": "Your permit for {number} is ready",
    "body": "The permit for {number} is ready.\n{reason}",
    "sms": "Your permit for {number} is ready.",
}
NUMBER = re.compile(r"PBT/\d+/\d\d")


def by_three() -> dict[str, Any]:
    """The guide's example with a third stage, for another person than decided before."""
    wanted = definition() | {"code": CODE, "prefix": "PBT"}
    check, inspect = wanted["stages"]
    sign = {"name": "sign", "title": {"ar": "التوقيع", "en": "Signature"}, "another_person": True}
    wanted["stages"] = [check, inspect | {"team": INSPECTORS}, sign]
    wanted["messages"] = {"approved": {"ar": READY_AR, "en": READY_EN}}
    return wanted


@pytest.fixture
def inspectors(portal: Portal) -> Iterator[None]:
    """A second team and a third reviewer; at the end the team goes and the service is archived."""
    make_inspectors(portal)
    yield
    portal.rows("UPDATE service SET is_active = 0 WHERE code = ?", CODE)
    portal.rows("DELETE FROM team_member")
    portal.rows("DELETE FROM team WHERE code = ?", INSPECTORS)


def make_inspectors(portal: Portal) -> None:
    """Add the team of the inspectors, and a reviewer who signs."""
    columns = [name for _, name, *_ in portal.rows("PRAGMA table_info(user)")]
    own = {"id": "NULL", "email": f"'{CHIEF}'", "mobile": "'+96551239999'", "civil_id": "NULL"}
    values = ", ".join(own.get(name, f'"{name}"') for name in columns)
    copied = f"INSERT INTO user SELECT {values} FROM user WHERE email = 'reviewer2@example.com'"
    portal.rows(copied)
    portal.rows("INSERT INTO team VALUES (?, 'المعاينة', 'Inspection', 9)", INSPECTORS)
    member = "INSERT INTO team_member SELECT ?, id FROM user WHERE email = ?"
    for team, email in TEAMS:
        portal.rows(member, team, f"{email}@example.com")


@pytest.mark.usefixtures("inspectors")
def test_a_permit_is_published_asked_for_decided_by_three_people_and_checked(
    agent: Any, office: Callable[..., Visit]
) -> None:
    publish(office("admin@example.com", "en"))
    holder = agent("ar", 390)
    request_id = ask(holder)

    first = office("reviewer@example.com", "ar")
    assert cannot_decide(office("reviewer2@example.com"), request_id)  # the inspectors come later
    people.decide(first, request_id, "approve")
    assert cannot_decide(first, request_id)
    inspector = office("reviewer2@example.com", "en")
    people.decide(inspector, request_id, "approve", {"office-visited_on": "20/11/2026"})
    assert cannot_decide(first, request_id)  # the signature is for another person
    chief = office(CHIEF, "ar")
    people.decide(chief, request_id, "approve")

    page = holder.open(f"/my/requests/details/?id={request_id}")
    for words in ("8/12345", "الدوحة", "تصريح"):
        expect(page.locator("main")).to_contain_text(words)
    assert faults(page) == []
    holder.shoot("permit-issued")
    expect(holder.open("/my/notices/").locator("main")).to_contain_text("تصريحك للطلب")
    portal = holder.portal
    ((code, number),) = portal.rows(
        "SELECT check_code, number FROM issued_document WHERE request_id = ?", request_id
    )
    page = holder.open(f"/check/{code}")
    expect(page.locator("main")).to_contain_text(number)
    expect(page.locator("main")).not_to_contain_text("بالإنجليزية")  # no English name was given
    assert faults(page) == []
    holder.shoot("permit-checked")
    people.arrived(lambda: portal.mail.to("general@example.com")[-1])


def publish(keeper: Visit) -> None:
    """Import the definition in the panel, read its check-up, publish it."""
    page = keeper.open("/office/services/import/")
    text = yaml.safe_dump(by_three(), allow_unicode=True, sort_keys=False)
    file = {"name": "permit.yaml", "mimeType": "text/yaml", "buffer": text.encode()}
    page.locator("[name=pack]").set_input_files([file])
    people.press(page)
    keeper.shoot("permit-import")
    expect(page.locator("main")).to_contain_text("Nothing is wrong.")
    people.press(page)
    expect(page.locator("main")).to_contain_text("The draft was made from the file.")
    keeper.shoot("permit-checkup")
    page = keeper.open(f"/office/services/{CODE}/draft/publish/")
    page.locator("[name=why]").fill("A new service")
    people.press(page, "#publish-form button.button-primary")


def ask(holder: Visit) -> int:
    """Fill in and send the form on a phone; the rule and the document are met on the way."""
    page = holder.open(f"/my/services/{CODE}/")
    page.locator("#broker_type-private").check()
    people.press(page)
    people.fill(page, {"port": "other"})
    expect(page.locator("[name=other_port]")).to_be_visible()
    page.locator("[data-row-add]").click()
    people.fill(page, VISIT | {"ends_on": "30/03/2031"})
    page.keyboard.press("Tab")
    wanted = page.locator("#upload-kind option[value=passport_copy]")
    expect(wanted).to_have_count(1)  # the visitors are saved: their passports are asked for
    people.upload_together(page, {"passport_copy": "passport.jpg"})
    send(page)
    expect(page.locator("#ends_on-error")).to_be_visible()
    assert faults(page) == []
    holder.shoot("permit-refused")
    people.fill(page, {"ends_on": "05/04/2031"})
    send(page)
    expect(page.locator("main")).to_contain_text(NUMBER)
    holder.shoot("permit-sent")
    return int(re.findall(r"\d+", page.url.removeprefix(holder.portal.url))[0])


def send(page: Page) -> None:
    people.press(page, "button[name=submit][value=send]")


def cannot_decide(somebody: Visit, request_id: int) -> bool:
    page = somebody.open(f"/office/requests/details/?id={request_id}")
    return page.locator("main a[href*='/do/approve']").count() == 0
