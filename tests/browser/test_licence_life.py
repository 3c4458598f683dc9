"""The life of one licence in a real browser: every service about it, from issuance to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from clearance.demo.people import PASSWORD
from tests.browser import licences, people
from tests.browser.licences import Licence, ask, day
from tests.browser.visits import Visit

SECOND_OFFICE = "KW-2000"
CONTACT = {"email": "broker@example.com"}
WORDS = {
    "ar": {"active": "سارية", "suspended": "موقوفة", "cancelled": "ملغاة"},
    "en": {"active": "Active", "suspended": "Suspended", "cancelled": "Cancelled"},
}


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("lang", "width", "mobile"), [("ar", 1280, "+96551230101"), ("en", 390, "+96551230102")]
)
def test_a_licence_is_issued_used_moved_and_ended(
    agent: Any,
    visit: Callable[..., Visit],
    office: Callable[..., Visit],
    lang: str,
    width: int,
    mobile: str,
) -> None:
    asker, reviewer = agent(lang, width), office("reviewer@example.com", lang, width)
    visitor, words = visit(lang, width), WORDS[lang]

    def approve(request_id: int, values: dict[str, str] | None = None) -> dict[str, str]:
        people.decide(reviewer, request_id, "approve", values)
        return licences.check_codes(asker, request_id)

    licence, papers = issued(asker, approve, mobile)
    certificate, card = papers.values()
    assert licences.state(asker, licence) == words["active"]
    assert {licences.verdict(visitor, each) for each in (certificate, card)} == {"genuine"}

    answers = {"purpose": "إنشاء حساب", "addressee": "بنك الخليج", "language": lang}
    (letter,) = approve(ask(asker, "letter", answers, licence.number)).values()
    assert licences.verdict(visitor, letter) == "genuine"

    lost = ask(asker, "lost_card", {"circumstances": "فُقدت في الميناء."}, licence.number)
    (new_card,) = approve(lost).values()
    assert licences.verdict(visitor, card) == "void"
    assert licences.verdict(visitor, new_card) == "genuine"

    renewal = {
        "civil_id_expiry": day(900),
        "passport_no": "P7654321",
        "passport_expiry": day(1500),
        "licence_expiry": day(1000),
        "guarantee_no": "LG 2519770/777001",
        "guarantee_expiry": day(1100),
        "mobile": mobile,
        **CONTACT,
    }
    renewed = ask(asker, "renewal", renewal, licence.number)
    returned_and_corrected(asker, reviewer, renewed)
    papers = approve(renewed, {"granted_expiry": day(800)})
    assert len(papers) == 2
    assert licences.verdict(visitor, certificate) == "void"  # another one has replaced it
    certificate, card = papers.values()

    why = {"passport_no": "P7654321", "mobile": mobile, "reason": "سفر المخلص.", **CONTACT}
    rejected = ask(asker, "suspension", why, licence.number)
    people.decide(reviewer, rejected, "reject", {"reason": "الكتاب غير موقّع."})
    assert licences.state(asker, licence) == words["active"]
    approve(ask(asker, "suspension", why, licence.number))
    assert licences.state(asker, licence) == words["suspended"]
    assert licences.verdict(visitor, certificate) == "void"
    approve(ask(asker, "reactivation", why | {"reason": "عودة المخلص."}, licence.number))
    assert licences.state(asker, licence) == words["active"]
    assert licences.verdict(visitor, certificate) == "genuine"

    second = visit(lang, width)
    people.sign_in(second, "receiver@example.com", PASSWORD)
    moved = transferred(asker, second, visitor, licence)
    people.decide(reviewer, moved, "approve")
    assert licences.verdict(visitor, card) == "void"
    assert asker.open(f"/my/brokers/?search={licence.number}").locator("main tbody tr").count() == 0
    assert licences.state(second, licence) == words["active"]

    ended = ask(second, "cancellation", why | {"reason": "ترك العمل."}, licence.number)
    people.decide(reviewer, ended, "approve")
    assert licences.state(second, licence) == words["cancelled"]
    assert licences.verdict(visitor, certificate) == "void"


def issued(
    asker: Visit, approve: Callable[..., dict[str, str]], mobile: str
) -> tuple[Licence, dict[str, str]]:
    """The licence of somebody who passed the exam, its guarantee ending soon; and its papers."""
    licences.begin(asker, "issuance")
    values = {
        "civil_id_expiry": day(700),
        "passport_no": "P1234567",
        "passport_expiry": day(900),
        "guarantee_no": "LG 2519770/777000",
        "guarantee_expiry": day(30),  # so that it can be renewed
        "mobile": mobile,
        "address": "حولي، شارع تونس، قطعة 4، منزل 12",
        **CONTACT,
    }
    _number, request_id = licences.give(asker, values, "issuance")
    papers = approve(request_id, {"granted_expiry": day(1000)})
    number = asker.page.locator("#issued tbody bdi").first.inner_text()
    return Licence(number, mobile), papers


def returned_and_corrected(asker: Visit, reviewer: Visit, request_id: int) -> None:
    """The office wants another e-mail; the applicant gives it and sends again."""
    remark = {"remark-field-email": "البريد غير صحيح.", "reason": "صحح البريد الإلكتروني."}
    people.decide(reviewer, request_id, "return", remark)
    page = asker.open(f"/my/requests/details/?id={request_id}")
    with page.expect_navigation():
        page.locator("main a[href$='/form']").first.click()
    expect(page.locator("main [name=passport_no]")).to_have_count(0)
    people.fill(page, {"email": "broker.new@example.com"})
    people.press(page, "button[name=submit][value=send]")


def transferred(asker: Visit, second: Visit, visitor: Visit, licence: Licence) -> int:
    """Asked for by the office he leaves, accepted by the other one and by the broker himself."""
    values = {"licence_no": SECOND_OFFICE, "mobile": licence.mobile, **CONTACT}
    request_id = ask(asker, "transfer", values, licence.number)
    page = second.open(f"/my/transfers/{request_id}/")
    second.shoot("transfer")
    people.press(page, "#answer button")
    second.shoot("transfer-accepted")
    licences.consent(visitor, licence.mobile)
    return request_id
