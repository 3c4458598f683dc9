"""The builder of services with scripts: saved as one types, preview, search, moved and dragged."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.looks import faults
from tests.browser.visits import Portal, Visit
from tests.support.permit import permit

ADMIN = "admin@example.com"
STATUS = "[data-autosave-status=part-form]"
_numbers = count(1)


@pytest.fixture
def builder(office: Callable[..., Visit]) -> Callable[..., tuple[Visit, str]]:
    """Open a browser of the administrator; gives it with the address of a draft of its own."""

    def begin(lang: str = "en", width: int = 1280, fields: int = 0) -> tuple[Visit, str]:
        visit = office(ADMIN, lang, width)
        return visit, f"/office/services/{publish(visit.portal, fields)}/draft"

    return begin


def opened(visit: Visit, path: str) -> Page:
    """Open a page and wait for its scripts, which are fetched one by one: they hear the typing."""
    page = visit.open(path)
    page.wait_for_load_state("networkidle")
    return page


def publish(portal: Portal, fields: int) -> str:
    """Store an archived service, so that it is in no applicant's way; returns its code.

    fields: how many it has besides the permit's.
    """
    number = next(_numbers)
    code = f"built_{number}"
    more = [
        {"name": f"more_{each}", "type": "text", "label": labels(each)}
        for each in range(1, fields + 1)
    ]
    definition = permit(code=code, prefix=f"B{chr(64 + number)}")
    definition["fields"] = [*definition["fields"], *more]
    portal.rows(
        "INSERT INTO service (code, prefix, position, is_active) VALUES (?, ?, ?, 0)",
        *(code, definition["prefix"], 200 + number),
    )
    portal.rows(
        "INSERT INTO service_version (service_code, number, definition, published_at)"
        " VALUES (?, 1, ?, '2026-01-01 00:00:00')",
        *(code, json.dumps(definition)),
    )
    return code


def labels(number: int) -> dict[str, str]:
    return {"ar": f"سؤال {number}", "en": f"Item {number}"}


def fields_of(portal: Portal, draft: str) -> list[dict[str, Any]]:
    """The fields of a draft as the database has them."""
    code = draft.split("/")[3]
    ((document,),) = portal.rows("SELECT document FROM service_draft WHERE code = ?", code)
    fields: list[dict[str, Any]] = json.loads(document)["fields"]
    return fields


def preview(page: Page) -> FrameLocator:
    return page.frame_locator(".preview-frame")


def saved(page: Page) -> None:
    expect(page.locator(STATUS)).to_contain_text("Last saved on")


def test_what_is_typed_is_saved_and_the_preview_follows(builder: Any) -> None:
    visit, draft = builder()
    page = opened(visit, f"{draft}/form/fields/port/")
    expect(preview(page).locator(".is-chosen")).to_contain_text("Port")
    page.locator("#label_en").fill("Harbour of arrival")
    saved(page)
    expect(preview(page).locator(".is-chosen")).to_contain_text("Harbour of arrival")
    expect(page.locator("#draft-state")).to_contain_text("Draft")
    page.locator("a[data-lang=ar][data-width=full]").click()
    expect(preview(page).locator("#preview")).to_contain_text("عدد الزوار")
    visit.shoot("builder-field")
    # A press on a field of the preview opens it, after what was typed is saved.
    page.locator("[name=hint_en]").fill("As on the ticket")
    preview(page).locator("[name=preview-visitors]").click()
    page.wait_for_url("**/fields/visitors/")
    port = next(each for each in fields_of(visit.portal, draft) if each["name"] == "port")
    assert port["label"]["en"] == "Harbour of arrival"
    assert port["hint"] == {"en": "As on the ticket"}
    with page.expect_navigation():
        page.locator("#draft-tools form[action$='/undo'] button").click()


def test_another_form_of_the_page_waits_for_what_is_being_saved(builder: Any) -> None:
    visit, draft = builder()
    page = opened(visit, f"{draft}/form/fields/port/")
    page.locator("details:has(#add-fields) > summary").click()
    page.locator("#fields-ar").fill("الرصيف")
    page.locator("#fields-en").fill("Quay")
    page.locator("#label_en").fill("Harbour")
    page.locator("#add-fields .form-actions button").click()
    page.wait_for_url("**/fields/quay/**")
    labels = [each["label"]["en"] for each in fields_of(visit.portal, draft) if "label" in each]
    assert "Harbour" in labels and labels[-1] == "Quay"
    expect(page.locator("#label_ar")).to_have_value("الرصيف")
    page.keyboard.press("Tab")  # goes on where the new field begins, not at the top of the page
    assert page.evaluate("Boolean(document.activeElement.closest('#draft-part'))")


def test_who_saves_an_older_copy_sees_both_values(builder: Any, office: Any) -> None:
    visit, draft = builder()
    page = opened(visit, f"{draft}/form/fields/port/")
    other = office(ADMIN, "en")
    second = other.open(f"{draft}/form/fields/port/")
    page.locator("#label_en").fill("Harbour")
    saved(page)
    second.locator("#label_en").fill("Quay")
    expect(second.locator(STATUS)).to_contain_text("Compare both values")
    with second.expect_navigation():
        second.locator("#part-form .form-actions button").click()
    expect(second.locator("#differences tbody")).to_contain_text("الميناء · Harbour")
    expect(second.locator("#differences tbody")).to_contain_text("الميناء · Quay")
    assert faults(second) == []
    expect(second.locator("#label_en")).to_have_value("Quay")
    other.forgive(409)


def test_a_session_that_ends_and_a_lost_connection_lose_nothing(builder: Any) -> None:
    visit, draft = builder()
    page = opened(visit, f"{draft}/form/fields/port/")
    visit.context.set_offline(True)
    page.locator("#label_en").fill("Harbour")
    expect(page.locator(STATUS)).to_contain_text("no connection")
    visit.context.set_offline(False)
    page.locator("[name=hint_en]").fill("As on the ticket")
    saved(page)
    visit.portal.end_sessions(ADMIN)
    page.locator("#label_en").fill("Harbour of arrival")
    expect(page.locator(f"{STATUS} a")).to_be_visible()
    visit.enter(ADMIN)
    page = opened(visit, f"{draft}/form/fields/port/")
    expect(page.locator("#label_en")).to_have_value("Harbour of arrival")
    visit.errors[:] = [each for each in visit.errors if "401" not in each and "ERR_" not in each]


@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_a_field_is_moved_by_keys_and_keeps_the_focus(builder: Any, lang: str, width: int) -> None:
    visit, draft = builder(lang, width)
    page = opened(visit, f"{draft}/form/")
    row = page.locator("[id='fields-port']")
    row.locator("summary").press("Enter")
    row.locator("button[value=down]").press("Enter")
    told = page.locator("body > [role=status]:not([id])")
    expect(told).to_contain_text("2.3")
    names = [each["name"] for each in fields_of(visit.portal, draft)]
    assert names[2:5] == ["purpose", "other_port", "port"]
    expect(row.locator("button[value=down]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(told).to_contain_text("2.4")


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_field_is_dragged_to_another_section(builder: Any, lang: str) -> None:
    visit, draft = builder(lang)
    page = opened(visit, f"{draft}/form/")
    drag(page, page.locator("[id='fields-visitors']"), page.locator("[id='fields-value']"))
    expect(page.locator("body > [role=status]:not([id])")).to_contain_text("3.2")
    visitors = next(each for each in fields_of(visit.portal, draft) if each["name"] == "visitors")
    assert visitors["section"] == "cargo"
    expect(page.locator("[id='fields-visitors'] summary")).to_be_focused()
    page = opened(visit, "/office/services/")
    rows = page.locator("#services-list tbody tr")
    second = rows.nth(1).locator("td").first.inner_text()
    drag(page, rows.nth(1), rows.first)
    expect(rows.first.locator("td").first).to_have_text(second, use_inner_text=True)
    expect(page.locator("body > [role=status]:not([id])")).to_contain_text("1")


def test_a_field_is_dragged_by_a_finger(office: Any) -> None:
    visit = office(ADMIN, "ar", 390, has_touch=True)
    draft = f"/office/services/{publish(visit.portal, 0)}/draft"
    page = opened(visit, f"{draft}/form/")
    row, over = page.locator("[id='fields-ends_on']"), page.locator("[id='fields-port']")
    page.locator("[data-drag]:visible").first.wait_for()
    over.scroll_into_view_if_needed()
    start, end = row.locator("[data-drag]").bounding_box(), over.bounding_box()
    assert start and end
    finger = visit.context.new_cdp_session(page)

    def touch(kind: str, *points: float) -> None:
        at = [{"x": start["x"] + 10, "y": y} for y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", start["y"] + 10)
    for part in range(1, 6):
        touch("touchMove", start["y"] + 10 + (end["y"] + 4 - start["y"] - 10) * part / 5)
    touch("touchEnd")
    expect(page.locator("body > [role=status]:not([id])")).to_contain_text("2.2")
    assert [each["name"] for each in fields_of(visit.portal, draft)][3:5] == ["ends_on", "port"]


def test_a_move_on_an_older_page_is_refused_in_sight(builder: Any, office: Any) -> None:
    visit, draft = builder()
    page = opened(visit, f"{draft}/form/")
    other = office(ADMIN, "en").open(f"{draft}/form/")
    for each in (page, other):
        row = each.locator("[id='fields-port']")
        row.locator("summary").click()
        assert faults(each) == []
        row.locator("button[value=down]").click()
        expect(each.locator("body > [role=status]:not([id])")).not_to_be_empty()
    expect(other.locator("#main > .flashes")).to_contain_text("changed this draft")
    assert [each["name"] for each in fields_of(visit.portal, draft)][4] == "port"


def test_without_scripts_everything_has_a_button(office: Any) -> None:
    visit = office(ADMIN, "en", 390, java_script_enabled=False)
    draft = f"/office/services/{publish(visit.portal, 0)}/draft"
    page = visit.open(f"{draft}/form/")
    expect(preview(page).locator("#preview")).to_contain_text("Number of visitors")
    expect(page.locator("[data-drag]:visible, [data-filter]:visible")).to_have_count(0)
    row = page.locator("[id='fields-port']")
    row.locator("summary").click()
    with page.expect_navigation():
        row.locator("button[value=down]").click()
    expect(page.locator(".flashes")).to_contain_text("“Port” is number 2.3 now.")
    visit.open(f"{draft}/form/fields/port/")
    page.locator("#label_en").fill("Harbour")
    with page.expect_navigation():
        page.locator("#part-form .form-actions button").click()
    expect(preview(page).locator("#preview")).to_contain_text("Harbour")
    with page.expect_navigation():
        page.locator("a[data-lang=ar][data-width=full]").click()
    expect(preview(page).locator("#preview")).to_contain_text("الميناء")


def drag(page: Page, row: Locator, over: Locator) -> None:
    """Take a row by its handle, and let it go over another."""
    row.scroll_into_view_if_needed()
    start, end = row.locator("[data-drag]").bounding_box(), over.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, (start["y"] + end["y"]) / 2, steps=6)
    page.mouse.move(start["x"] + 10, end["y"] + 4, steps=6)
    page.mouse.up()


def test_an_overtaken_draft_is_brought_up_to_date_by_keyboard(builder: Any) -> None:
    visit, draft = builder("ar", 390)
    page = opened(visit, f"{draft}/form/fields/port/")
    page.locator("#label_en").fill("Harbour")
    expect(page.locator(STATUS)).to_contain_text("آخر حفظ")
    code = draft.split("/")[3]
    of_service = "FROM service_version WHERE service_code = ?"
    ((stored,),) = visit.portal.rows(f"SELECT definition {of_service}", code)
    definition = stored.replace('"en": "Port"', '"en": "Pier"')
    visit.portal.rows(
        "INSERT INTO service_version (service_code, number, definition, published_at)"
        " VALUES (?, 2, ?, '2026-01-02 00:00:00')",
        *(code, definition),
    )
    page = opened(visit, f"{draft}/form/")
    page.locator(".alert-warning a").press("Enter")
    page.wait_for_url("**/draft/update/")
    assert faults(page) == []
    visit.shoot("builder-update")
    page.locator("#counts_0 input").first.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert faults(page) == []
    port = next(each for each in fields_of(visit.portal, draft) if each["name"] == "port")
    assert port["label"]["en"] == "Pier"


@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_a_long_form_is_searched(builder: Any, lang: str, width: int) -> None:
    visit, draft = builder(lang, width, fields=100)
    page = opened(visit, f"{draft}/form/")
    box = page.locator("#list-fields-search")
    box.fill("item 57")  # in either language, whatever the page's is
    rows = page.locator("#list-fields li:visible")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text({"ar": "سؤال 57", "en": "Item 57"}[lang])
    expect(page.locator("[data-filter=list-fields] [role=status]")).to_contain_text("112")
    assert faults(page) == []
    visit.shoot("builder-search")
    box.fill("")
    expect(page.locator("#list-fields li:visible")).to_have_count(112)
    visit.shoot("builder-form")
    rows.first.locator("a").first.click()
    page.wait_for_url("**/fields/**")
    page.locator("details.outline summary").click()
    assert faults(page) == []
    visit.shoot("builder-outline")


def test_the_tab_of_the_page_is_in_sight_on_a_phone(builder: Any) -> None:
    visit, draft = builder("ar", 390)
    for part in ("basics", "review", "preview"):
        page = opened(visit, f"{draft}/{part}/")
        expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)
