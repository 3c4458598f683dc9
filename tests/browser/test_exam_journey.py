"""The main job, by hand in a real browser: from registration to the result of an exam."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clearance.core.clock import kuwait_today
from tests.browser import people
from tests.browser.looks import faults
from tests.browser.visits import Visit
from tests.support.gateways import text_of

LEADS_ON = "main form[action*='/services/issuance'] button"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_a_newcomer_registers_applies_and_passes(
    visit: Callable[..., Visit], office: Callable[..., Visit], lang: str, width: int
) -> None:
    person = people.newcomer()
    agent = visit(lang, width)
    people.register(agent, person)
    people.sign_in(agent, person.email, person.password)
    people.prove(agent, person)
    address, number, request_id = people.apply_for_exam(agent, person)
    exam_id = through_the_office(agent, office("reviewer@example.com", lang, width), request_id)
    people.record_result(office("reviewer@example.com", lang, width), exam_id, number, "passed")

    page = agent.open("/my/notices/")
    agent.shoot("notices")
    expect(page.locator(".notices")).to_contain_text(number)
    page = agent.open(address)
    agent.shoot("request-passed")
    badge = page.locator("h1 .badge").first
    expect(badge).to_contain_text({"ar": "ناجح", "en": "Passed"}[lang])
    expect(page.locator(LEADS_ON)).to_be_visible()
    page = agent.open("/my/")
    agent.shoot("home-after-the-pass")
    assert faults(page) == []
    people.press(page, LEADS_ON)
    expect(page).to_have_url(re.compile(r"/my/requests/\d+/form$"))
    texts = [text_of(mail) for mail in agent.portal.mail.to(person.email)]
    assert sum(number in text for text in texts) >= 4  # sent, returned, seated, passed at least


@pytest.mark.timeout(300)
def test_the_agents_part_without_scripts(
    visit: Callable[..., Visit], office: Callable[..., Visit]
) -> None:
    person = people.newcomer()
    agent = visit("ar", 390, java_script_enabled=False)
    people.register(agent, person)
    people.sign_in(agent, person.email, person.password)
    people.prove(agent, person)
    address, number, request_id = people.apply_for_exam(agent, person, people.upload_one_by_one)
    exam_id = through_the_office(agent, office("reviewer@example.com", "ar", 1280), request_id)
    people.record_result(office("reviewer@example.com", "ar", 1280), exam_id, number, "failed")
    badge = agent.open(address).locator("h1 .badge").first
    expect(badge).to_contain_text("راسب")


def through_the_office(agent: Visit, reviewer: Visit, request_id: int) -> int:
    """Returned, corrected, approved first, announced, confirmed, until the exam begins; its id."""
    address = f"/my/requests/details/?id={request_id}"
    remark = {"remark-field-address": "يرجى كتابة رقم القسيمة.", "reason": "استكمل العنوان."}
    people.decide(reviewer, request_id, "return", remark)
    people.correct(agent, address)
    people.decide(reviewer, request_id, "preapprove")
    today = kuwait_today()
    exam_id = people.hold_exam(reviewer, today + timedelta(days=9), today + timedelta(days=4))
    people.confirm_attendance(agent, address)
    reviewer.portal.let_the_exam_begin(exam_id)
    return exam_id
