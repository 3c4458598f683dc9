"""Users, subscriptions and the account where scripts are switched off: all jobs can be done."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from clearance.demo.people import PASSWORD
from tests.browser import crawl, people
from tests.browser.test_users import add
from tests.browser.visits import Portal, Visit

ADDITIONAL = "additional@example.com"
OWN = "Sidra-9-Marjan?"
# Buttons that nobody answers, and fields that only a script would show.
DEAD = """() => [
  ...[...document.querySelectorAll("button, [role=button], a[href='#'], a:not([href])")].filter(
    (each) => each.checkVisibility() && !each.closest("dialog")
      && !(each.localName === "a" && each.hash && document.querySelector(each.hash))
      && !(each.form && each.type === "submit")),
  ...[...document.querySelectorAll("[hidden] :is(input, select, textarea)")].filter(
    (each) => each.type !== "hidden"),
].map((each) => each.outerHTML.slice(0, 120))"""
AGENT = ("/my/", "/my/users/new/", "/my/subscriptions/letter/leave", "/my/invitations/")
ELSEWHERE = ("/my/requests/#", "/my/brokers/", "/my/transfers/", "/my/services/")


def test_no_button_is_dead_and_nothing_waits_for_a_script(
    agent: Any, office: Callable[..., Visit]
) -> None:
    general = agent("ar", 390, java_script_enabled=False)
    keeper = office("admin@example.com", "en", 390, java_script_enabled=False)
    faults = []
    for path in crawl.pages_from(general, AGENT, lambda kind: kind.startswith(ELSEWHERE)):
        faults += [f"{path}: {each}" for each in general.page.evaluate(DEAD)]
    for path in crawl.pages_from(keeper, ["/office/", "/office/staff/invite"]):
        faults += [f"{path}: {each}" for each in keeper.page.evaluate(DEAD)]
    assert faults == []
    page = general.open("/my/")
    link = page.locator("#menu a[href='/my/organisation/']")
    expect(link).to_be_hidden()
    page.locator("a[href='#menu']").click()
    with page.expect_navigation():
        link.click()
    expect(page.locator("#organisation-form")).to_be_visible()


def test_a_user_is_added_and_services_are_chosen_over_pages(agent: Any) -> None:
    general, clerk = agent("en", java_script_enabled=False), people.newcomer()
    add(general, clerk, ["exam", "letter"])
    portal = general.portal
    with many_services(portal) as (member, kept, dropped):
        page = general.open(f"/my/users/{member}/")
        page.locator("[name=services][value=letter]").check()
        people.press(page, "button[name=_change][value='services:1']")
        page.locator(f"[name=services][value={dropped}]").uncheck()
        people.press(page, "button[name=_change][value='services:0']")
        expect(page.locator("[name=services][value=letter]")).to_be_checked()
        page.locator("[name=services][value=renewal]").uncheck()
        page.locator("[name=services_search]").fill("exam")
        page.keyboard.press("Enter")
        expect(page.locator("[name=services][type=checkbox]")).to_have_count(1)
        people.press(page, "button[name=_save]")
        assert granted(portal, member) == {"exam", "letter", *kept}


def test_a_user_is_disabled_and_somebody_takes_over(agent: Any) -> None:
    general = agent("ar", java_script_enabled=False)
    portal = general.portal
    ((member, user),) = portal.rows(
        "SELECT m.id, u.id FROM membership m JOIN user u ON u.id = m.user_id WHERE u.email = ?",
        ADDITIONAL,
    )
    page = general.open(f"/my/users/{member}/")
    page.locator("[name=is_active]").uncheck()
    people.press(page, "button[name=_save]")
    expect(page.locator("[name=hand_over_to]")).to_be_visible()  # it says who has to be chosen
    page.locator("[name=hand_over_to]").select_option(index=1)
    people.press(page, "button[name=_save]")
    assert portal.count("SELECT is_active FROM membership WHERE id = ?", member) == 0
    handed = "SELECT count(*) FROM request WHERE created_by_id = ? AND handed_to_id IS NOT NULL"
    assert portal.count(handed, user) > 0
    page = general.open(f"/my/users/{member}/")
    page.locator("[name=is_active]").check()
    people.press(page, "button[name=_save]")
    assert portal.count("SELECT is_active FROM membership WHERE id = ?", member) == 1
    general.forgive(409)


def test_a_service_is_left_and_subscribed_to_again(office: Callable[..., Visit]) -> None:
    general = office("receiver@example.com", "ar", java_script_enabled=False)
    page = general.open("/my/subscriptions/")
    leave = page.locator("main a[href$='/leave']").first
    code = str(leave.get_attribute("href")).split("/")[3]
    state = "SELECT status FROM subscription WHERE organisation_id = 2 AND service_code = ?"
    with page.expect_navigation():
        leave.click()
    people.press(page, "main .button-danger")
    assert general.portal.rows(state, code) == [("left",)]
    people.press(page, f"#service-{code} .card-foot button")
    assert general.portal.rows(state, code) == [("active",)]


@pytest.mark.timeout(180)
def test_ones_own_account_is_kept(office: Callable[..., Visit]) -> None:
    somebody = office(ADDITIONAL, "en", 390, java_script_enabled=False)
    portal, page = somebody.portal, somebody.page
    somebody.open("/my/account/contact/mobile")
    people.fill(page, {"address": "+96555998877", "current_password": PASSWORD})
    people.press(page)
    people.fill(page, {"code": people.arrived(lambda: portal.sms.code_for("+96555998877"))})
    people.press(page)
    expect(page.locator("#contact")).to_contain_text("+96555998877")

    somebody.open("/my/account/notices")
    box = page.locator("[name=wanted]").first
    box.uncheck()
    people.press(page)
    somebody.open("/my/account/notices")
    expect(box).not_to_be_checked()

    somebody.open("/my/account/data")
    people.fill(page, {"current_password": PASSWORD})
    people.press(page)
    expect(page.locator("#copy, .alert").first).to_be_visible()
    asked = "SELECT count(*) FROM data_copy d JOIN user u ON u.id = d.user_id WHERE u.email = ?"
    assert portal.count(asked, ADDITIONAL) == 1

    portal.open_session(ADDITIONAL, secrets.token_urlsafe(32), datetime.now(UTC))
    somebody.open("/my/account/")
    before = page.locator(".sessions li").count()
    people.press(page, ".sessions form button")
    expect(page.locator(".sessions li")).to_have_count(before - 1)

    people.fill(page, {"current_password": PASSWORD, "new_password": OWN})
    people.fill(page, {"new_password_confirm": OWN})
    people.press(page, "#password-form .button-primary")
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator(".sessions li")).to_have_count(1)
    people.fill(page, {"current_password": OWN, "new_password": PASSWORD})
    people.fill(page, {"new_password_confirm": PASSWORD})
    people.press(page, "#password-form .button-primary")
    expect(page.locator(".alert-success")).to_be_visible()


@contextmanager
def many_services(portal: Portal) -> Iterator[tuple[int, set[str], str]]:
    """Let somebody hold services that the office offers no more, so that the table has two pages.

    Gives the membership, the services held on the second page but one, and that one.
    """
    find = "SELECT m.id FROM membership m JOIN user u ON u.id = m.user_id WHERE u.email = ?"
    member = portal.count(find, ADDITIONAL)
    codes = [f"former{number}" for number in range(4)]
    before = granted(portal, member)
    for code in codes:
        portal.rows(
            "INSERT INTO service (code, prefix, position, is_active) VALUES (?, ?, 99, 0)",
            *(code, code.upper()),
        )
        portal.rows("INSERT INTO membership_grant VALUES (?, ?)", member, code)
    try:
        yield member, set(codes[:-1]), codes[-1]
    finally:
        portal.rows("DELETE FROM membership_grant WHERE membership_id = ?", member)
        for code in before:
            portal.rows("INSERT INTO membership_grant VALUES (?, ?)", member, code)
        for code in codes:
            portal.rows("DELETE FROM service WHERE code = ?", code)


def granted(portal: Portal, member: int) -> set[str]:
    """The services that a membership holds."""
    found = portal.rows("SELECT service_code FROM membership_grant WHERE membership_id = ?", member)
    return {code for (code,) in found}
