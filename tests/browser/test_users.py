"""A general user governs the organisation's people in a real browser: added, limited, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.people import Person
from tests.browser.visits import Visit

GIVEN = "Given-4-Start!"
SERVICE_NAMES = {
    "exam": {"ar": "طلب امتحان وكلاء التخليص", "en": "Take the clearing agents' exam"},
    "letter": {"ar": "طلب شهادة إلى من يهمه الأمر", "en": "“To whom it may concern” letter"},
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_two_users_are_added_and_one_loses_a_service_while_filling_in_its_form(
    agent: Any, visit: Callable[..., Visit], lang: str, width: int
) -> None:
    general, clerk, partner = agent(lang, width), people.newcomer(), people.newcomer()
    add(general, clerk, ["exam", "letter"])
    add(general, partner, None)

    theirs = visit(lang, width)
    first_sign_in(theirs, clerk)
    page = theirs.open("/my/services/")
    theirs.shoot("services-of-a-clerk")
    expect(page.locator("#service-exam a.button-primary")).to_be_visible()
    expect(page.locator("#service-cancellation a.button-primary")).to_have_count(0)
    assert theirs.context.request.get(f"{theirs.portal.url}/my/users/").status == 404

    others = visit(lang, width)
    first_sign_in(others, partner)
    page = others.open(f"/my/users/?search={clerk.email}")
    others.shoot("users")
    expect(page.locator("main")).to_contain_text(clerk.email)

    form = begin_exam(theirs)
    take_away(general, clerk, "exam")
    theirs.page.locator("main [name=name_ar_1]").fill("سالم")
    people.press(theirs.page, "button[name=submit][value=send]")
    theirs.shoot("service-taken-away")
    assert theirs.context.request.get(theirs.portal.url + form).status == 404
    page = theirs.open("/my/notices/")
    theirs.shoot("notices-of-a-clerk")
    expect(page.locator(".notices")).to_contain_text(SERVICE_NAMES["exam"][lang])
    theirs.errors[:] = [error for error in theirs.errors if "404" not in error]


def add(visit: Visit, person: Person, services: list[str] | None) -> None:
    """Add somebody with the chosen services, or as a general user."""
    write_new(visit, person, services)
    visit.shoot("user-new")
    people.press(visit.page, "button[name=_save]")
    visit.shoot("user-added")
    expect(visit.page.locator("#awaited")).to_contain_text(person.email)


def write_new(visit: Visit, person: Person, services: list[str] | None) -> None:
    """Fill in the form of a new user."""
    page = visit.open("/my/users/new/")
    people.fill(
        page,
        {
            "first_name": "منيرة",
            "last_name": "الرشيدي",
            "latin_name": "Munira Alrashidi",
            "gender": "female",
            "civil_id": person.civil_id,
            "mobile": person.mobile,
            "email": person.email,
            "password": GIVEN,
            "password_confirm": GIVEN,
            "captcha": people.CAPTCHA,
        },
    )
    if services is None:
        page.locator("[name=is_general]").check()
    for code in services or ():
        page.locator(f"[name=services][value={code}]").check()
    page.locator("[name=accept_terms]").check()


def first_sign_in(visit: Visit, person: Person) -> None:
    """Sign in with the given password, choose an own one, prove both codes."""
    people.sign_in(visit, person.email, GIVEN)
    visit.page.wait_for_url("**/password**")
    visit.shoot("own-password")
    own = {"new_password": person.password, "new_password_confirm": person.password}
    people.fill(visit.page, own)
    people.press(visit.page)
    people.prove(visit, person)


def begin_exam(visit: Visit) -> str:
    """Open the form of an exam request; returns its path."""
    page = visit.open("/my/services/exam/")
    page.locator("#broker_type-private").check()
    people.press(page)
    return page.url.removeprefix(visit.portal.url)


def take_away(visit: Visit, person: Person, code: str) -> None:
    """Take one service from somebody on their page."""
    page = visit.open(f"/my/users/?search={person.email}")
    with page.expect_navigation():
        page.locator("main tbody a").first.click()
    page.locator(f"[name=services][value={code}]").uncheck()
    visit.shoot("user-edit")
    people.press(page, "button[name=_save]")
    visit.shoot("user-edited")
