"""A slow line, a second click, a session that ends in the middle: nothing twice, nothing silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

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


WIDTHS = [("ar", 390), ("en", 1280)]
RECEIVER = "receiver@example.com"


def sign_in_here(visit: Visit) -> None:
    """Sign in on the page that is open."""
    people.fill(visit.page, {"email": RECEIVER, "password": PASSWORD})
    people.press(visit.page)


@pytest.mark.parametrize(("lang", "width"), WIDTHS)
@pytest.mark.parametrize("scripts", [True, False])
def test_what_was_typed_when_the_session_ended_is_sent_after_signing_in(
    office: Callable[..., Visit], lang: str, width: int, scripts: bool
) -> None:
    somebody = office(RECEIVER, lang, width, java_script_enabled=scripts)
    page = somebody.page
    address = begin_exam(somebody)
    page.locator("main [name=address]").fill("Hawalli")
    somebody.portal.end_sessions(RECEIVER)
    people.press(page, "button[name=submit][value=save]")
    somebody.shoot("unsent")
    if scripts:
        people.press(page, "main a.button-primary")
        sign_in_here(somebody)
        page.wait_for_url(f"**{address}")
        expect(page.locator("main form .alert-info").first).to_be_visible()
        people.press(page, "button[name=submit][value=save]")
    else:
        other = somebody.context.new_page()
        other.goto(f"{somebody.portal.url}/login")
        other.fill("[name=email]", RECEIVER)
        other.fill("[name=password]", PASSWORD)
        other.press("[name=password]", "Enter")
        other.wait_for_url("**/my/")
        people.press(page, "form[data-unsent] button.button")
        people.press(page, "form[data-unsent] button.button-primary")
    page.goto(f"{somebody.portal.url}{address}")
    expect(page.locator("main [name=address]")).to_have_value("Hawalli")
    somebody.forgive(401)
    somebody.forgive(409)


@pytest.mark.parametrize(("lang", "width"), WIDTHS)
def test_a_draft_goes_on_saving_itself_after_signing_in_in_another_tab(
    office: Callable[..., Visit], lang: str, width: int
) -> None:
    somebody = office(RECEIVER, lang, width)
    page = somebody.page
    begin_exam(somebody)
    other = somebody.context.new_page()
    other.goto(f"{somebody.portal.url}/my/")
    other.evaluate("document.querySelector('form[action=\"/logout\"]').submit()")
    other.wait_for_url("**/login")
    page.bring_to_front()
    with page.expect_response("**/autosave") as refused:
        page.locator("main [name=address]").fill("Hawalli")
        page.keyboard.press("Tab")
    assert refused.value.status == 401
    expect(page.locator("[data-autosave-status] a")).to_be_visible()
    somebody.shoot("signed-out")
    other.fill("[name=email]", RECEIVER)
    other.fill("[name=password]", PASSWORD)
    other.press("[name=password]", "Enter")
    other.wait_for_url("**/my/")
    other.close()
    with page.expect_response(lambda answer: "autosave" in answer.url and answer.ok):
        page.locator("main [name=address]").fill("Hawalli, block 4")
        page.keyboard.press("Tab")
    expect(page.locator("[data-autosave-status] a")).to_be_hidden()
    expect(page.locator("[data-autosave-status].is-failed")).to_have_count(0)
    somebody.forgive(400)
    somebody.forgive(401)


def test_what_was_typed_and_chosen_before_the_scripts_came_is_saved_and_offered(
    office: Callable[..., Visit],
) -> None:
    somebody = office(RECEIVER, "en")
    page, address = somebody.page, begin_exam(somebody)
    held: list[Route] = []
    page.route("**/static/js/**", lambda route: held.append(route))
    page.goto(f"{somebody.portal.url}{address}", wait_until="commit")
    page.locator("main [name=address]").fill("Hawalli, block 7")
    page.locator("#upload-files").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": people.picture("a")}
    )
    with page.expect_response("**/autosave") as saved:
        page.unroute("**/static/js/**")
        for route in held:
            route.continue_()
    assert b"block 7" in (saved.value.request.post_data_buffer or b"")
    expect(page.locator("[data-upload-list] li")).to_have_count(1)


def test_a_session_that_ended_while_a_user_was_added_adds_nobody_twice(
    office: Callable[..., Visit],
) -> None:
    somebody = office(RECEIVER, "en")
    page, before = somebody.page, somebody.portal.count(INVITATIONS)
    newcomer = people.newcomer()
    write_new(somebody, newcomer, ["exam"])
    somebody.portal.end_sessions(RECEIVER)
    people.press(page)
    people.press(page, "main a.button-primary")
    sign_in_here(somebody)
    page.wait_for_url("**/my/users/new/")
    expect(page.locator("[name=email]")).to_have_value(newcomer.email)
    somebody.forgive(401)
    assert somebody.portal.count(INVITATIONS) == before
