"""Several brokers at once in a real browser: one table, its columns filled, sent, read by all."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.looks import faults

FILLED = "each => each.map(field => field.value)"


@pytest.mark.parametrize(("lang", "width"), [("ar", 1280), ("en", 390)])
def test_letters_for_several_brokers_are_asked_for_in_one_table(
    agent: Any, lang: str, width: int
) -> None:
    page = agent(lang, width).open("/my/services/letter/several")
    assert faults(page) == []
    boxes = page.locator("input[name=licence]:not(:disabled)")
    for place in range(3):
        boxes.nth(place).check()
    expect(page.locator("[data-choose-count]")).to_contain_text("3")
    people.press(page, "button[value=begin]")
    assert faults(page) == []
    column = page.locator("[data-fills=purpose]")
    column.focus()
    page.keyboard.type("Bank account")
    with page.expect_response("**/autosave"):
        page.keyboard.press("Tab")
    assert set(page.eval_on_selector_all("[data-column=purpose]", FILLED)) == {"Bank account"}
    page.locator("[data-column=mobile]").nth(1).fill("12")
    people.press(page, "#send button[value=send]")
    expect(page.locator("tr.grid-row")).to_have_count(1)
    expect(page.locator("#sent tbody tr")).to_have_count(2)
    assert faults(page) == []
    page.locator(".error-summary a").first.click()
    assert page.evaluate("document.activeElement.dataset.column") == "mobile"
    page.keyboard.press("Control+A")
    page.keyboard.type("50001122")
    people.press(page, "#send button[value=send]")
    expect(page.locator("#sent tbody tr")).to_have_count(3)
    assert faults(page) == []
