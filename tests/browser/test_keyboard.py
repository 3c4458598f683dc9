"""Everything that users, subscriptions, the account and the office offer, without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keyboard, people
from tests.browser.visits import Visit

ADDITIONAL = "SELECT m.id FROM membership m JOIN user u ON u.id = m.user_id WHERE u.email = ?"
ASKED = "SELECT id FROM subscription WHERE status = 'asked' ORDER BY id LIMIT 1"
STAFF = "SELECT id FROM user WHERE email = 'reviewer@example.com'"
AGENT = (
    "/my/users/",
    "/my/users/new/",
    "/my/users/{member}/",
    "/my/invitations/",
    "/my/organisation/",
    "/my/subscriptions/",
    "/my/subscriptions/letter/leave",
    "/my/account/",
    "/my/account/contact/email",
    "/my/account/notices",
    "/my/account/data",
    "/my/account/factor",
)
REVIEWER = (
    "/office/subscriptions/",
    "/office/subscriptions/{asked}/",
    "/office/subscriptions/{asked}/do/refuse",
)
ADMINISTRATOR = (
    "/office/staff/",
    "/office/staff/invite",
    "/office/staff/details/?id={staff}",
    "/office/staff/{staff}/factor/reset",
    "/office/texts/",
    "/office/texts/request:sent/",
    "/office/announcements/",
    "/office/announcements/new/",
    "/office/settings/",
)
# Where a form is sent empty: its page, and the button that sends it.
REFUSING = {
    "general@example.com": {
        "/my/users/new/": "#user-form button[name=_save]",
        "/my/organisation/": "#organisation-form .button-primary",
        "/my/account/": "#password-form .button-primary",
        "/my/account/contact/mobile": "#contact-form .button-primary",
        "/my/account/data": "#data-form .button-primary",
        "/my/account/factor": "#factor-form .button-primary",
    },
    "reviewer@example.com": {"/office/subscriptions/{asked}/do/refuse": "#step .button-danger"},
    "admin@example.com": {
        "/office/staff/invite": "#invitation .button-primary",
        "/office/announcements/new/": "#record .button-primary",
    },
}
EMPTY = """(button) => [...button.form.elements]
  .filter((each) => each.matches("textarea, input.input:not([type=checkbox])"))
  .forEach((each) => { each.value = ""; })"""


def named(visit: Visit, path: str) -> str:
    """The path with the ids that the demo world has given."""
    return path.format(
        member=visit.portal.count(ADDITIONAL, "additional@example.com"),
        asked=visit.portal.count(ASKED),
        staff=visit.portal.count(STAFF),
    )


@pytest.mark.parametrize(
    ("email", "paths", "lang"),
    [
        ("general@example.com", AGENT, "ar"),
        ("reviewer@example.com", REVIEWER, "en"),
        ("admin@example.com", ADMINISTRATOR, "ar"),
    ],
)
def test_tab_leads_through_everything_in_reading_order_and_shows_where_one_is(
    office: Callable[..., Visit], email: str, paths: tuple[str, ...], lang: str
) -> None:
    somebody, faults = office(email, lang), []
    for path in paths:
        page = somebody.open(named(somebody, path))
        walk = keyboard.walk(page)
        assert len(walk.stops) > 15, path
        faults += [f"{path}: {fault}" for fault in walk.faults]
        page.reload()
        if keyboard.skip_to_content(page) != "main":
            faults.append(f"{path}: the skip link leads nowhere")
    assert faults == []


@pytest.mark.parametrize("email", REFUSING)
def test_a_refused_form_puts_the_focus_on_what_is_wrong(
    office: Callable[..., Visit], email: str
) -> None:
    somebody = office(email, "en")
    for path, button in REFUSING[email].items():
        page = somebody.open(named(somebody, path))
        page.locator(button).first.evaluate(EMPTY)
        page.locator(button).first.focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator(".error-summary")).to_be_focused()
        field = str(page.locator(".error-summary a").first.get_attribute("href"))
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(field)).to_be_focused()
    somebody.forgive(400)  # what was sent on purpose


def test_a_user_is_added_by_keyboard_alone(agent: Any) -> None:
    general, clerk = agent("ar"), people.newcomer()
    page = general.open("/my/")
    keyboard.go_to(page, "a[href='/my/users/']")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    keyboard.go_to(page, "main a[href='/my/users/new/']")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for name, typed in {
        "first_name": "منيرة",
        "last_name": "الرشيدي",
        "latin_name": "Munira Alrashidi",
    }.items():
        keyboard.go_to(page, f"[name={name}]")
        page.keyboard.type(typed)
    keyboard.go_to(page, "[name=gender]")
    page.keyboard.press("ArrowDown")
    for name, typed in {
        "civil_id": clerk.civil_id,
        "mobile": clerk.mobile,
        "email": clerk.email,
    }.items():
        keyboard.go_to(page, f"[name={name}]")
        page.keyboard.type(typed)
    for code in ("exam", "letter"):
        keyboard.go_to(page, f"[name=services][value={code}]")
        page.keyboard.press("Space")
    for name, typed in {
        "password": "Given-4-Start!",
        "password_confirm": "Given-4-Start!",
        "captcha": people.CAPTCHA,
    }.items():
        keyboard.go_to(page, f"[name={name}]")
        page.keyboard.type(typed)
    keyboard.go_to(page, "[name=accept_terms]")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # a form is sent from any of its fields
    expect(page.locator("#awaited")).to_contain_text(clerk.email)
    # Taking it back is asked about; Escape leaves all as it was, and the focus where it was.
    keyboard.go_to(page, "#awaited [data-confirm]")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#confirm-dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-confirm]')")
    expect(page.locator("#awaited")).to_contain_text(clerk.email)
