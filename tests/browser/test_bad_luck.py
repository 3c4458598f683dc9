"""A slow line, a second click, a session that ends in the middle: nothing twice, nothing silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from clearance.demo.people import PASSWORD
from tests.browser import people
from tests.browser.test_users import begin_exam, write_new
from tests.browser.visits import Visit

SLOW_LINE = {
    "offline": False,
    "latency": 300,
    "downloadThroughput": 50_000,
    "uploadThroughput": 20_000,
}
INVITATIONS = "SELECT count(*) FROM invitation"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_second_click_on_a_slow_line_makes_nothing_twice(
    agent: Any, office: Callable[..., Visit], scripts: bool
) -> None:
    general = agent("en", java_script_enabled=scripts)
    keeper = office("admin@example.com", "ar", java_script_enabled=scripts)
    portal, before = general.portal, general.portal.count(INVITATIONS)
    write_new(general, people.newcomer(), ["exam"])
    send_twice(general, "#awaited")
    assert portal.count(INVITATIONS) - before == 1
    page = keeper.open("/office/staff/invite")
    people.fill(page, {"email": people.newcomer().email, "role": "reviewer"})
    send_twice(keeper, "#invitations")
    assert portal.count(INVITATIONS) - before == 2


def send_twice(visit: Visit, outcome: str) -> None:
    """Click the primary button twice where every answer takes its time; wait for what follows."""
    line = visit.context.new_cdp_session(visit.page)
    line.send("Network.emulateNetworkConditions", SLOW_LINE)
    visit.page.locator(people.PRIMARY).last.dblclick(no_wait_after=True)
    expect(visit.page.locator(outcome)).to_be_visible()
    line.detach()


@pytest.mark.parametrize(("lang", "told"), [("ar", "انتهت جلستك"), ("en", "did not receive")])
def test_a_session_that_ends_in_the_middle_of_a_form_is_told_of(
    office: Callable[..., Visit], lang: str, told: str
) -> None:
    somebody = office("receiver@example.com", lang)
    page, start = somebody.page, "/my/users/new/"
    write_new(somebody, people.newcomer(), ["exam"])
    before = somebody.portal.count(INVITATIONS)
    somebody.portal.end_sessions("receiver@example.com")
    people.press(page)
    expect(page.locator(".flashes .alert-warning")).to_contain_text(told)
    people.fill(page, {"email": "receiver@example.com", "password": PASSWORD})
    people.press(page)
    page.wait_for_url(f"**{start}")
    assert somebody.portal.count(INVITATIONS) == before

    address = begin_exam(somebody)
    page.locator("main [name=address]").fill("Hawalli")
    with page.expect_response("**/autosave"):
        page.keyboard.press("Tab")
    somebody.portal.end_sessions("receiver@example.com")
    people.press(page, "button[name=submit][value=send]")
    people.fill(page, {"email": "receiver@example.com", "password": PASSWORD})
    people.press(page)
    page.wait_for_url(f"**{address}")
    expect(page.locator("main [name=address]")).to_have_value("Hawalli")
