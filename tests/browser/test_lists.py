"""Lists hold a day's work: rows on a screen, whole texts, filters in place, views, by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import faults_at, violations
from tests.browser.visits import Visit

LISTS = ("/office/requests/", "/office/licences/", "/office/issued/", "/office/users/")
ROWS = """() => [...document.querySelectorAll("main tbody tr")].map((row) => {
  const { height, bottom } = row.getBoundingClientRect();
  return [height, bottom <= innerHeight];
})"""
CUT = "td => [td, ...td.children].some((box) => box.scrollWidth > box.clientWidth)"
LANGUAGES = pytest.mark.parametrize("lang", ["ar", "en"])


def rows_of(page: Page) -> list[tuple[float, bool]]:
    """Height of each row, and whether all of it is above the fold."""
    found: list[tuple[float, bool]] = page.evaluate(ROWS)
    return found


@LANGUAGES
def test_fourteen_rows_of_every_list_are_above_the_fold(
    office: Callable[..., Visit], lang: str
) -> None:
    visit = office("manager@example.com", lang)
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    for path in LISTS:
        rows = rows_of(visit.open(path))
        assert len(rows) >= 14, path
        assert all(36 <= height <= 48 for height, _above in rows), (path, rows)
        assert sum(above for _height, above in rows) >= 14, path
    visit.page.set_viewport_size({"width": 1920, "height": 900})
    table = visit.open(LISTS[0]).locator(".table-dense").bounding_box()
    assert table is not None
    assert table["width"] > 1600
    visit.shoot("list-wide")


@LANGUAGES
def test_filters_open_in_place_and_close_by_keyboard(
    office: Callable[..., Visit], lang: str
) -> None:
    visit = office("reviewer@example.com", lang)
    page = visit.open("/office/requests/?flt0_status=open")
    chip = page.locator(".chip a[data-panel]")
    expect(chip).to_have_attribute("aria-expanded", "false")  # its script runs
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".panel-choices [aria-current]")).to_be_focused()
    expect(chip).to_have_attribute("aria-expanded", "true")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    expect(chip).to_be_focused()
    page.locator(".toolbar a[data-panel]").click()
    page.locator(".panel select").first.wait_for()
    visit.shoot("list-filters")
    page.locator("details.more summary").click()
    assert faults_at(page, [1280, 390]) == []


def test_a_cut_text_shows_whole_under_the_pointer_and_the_keyboard(
    office: Callable[..., Visit],
) -> None:
    visit = office("reviewer@example.com", "en")
    page = visit.open("/office/requests/")
    cell = page.locator("tbody tr").first.locator("[data-label=Organisation]")
    assert cell.evaluate(CUT)
    cell.hover()
    expect(cell).to_have_attribute("title", cell.inner_text())
    page.locator("tbody tr").first.locator("input").focus()
    page.keyboard.press("Tab")
    assert not cell.evaluate(CUT)
    assert page.locator("tbody tr").first.locator(".whole").first.is_visible()


@LANGUAGES
def test_a_view_is_saved_and_found_in_the_menu(office: Callable[..., Visit], lang: str) -> None:
    visit = office("manager@example.com", lang)
    page = visit.open("/office/requests/?flt0_status=open&sort=due_on")
    page.locator("details.more summary").click()
    page.locator(".more-menu a[href*='/new?']").click()
    page.locator("#name").fill(f"Open {lang}")
    assert faults_at(page, [1280, 390]) == []
    page.locator("#view-form .button-primary").click()
    expect(page.locator("details.more summary bdi")).to_have_text(f"Open {lang}")
    page.locator("details.more summary").click()
    visit.shoot("list-views")
    assert violations(page) == []
    for address in ("", "columns"):
        visit.open(f"/office/lists/requests/{address}")
        assert faults_at(page, [1280, 390]) == []


@LANGUAGES
def test_columns_are_moved_by_dragging_and_by_buttons(
    office: Callable[..., Visit], lang: str
) -> None:
    visit = office("reviewer2@example.com", lang)
    page = visit.open("/office/lists/requests/columns")
    visit.shoot("list-columns")
    rows = page.locator(".column-choice li")
    third = rows.nth(2).locator(".drag")
    expect(third).to_be_visible()  # its script runs
    from_box, to_box = third.bounding_box(), rows.first.bounding_box()
    assert from_box is not None
    assert to_box is not None
    page.mouse.move(from_box["x"] + 5, from_box["y"] + 10)
    page.mouse.down()
    page.mouse.move(to_box["x"] + 20, to_box["y"] + 5, steps=5)
    page.mouse.up()
    names = page.locator("[name=order]")
    assert [name.input_value() for name in names.all()][:3] == ["name", "number", "service_code"]
    down = rows.first.locator("[value='down:name']")
    down.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[value='down:name']")).to_be_focused()
    expect(page.locator("#columns-said")).to_contain_text("2")
    assert [name.input_value() for name in names.all()][:2] == ["number", "name"]
    with page.expect_navigation():
        page.locator("#columns-form .form-actions .button-primary").click()
    assert page.locator("thead th a, thead th").nth(2).inner_text().strip() in ("Name", "الاسم")
    visit.open("/office/lists/requests/columns")
    page.locator("button[name=reset]").click()


def test_a_list_being_exported_tells_its_end_without_a_new_page(
    office: Callable[..., Visit],
) -> None:
    visit = office("manager@example.com", "ar", 390)
    visit.portal.rows(
        "INSERT INTO list_export (user_id, list, title, query, filters, language, scope, asked_at,"
        " total, written, status, attempts, lease, leased_until, size)"
        ' SELECT id, \'office_requests\', json(\'{"ar": "الطلبات", "en": "Requests"}\'),'
        " '', '', 'ar', '', ?, 60000, 12000, 'waiting', 1, 'held', ?, 0"
        " FROM user WHERE email = 'manager@example.com'",
        "2026-01-01 10:00:00.000000",
        "2126-01-01 10:00:00.000000",
    )
    page = visit.open("/office/exports/")
    expect(page.locator("progress")).to_be_visible()
    assert faults_at(page, [1280, 390]) == []
    visit.shoot("list-export")
    page.evaluate("document.documentElement.dataset.mark = 'the same page'")
    visit.portal.rows("UPDATE list_export SET status = 'failed', lease = NULL")
    expect(page.locator("progress")).to_have_count(0, timeout=15_000)
    expect(page.locator("html[data-mark]")).to_have_count(1)
    expect(page.locator("[data-renew]")).to_have_count(0)
    visit.portal.rows("DELETE FROM list_export")
