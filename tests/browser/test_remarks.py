"""A returned request in the browser: each comment is corrected or explained before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.looks import faults
from tests.browser.visits import Visit

SEND = "button[name=submit][value=send]"
RETURNED = (
    "SELECT request.id FROM request JOIN remark ON remark.request_id = request.id"
    " WHERE status = 'returned' AND service_code = ? AND settled_at IS NULL LIMIT 1"
)
WORDS = {"ar": "هكذا في البطاقة.", "en": "It is the same on the card."}


@pytest.mark.parametrize(
    ("lang", "width", "code"), [("ar", 390, "exam"), ("en", 1280, "lost_card")]
)
def test_untouched_comments_stop_the_sending_and_an_explanation_lets_it_go(
    agent: Any, office: Callable[..., Visit], lang: str, width: int, code: str
) -> None:
    visit = agent(lang, width)
    request_id = visit.portal.count(RETURNED, code)
    page = visit.open(f"/my/requests/{request_id}/form")
    expect(page.locator("details.answer textarea").first).to_be_hidden()
    people.press(page, SEND)
    expect(page.locator("[data-error-summary] a")).not_to_have_count(0)
    answers = page.locator("details.answer textarea")
    for number in range(answers.count()):
        expect(answers.nth(number)).to_be_visible()
        answers.nth(number).fill(WORDS[lang])
    assert faults(page) == []
    visit.shoot("remarks-explained")
    people.press(page, SEND)
    page.wait_for_url(f"**/my/requests/{request_id}/")

    reviewer = office("reviewer@example.com", lang, width)
    page = reviewer.open(f"/office/requests/details/?id={request_id}")
    expect(page.locator("#remarks")).to_contain_text(WORDS[lang])
    assert faults(page) == []
    reviewer.shoot("remarks-answered")
