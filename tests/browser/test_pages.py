"""Every page in a real browser: no accessibility violation, no overflow, reachable by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from clearance.demo.people import PASSWORD
from tests.browser import people
from tests.browser.visits import Visit

PUBLIC = (
    "/",
    "/login",
    "/register",
    "/reset",
    "/reset/sent",
    "/register/sent",
    "/terms",
    "/support",
    "/guide",
    "/check",
    "/no-such-page",
    "/dev/messages",
)
AGENT = (
    "/my/",
    "/my/services/",
    "/my/services/renewal/",
    "/my/services/issuance/",
    "/my/brokers/",
    "/my/brokers/?search=zzzz",
    "/my/requests/",
    "/my/requests/?search=zzzz",
    "/my/notices/",
    "/my/account/",
    "/my/account/contact/email",
    "/my/account/notices",
    "/my/account/data",
    "/my/account/factor",
    "/my/users/",
    "/my/users/new/",
    "/my/organisation/",
    "/my/invitations/",
    "/my/subscriptions/",
    "/my/subscriptions/letter/leave",
    "/my/transfers/",
    "/my/transfers/receive",
    "/my/issued/",
)
REVIEWER = ("/office/", "/office/requests/", "/office/exams/", "/office/exams/new/")
REGISTER = (
    "/office/licences/",
    "/office/brokers/",
    "/office/organisations/",
    "/office/issued/",
    "/office/subscriptions/",
)
MANAGER = ("/office/", "/office/requests/", "/office/exams/")
LANGUAGES = pytest.mark.parametrize("lang", ["ar", "en"])
WIDTHS = pytest.mark.parametrize("width", [1280, 390])


def look(visit: Visit, paths: list[str]) -> None:
    """Open each page and collect what is wrong with any of them."""
    faults = []
    for path in paths:
        page = visit.open(path)
        faults += [f"{path}: {fault}" for fault in _violations(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > visit.width:
            faults.append(f"{path}: {wide} px wide on a screen of {visit.width}")
    if "/no-such-page" in paths:  # Chromium itself notes the 404 on the console
        visit.errors[:] = [each for each in visit.errors if "404" not in each]
    assert faults == []


def links_in(visit: Visit, path: str) -> list[str]:
    """The pages of the area that are linked from the menu and the content of `path`."""
    page = visit.open(path)
    area = "/" + path.split("/")[1] + "/"
    found: list[str] = page.eval_on_selector_all(
        "a[href]", "all => all.map(each => each.getAttribute('href'))"
    )
    kept = (each.split("#")[0] for each in found if each.startswith(area))
    return sorted({each for each in kept if not _is_file(each)})


@pytest.mark.timeout(240)
@LANGUAGES
@WIDTHS
def test_public_pages(visit: Callable[..., Visit], lang: str, width: int) -> None:
    look(visit(lang, width), list(PUBLIC))


@pytest.mark.timeout(240)
@LANGUAGES
@WIDTHS
def test_pages_of_an_agent(visit: Callable[..., Visit], agent: Any, lang: str, width: int) -> None:
    look(agent(lang, width), [*AGENT, *links_in(agent(lang, width), "/my/requests/")[:24]])


@pytest.mark.timeout(240)
@LANGUAGES
@WIDTHS
@pytest.mark.parametrize(
    ("email", "paths"),
    [
        ("reviewer@example.com", REVIEWER),
        ("reviewer2@example.com", REGISTER),
        ("manager@example.com", MANAGER),
        ("admin@example.com", ("/office/", "/office/account/factor")),
    ],
)
def test_pages_of_the_office(
    office: Callable[..., Visit], email: str, paths: tuple[str, ...], lang: str, width: int
) -> None:
    somebody = office(email, lang, width)
    found = {link for path in paths for link in links_in(somebody, path)}
    look(somebody, sorted({*paths, *found})[:40])


@LANGUAGES
def test_the_form_of_a_request(agent: Any, lang: str) -> None:
    draft = agent(lang, 1280)
    page = draft.open("/my/services/")
    with page.expect_navigation():
        page.locator("#service-exam a.button-primary").click()
    assert _violations(page) == []
    page.locator("#broker_type-private").check()
    people.press(page)
    assert _violations(page) == []
    people.press(page, "button[name=submit][value=send]")
    assert page.locator(".error-summary li").count() > 5
    assert _violations(page) == []


SLOW_ANSWERS = """() => {
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const answer = await ask(...given);
    await new Promise((done) => setTimeout(done, 1500));
    return answer;
  };
}"""


def test_a_form_sent_while_it_saves_itself_is_not_refused_as_stale(agent: Any) -> None:
    page = agent("en", 1280).open("/my/services/exam/")
    page.locator("#broker_type-private").check()
    people.press(page)
    page.evaluate(SLOW_ANSWERS)
    page.locator("main [name=address]").fill("Hawalli")
    with page.expect_response("**/autosave"):  # saved, and the page does not know yet
        page.keyboard.press("Tab")
    people.press(page, "button[name=submit][value=send]")
    assert page.locator(".error-summary li").count() > 5  # the rest of the form is still empty
    assert page.locator("main [name=address]").input_value() == "Hawalli"


def test_every_control_of_signing_in_is_reached_by_the_keyboard_and_shows_it(
    visit: Callable[..., Visit],
) -> None:
    page = visit("en", 1280).open("/login")
    seen: dict[str, bool] = {}
    for _ in range(40):  # once round: the e-mail field has the focus at first
        page.keyboard.press("Tab")
        name, is_marked = page.evaluate(
            "() => { const each = document.activeElement;"
            " const style = getComputedStyle(each);"
            " return [each.name || each.textContent.trim().slice(0, 30),"
            " each === document.body ||"
            " style.outlineStyle !== 'none' || style.boxShadow !== 'none'] }"
        )
        seen[name] = is_marked
    assert {"email", "password"} <= set(seen)
    assert any(name.startswith("Skip") for name in seen)
    assert any(name.startswith("Sign in") for name in seen)
    assert [name for name, is_marked in seen.items() if not is_marked] == []


def test_an_agent_signs_in_and_opens_a_service_by_keyboard_alone(
    visit: Callable[..., Visit],
) -> None:
    page = visit("ar", 1280).open("/login")
    page.locator("[name=email]").focus()
    page.keyboard.type("receiver@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_url("**/my/")
    page.locator("a[href='/my/services/']").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.locator("#service-exam a.button-primary").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("#broker_type-private").is_visible()


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['impact']}) at {[node['target'] for node in each['nodes']][:3]}"
        for each in found
    ]


def _is_file(link: str) -> bool:
    return any(part in link for part in ("/export/", ".csv", "/print", "/file", "/pages/"))
