"""A returned request in the browser: each comment is corrected or explained before it is sent."""

from __future__ import annotations

import re
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
SENT = (
    "SELECT request.id FROM request JOIN membership USING (organisation_id) JOIN user"
    " ON user.id = user_id WHERE status = 'submitted' AND user.email = 'general@example.com'"
    " LIMIT 1"
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


@pytest.mark.parametrize(("lang", "width", "other"), [("ar", 390, "en"), ("en", 1280, "ar")])
def test_a_standard_reason_is_read_in_each_readers_language(
    agent: Any, office: Callable[..., Visit], lang: str, width: int, other: str
) -> None:
    reviewer, reader = office("reviewer@example.com", other), agent(lang, width)
    request_id = reader.portal.count(SENT)
    page = reviewer.open(f"/office/requests/details/?id={request_id}")
    people.press(page, "main a[href*='/do/reject']")
    options = page.locator("select[name=ready_reason] option")
    value, chosen = options.nth(1).get_attribute("value"), options.nth(1).inner_text()
    people.decide(reviewer, request_id, "reject", {"ready_reason": str(value)})
    page = reader.open(f"/my/requests/details/?id={request_id}")
    reason = page.locator("#next .alert").inner_text()
    assert chosen not in reason
    assert re.search("[\u0600-\u06ff]" if lang == "ar" else "[A-Za-z]{3}", reason)
    assert faults(page) == []
    reader.shoot("reason-in-own-language")
    page = reviewer.open(f"/office/requests/details/?id={request_id}")
    expect(page.locator("main")).to_contain_text(chosen)
