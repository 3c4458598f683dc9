"""Single keys in lists, in real browsers: by their place, off in fields, and switched off."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.visits import Visit

LIST = "/office/requests/"
ARABIC_J, ARABIC_K, ARABIC_X = "ت", "ن", "ء"
PRESS = """([code, key, shift]) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", {code, key, shiftKey: shift, bubbles: true, cancelable: true}))"""


def listed(there: Visit) -> Page:
    """Open the list and wait for its scripts."""
    page = there.open(LIST)
    page.wait_for_load_state("networkidle")
    return page


def press(page: Page, code: str, key: str, *, shift: bool = False) -> None:
    """Press the key at that place, on a keyboard that writes `key` there."""
    page.evaluate(PRESS, [code, key, shift])


def test_keys_move_choose_and_open_on_an_arabic_keyboard(visit: Callable[..., Visit]) -> None:
    there = visit("ar", 1280)
    there.enter("reviewer@example.com")
    page = listed(there)
    rows = page.locator("main tbody tr")
    press(page, "KeyJ", ARABIC_J)
    expect(rows.nth(0)).to_be_focused()
    press(page, "KeyJ", ARABIC_J)
    press(page, "KeyJ", ARABIC_J)
    press(page, "KeyK", ARABIC_K)
    expect(rows.nth(1)).to_be_focused()
    press(page, "KeyX", ARABIC_X)
    expect(rows.nth(1).locator("[name=rowid]")).to_be_checked()
    expect(page.locator("#keys-said")).to_have_text("تم اختيار السجل")
    there.shoot("keys-row")
    address = rows.nth(1).locator("a").first.get_attribute("href")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert there.path == address


def test_keys_search_help_and_stay_out_of_fields(visit: Callable[..., Visit]) -> None:
    there = visit("en", 1280)
    there.enter("reviewer@example.com")
    page = listed(there)
    press(page, "Slash", "?", shift=True)
    expect(page.locator("#keys-dialog")).to_be_visible()
    press(page, "KeyJ", "j")
    there.shoot("keys-help")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#site-search")).to_be_focused()
    page.keyboard.type("j/k?x")
    expect(page.locator("#site-search")).to_have_value("j/k?x")
    expect(page.locator("#keys-dialog")).not_to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("Control+j")
    assert page.locator("tr[data-current]").count() == 0


def test_keys_can_be_switched_off(visit: Callable[..., Visit]) -> None:
    there = visit("en", 1280)
    there.enter("reviewer2@example.com")
    page = there.open("/office/account/")
    page.locator("[name=uses_keys]").uncheck()
    with page.expect_navigation():
        page.locator("#keys-form .button").click()
    expect(page.locator("[name=uses_keys]")).not_to_be_checked()
    page = listed(there)
    page.keyboard.press("j")
    assert page.locator("tr[data-current]").count() == 0
    assert page.locator("#keys-dialog").count() == 0


def test_the_search_works_without_scripts(office: Callable[..., Visit]) -> None:
    there = office("manager@example.com", "ar", 1280, java_script_enabled=False)
    page = there.open("/office/")
    page.locator("#site-search").fill("احمد")
    with page.expect_navigation():
        page.locator("#site-search").press("Enter")
    assert page.locator(".hits li").count() >= 2
