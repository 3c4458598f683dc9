"""Every page in a real browser: no accessibility violation, no overflow, reachable by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from clearance.demo.people import PASSWORD
from tests.browser import crawl, people
from tests.browser.looks import (
    DESK,
    PHONE,
    TABLET,
    contrast,
    faults_at,
    pale_words,
    violations,
)
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
    "/my/services/exam/",
    "/my/services/issuance/",
    "/my/services/renewal/",
    "/my/brokers/",
    "/my/brokers/?search=zzzz",
    "/my/requests/?search=zzzz",
    "/my/requests/?sort=2",
    "/my/requests/drafts/",
    "/my/brokers/?flt0_show=due",
    "/my/subscriptions/letter/leave",
    "/my/users/2/",
    "/my/transfers/receive",
    "/my/invitations/",
    "/my/search?q=a+1",
    "/my/search?q=Mohammed",
)
REVIEWER = (
    "/office/",
    "/office/exams/new/",
    "/office/requests/?flt0_queue=late",
    "/office/licences/",
    "/office/licences/?search=zzzz",
)
MANAGER = (
    *("/office/search?q=Mohammed", "/office/", "/office/requests/", "/office/exams/"),
    "/office/dashboard/?period=year",
)
ADMINISTRATOR = (
    *("/office/", "/guide/services", "/office/account/factor", "/office/staff/invite"),
    "/office/nationalities/edit/?id=XX",
)
# What a manager shares with a reviewer or only reads where an administrator writes.
SHARED = ("/office/account/", "/office/licences/", "/office/brokers/", "/office/issued/")
# Where a walk ends depends on who has the draft.
BUILDER = "/office/services/"
LANGUAGES = pytest.mark.parametrize("lang", ["ar", "en"])


def look(visit: Visit, opened: Iterable[str]) -> None:
    """See what is wrong with each page that is opened, on a desk and, without loading, a phone.

    axe judges each page twice: as an agent's phone has it in Arabic, and as a desk in English.
    """
    widths, faults, count = [DESK, TABLET, PHONE], [], 0
    judged, known = [PHONE if visit.lang == "ar" else DESK], set[str]()
    for path in opened:
        faults += [f"{path}: {each}" for each in faults_at(visit.page, widths, judged, known)]
        if visit.lang == "en":  # colours know no language
            faults += [f"{path}: {word}" for word in pale_words(visit.page, "screen", known)]
            if "/details/" in path:
                faults += [f"{path}: {word}" for word in pale_words(visit.page, "print", known)]
        widths.reverse()  # the next page begins as this one ended
        count += 1
    assert faults == []
    assert count >= 12


PALE = """<!doctype html><html lang="en"><title>Words</title><style>
  main { background: white; color: black } .soft { color: silver } td + td { color: lightgray }
  .dark { background: #444 } @media (prefers-color-scheme: dark) { b { color: whitesmoke } }
</style><main><h1>Words</h1><p>Clear</p><p>Clear, too</p><p class="soft">Pale</p>
<p class="soft">As pale</p><table><tr><td>Clear</td><td>Pale</td></tr></table>
<p class="dark">Pale on this</p><b>Pale in the dark</b></main></html>"""


def test_a_walk_judges_the_contrast_of_each_kind_of_words_once(visit: Callable[..., Visit]) -> None:
    page, known = visit("en").page, set[str]()
    page.set_content(PALE)
    (found,) = contrast(page, known)
    assert [word in found for word in (".soft", "td:nth-child(2)", ".dark")] == [True] * 3
    assert contrast(page, known) == []
    assert pale_words(page, "screen", known) == ["dark, screen: color-contrast (serious) at ['b']"]
    assert violations(page, known) == []


@pytest.mark.timeout(480)
@LANGUAGES
def test_public_pages(visit: Callable[..., Visit], lang: str) -> None:
    somebody = visit(lang)
    look(somebody, (path for path in PUBLIC if somebody.open(path)))
    somebody.forgive(404)  # of the page that is not there


@pytest.mark.timeout(480)
@LANGUAGES
def test_pages_of_an_agent(agent: Any, lang: str) -> None:
    somebody = agent(lang)
    states = crawl.states_in(somebody, "/my/requests/?page_size=100", "/my/requests/details/")
    assert len(states) > 10
    look(somebody, crawl.pages_from(somebody, [*AGENT, *states]))


@pytest.mark.timeout(480)
@LANGUAGES
def test_pages_of_a_reviewer(office: Callable[..., Visit], lang: str) -> None:
    somebody = office("reviewer@example.com", lang)
    everything = "/office/requests/?page_size=100"
    states = crawl.states_in(somebody, everything, "/office/requests/details/")
    assert len(states) > 10
    look(somebody, crawl.pages_from(somebody, [*REVIEWER, *states]))


@pytest.mark.timeout(480)
@LANGUAGES
@pytest.mark.parametrize(
    ("email", "starts", "other", "whole"),
    [
        ("manager@example.com", MANAGER, "admin@example.com", "ar"),
        ("admin@example.com", ADMINISTRATOR, "manager@example.com", "en"),
    ],
)
def test_pages_of_who_keeps_the_office(
    office: Callable[..., Visit],
    email: str,
    starts: tuple[str, ...],
    other: str,
    whole: str,
    lang: str,
) -> None:
    """Each looks at all pages in one language, and in the second at those the other has not."""
    somebody, beside = office(email, lang), office(other, lang)

    def skim(path: str) -> bool:
        return lang != whole and not path.startswith(BUILDER) and beside.ask(path).ok

    look(somebody, crawl.pages_from(somebody, starts, lambda kind: kind.startswith(SHARED), skim))


@LANGUAGES
def test_the_form_of_a_request(agent: Any, lang: str) -> None:
    draft = agent(lang, 1280)
    page = draft.open("/my/services/")
    with page.expect_navigation():
        page.locator("#service-exam a.button-primary").click()
    assert violations(page) == []
    page.locator("#broker_type-private").check()
    people.press(page)
    assert violations(page) == []
    people.press(page, "button[name=submit][value=send]")
    assert page.locator(".error-summary li").count() >= 5
    assert violations(page) == []


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
    assert page.locator(".error-summary li").count() >= 5  # the rest of the form is still empty
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
