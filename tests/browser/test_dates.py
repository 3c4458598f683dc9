"""Dates in a real browser: typed as they are shown, told in words, chosen from the calendar."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.looks import faults

CALENDAR = "[data-day]:has([name=civil_id_expiry]) input[type=date]"


@pytest.mark.parametrize(
    ("lang", "width", "april", "may"),
    [("ar", 390, "3 أبريل 2029", "1 مايو 2034"), ("en", 1280, "3 April 2029", "1 May 2034")],
)
def test_a_date_is_typed_as_shown_told_in_words_and_kept(
    agent: Any, lang: str, width: int, april: str, may: str
) -> None:
    visit = agent(lang, width)
    page = visit.open("/my/services/")
    with page.expect_navigation():
        page.locator("#service-exam a.button-primary").click()
    page.locator("#broker_type-private").check()
    people.press(page)
    box, words = page.locator("[name=civil_id_expiry]"), page.locator("#civil_id_expiry-words")
    for typed in (
        "3/4/2029",
        "2029-04-03",
        "٣.٤.٢٠٢٩",
        " ３ / ４ / ２０２９ ",
        "\u20683\u20134\u20132029\u2069",
    ):
        box.fill(typed)
        expect(words).to_have_text(april)
    for typed in ("31/2/2029", "4/2029", "soon", "3/4/1029"):
        box.fill(typed)
        expect(words).to_have_text("")
    calendar = page.locator(CALENDAR)
    assert calendar.get_attribute("name") is None
    calendar.evaluate(
        "each => { each.value = '2034-05-01'; each.dispatchEvent(new Event('change')); }"
    )
    expect(box).to_have_value("01/05/2034")
    expect(box).to_be_focused()
    expect(words).to_have_text(may)
    assert faults(page) == []
    people.press(page, "button[name=submit][value=send]")  # refused: much is missing
    expect(box).to_have_value("01/05/2034")
    expect(words).to_have_text(may)
    assert faults(page) == []


@pytest.mark.parametrize(
    ("lang", "width", "april"),
    [("ar", 390, "3 أبريل 2029، 2:05 م"), ("en", 1280, "3 April 2029, 2:05 pm")],
)
def test_a_time_is_typed_in_any_usual_way_and_told_in_words(
    office: Any, lang: str, width: int, april: str
) -> None:
    visit = office("admin@example.com", lang, width)
    page = visit.open("/office/announcements/new/")
    box, words = page.locator("[name=published_at]"), page.locator("#published_at-words")
    for typed in (
        "03/04/2029 14:05",
        "2029-4-3T14:05:00",
        "3/4/2029 at 2.05 P.M.",
        "٣ / ٤ / ٢٠٢٩، ٢:٠٥ م",
        "\u206803042029 1405\u2069",
    ):
        box.fill(typed)
        expect(words).to_have_text(april)
    for typed in ("3/4/2029", "14:05", "3/4/2029 24:05", "3/4/2029 14:05 am", "31/2/2029 14:05"):
        box.fill(typed)
        expect(words).to_have_text("")
    calendar = page.locator("[data-day]:has([name=published_at]) input[type=date]")
    choose = "each => { each.value = '2029-04-03'; each.dispatchEvent(new Event('change')); }"
    box.fill("")
    calendar.evaluate(choose)
    expect(box).to_have_value("03/04/2029 ")  # ready for the time
    expect(box).to_be_focused()
    page.keyboard.type("2:05 pm")
    expect(words).to_have_text(april)
    box.fill("2030-12-31 14:05")
    calendar.evaluate(choose)
    expect(box).to_have_value("03/04/2029 14:05")
    expect(words).to_have_text(april)
    visit.shoot("announcement-times")
    assert faults(page) == []
    people.press(page)  # refused: the texts are missing
    expect(box).to_have_value("03/04/2029 14:05")
    expect(words).to_have_text(april)


def test_a_time_alone_has_words_and_no_calendar(office: Any) -> None:
    visit = office("reviewer@example.com", "ar")
    page = visit.open("/office/exams/new/")
    box, words = page.locator("[name=held_time]"), page.locator("#held_time-words")
    for typed in ("9:30", "0930", "٩:٣٠ ص", "9.30 am", "09:30 صباحًا"):
        box.fill(typed)
        expect(words).to_have_text("9:30 ص")
    for typed in ("9", "24:00", "13:00 ص", "noon"):
        box.fill(typed)
        expect(words).to_have_text("")
    assert page.locator("[data-day=time] button").count() == 0
    visit.shoot("exam-time")
    assert faults(page) == []


def test_the_button_opens_the_calendar_at_the_typed_day(agent: Any) -> None:
    visit = agent("en")
    visit.page.add_init_script(  # the link may lead to a page of its own before its script is there
        "HTMLInputElement.prototype.showPicker = function () { window.opened = this.value; }"
    )
    page = visit.open("/my/requests/")
    page.locator(".toolbar a[data-panel]").click()
    page.locator(".panel").wait_for()
    day = page.locator("[data-day]").first
    day.locator("input").first.fill("3/4/2029")
    day.locator("button").click()
    assert page.evaluate("window.opened") == "2029-04-03"
