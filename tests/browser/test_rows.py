"""Rows of a form in the browser: added, removed, announced, saved; by keyboard; without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser import people
from tests.browser.looks import faults
from tests.browser.test_bad_luck import RECEIVER, sign_in_here
from tests.browser.test_conditions import begin
from tests.browser.visits import Visit
from tests.support.permit import with_items

GOODS = {**with_items(), "code": "goods_permit", "prefix": "GPX"}
ADDED = {"ar": "تمت إضافة الصنف 2.", "en": "Item 2 was added."}
REMOVED = {"ar": "تمت إزالة الصنف 1.", "en": "Item 1 was removed."}


def ready(visit: Visit) -> Page:
    """Begin a request and wait for the scripts of its form: before them buttons save it."""
    page: Page = begin(visit, GOODS)
    page.wait_for_load_state("networkidle")
    return page


def saved_without_the_first(answer: Response) -> bool:
    """Whether a save of the form as it is after the first row was removed is answered."""
    sent = answer.request.post_data_buffer or b""
    return "autosave" in answer.url and answer.ok and b"items-0-" not in sent


def legends(page: Page) -> list[str]:
    return [" ".join(each.split()) for each in page.locator(".row-card > legend").all_inner_texts()]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.name"))


@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_rows_are_added_and_removed_and_the_focus_stays(agent: Any, lang: str, width: int) -> None:
    visit = agent(lang, width)
    page = ready(visit)
    page.locator("[data-row-add]").focus()
    page.keyboard.press("Enter")
    status = page.locator("[data-rows-status]")
    expect(status).to_have_text(ADDED[lang])
    assert focused(page) == "items-1-goods_name" and len(legends(page)) == 2
    page.keyboard.type("Tea")
    people.fill(page, {"items-0-goods_name": "Rice", "items-0-sort": "other_sort"})
    expect(page.locator("[name=items-0-which]")).to_be_visible()
    expect(page.locator("[name=items-1-which]")).to_be_hidden()
    people.fill(page, {"items-1-packed_on": "03042025", "purpose": "cargo"})
    expect(page.locator("#items-1-packed_on-words")).to_contain_text("2025")  # its script runs too
    expect(page.locator("[name=items-1-driver]")).to_be_visible()
    assert faults(page) == []
    visit.shoot("rows-form")
    for _time in range(2):
        page.locator("[data-row-add]").click()
    expect(page.locator("[data-row-add]")).to_be_hidden()  # four are the most
    page.locator("[data-row-remove]").first.focus()
    with page.expect_response(saved_without_the_first):
        page.keyboard.press("Enter")
    expect(status).to_have_text(REMOVED[lang])
    assert focused(page) == "submit" and [name[-1] for name in legends(page)] == ["1", "2", "3"]
    page.reload()
    assert len(legends(page)) == 1
    expect(page.locator("[name=items-0-goods_name]")).to_have_value("Tea")
    people.press(page, "button[name=submit][value=send]")
    expect(page.locator("#items-error")).to_be_visible()
    assert faults(page) == []
    visit.shoot("rows-refused")


def test_rows_that_were_typed_come_back_after_signing_in_again(office: Any) -> None:
    somebody = office(RECEIVER, "en")
    page = ready(somebody)
    somebody.portal.end_sessions(RECEIVER)
    page.locator("[data-row-add]").click()
    people.fill(page, {"items-0-goods_name": "Rice", "items-1-goods_name": "Tea"})
    people.press(page, "[data-autosave-status] a")
    sign_in_here(somebody)
    expect(page.locator("[name=items-0-goods_name]")).to_have_value("Rice")
    expect(page.locator("[name=items-1-goods_name]")).to_have_value("Tea")
    somebody.forgive(401)


def test_without_scripts_buttons_add_and_remove_rows(agent: Any) -> None:
    page = begin(agent("ar", 390, java_script_enabled=False), GOODS)
    people.fill(page, {"items-0-goods_name": "Rice"})
    people.press(page, "[data-row-add]")
    people.fill(page, {"items-1-goods_name": "Tea"})
    people.press(page, "[data-row-remove] >> nth=0")
    assert len(legends(page)) == 1
    expect(page.locator("[name=items-0-goods_name]")).to_have_value("Tea")
