"""What people do about licences in the browser, step by step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import expect

from clearance.core.clock import kuwait_today
from tests.browser import people
from tests.browser.visits import Visit
from tests.support import papers

PAPERS = {
    "issuance": ("civil_id_copy", "passport_copy", "photo", "good_conduct", "bank_guarantee"),
    "renewal": ("civil_id_copy", "passport_copy"),
    "suspension": ("office_letter",),
    "reactivation": ("office_letter",),
    "cancellation": ("office_letter",),
    "transfer": ("transfer_letter", "release_letter"),
    "letter": (),
    "lost_card": ("loss_report",),
}


@dataclass(frozen=True)
class Licence:
    """The licence whose life is lived. mobile: the broker's, in E.164."""

    number: str
    mobile: str


def day(days: int) -> str:
    """The Kuwait date so many days from today, in ISO."""
    return (kuwait_today() + timedelta(days=days)).isoformat()


def begin(visit: Visit, code: str, search: str = "") -> None:
    """Open the cards of a service and press the first button there is."""
    page = visit.open(f"/my/services/{code}/?search={search}")
    visit.shoot(f"cards-{code}")
    people.press(page, ".card-grid .card-foot button")


def give(visit: Visit, values: dict[str, str], code: str) -> tuple[str, int]:
    """Fill in the form, add the papers and send it; returns the request's number and its id."""
    page = visit.page
    people.fill(page, values)
    wanted = list(PAPERS[code])
    if page.locator("#upload-kind option[value=office_letter]").count() and code == "issuance":
        wanted.append("office_letter")
    if wanted:
        people.upload_together(page, {kind: f"{kind}.jpg" for kind in wanted})
    visit.shoot(f"form-{code}")
    people.press(page, "button[name=submit][value=send]")
    expect(page.locator("h1 .badge").first).to_be_visible()
    visit.shoot(f"sent-{code}")
    number = re.search(r"\b[A-Z]{2}/\d+/\d\d\b", page.locator("main").inner_text())
    key = re.search(r"\d+", page.url.removeprefix(visit.portal.url))
    assert number and key, page.url
    return number[0], int(key[0])


def ask(visit: Visit, code: str, values: dict[str, str], search: str) -> int:
    """Ask for a service about the licence `search` and send it; returns the request's id."""
    begin(visit, code, search)
    return give(visit, values, code)[1]


def check_codes(visit: Visit, request_id: int) -> dict[str, str]:
    """Download what the request led to; kind of document → the address its QR code leads to."""
    page = visit.open(f"/my/requests/details/?id={request_id}")
    visit.shoot("issued")
    found = {}
    for row in page.locator("#issued tbody tr").all():
        link = row.locator("a[href*='/issued/']").get_attribute("href")
        answer = visit.context.request.get(visit.portal.url + str(link))
        assert answer.headers["content-type"] == "application/pdf"
        sheets = range(len(papers.sizes(answer.body())))
        codes = [papers.codes_in(papers.picture(answer.body(), sheet)) for sheet in sheets]
        (address,) = {code for found_there in codes for code in found_there}
        found[row.locator("strong").inner_text()] = address.removeprefix(visit.portal.url)
    return found


def verdict(visit: Visit, address: str) -> str:
    """What the public check says of a document: genuine, void or expired."""
    page = visit.open(address)
    visit.shoot("check")
    tone = page.locator("main .alert").first.get_attribute("class") or ""
    words = {"alert-success": "genuine", "alert-danger": "void", "alert-warning": "expired"}
    return next(word for mark, word in words.items() if mark in tone)


def state(visit: Visit, licence: Licence) -> str:
    """The state of the licence in the list of brokers."""
    page = visit.open(f"/my/brokers/?search={licence.number}")
    visit.shoot("brokers")
    return page.locator("main tbody tr .badge").last.inner_text().strip()


def consent(visit: Visit, mobile: str) -> None:
    """The broker opens the link in his SMS, asks for the code, and consents."""
    link = re.search(r"/consent/[\w-]+", _consent_sms(visit, mobile))
    assert link
    page = visit.open(link[0])
    visit.shoot("consent")
    before = len(visit.portal.sms.to(mobile))
    people.press(page, "#code-form button")
    _wait_until(lambda: len(visit.portal.sms.to(mobile)) > before)
    people.fill(page, {"code": visit.portal.sms.code_for(mobile)})
    people.press(page, "button[name=answer][value=consent]")
    visit.shoot("consented")


def _consent_sms(visit: Visit, mobile: str) -> str:
    def texts() -> list[str]:
        return [each for each in visit.portal.sms.to(mobile) if "/consent/" in each]

    _wait_until(lambda: bool(texts()))
    return texts()[-1]


def _wait_until(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + people.PATIENCE_SECONDS
    while not is_there():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
