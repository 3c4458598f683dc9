"""What people do in the browser, step by step; fields are found by name, for both languages."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import TypeVar

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from clearance.demo.people import PASSWORD
from tests.browser.visits import Visit
from tests.support import factories
from tests.support.gateways import CODE, SmtpGateway, code_in, text_of

Read = TypeVar("Read")

_serial = count(1)
CAPTCHA = "ABDEF2"
PATIENCE_SECONDS = 60  # for what comes within two, where the machine has no other work
PRIMARY = "main button.button-primary[type=submit], main button.button-primary:not([type])"


@dataclass(frozen=True)
class Person:
    """Somebody who never saw the portal."""

    email: str
    mobile: str
    civil_id: str
    password: str = "Marsa-4-Lulu!"


def newcomer() -> Person:
    """Make a person that nobody registered yet."""
    number = next(_serial)
    return Person(
        email=f"newcomer{number}@example.com",
        mobile=f"+9655123{number:04d}",
        civil_id=factories.civil_id(date(1991, 6, 3)),
    )


def fill(page: Page, values: dict[str, str]) -> None:
    """Type into the named fields; choose where the field is a list."""
    for name, value in values.items():
        control = page.locator(f"main [name='{name}']").first
        if control.evaluate("each => each.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def press(page: Page, selector: str = PRIMARY) -> None:
    """Press the page's one primary button and wait for the answer."""
    with page.expect_navigation():
        page.locator(selector).first.click()


def register(visit: Visit, person: Person, captcha: Callable[[], str] = lambda: CAPTCHA) -> None:
    """Fill in the registration without a customs account and send it."""
    page = visit.open("/register")
    visit.shoot("register")
    fill(
        page,
        {
            "legal_entity": "clearing_agent",
            "first_name": "سالم",
            "last_name": "العتيبي",
            "latin_name": "Salem Alotaibi",
            "gender": "male",
            "civil_id": person.civil_id,
            "mobile": person.mobile,
            "email": person.email,
            "password": person.password,
            "password_confirm": person.password,
            "captcha": captcha(),
        },
    )
    page.locator("[name=accept_terms]").check()
    press(page)
    visit.shoot("registered")


def sign_in(visit: Visit, email: str, password: str) -> None:
    """Sign in with e-mail and password."""
    page = visit.open("/login")
    fill(page, {"email": email, "password": password})
    press(page)


def prove(visit: Visit, person: Person) -> None:
    """Type both codes as they came by mail and SMS, and go on into the portal."""
    page = visit.page
    page.wait_for_url("**/verify**")
    visit.shoot("verify")
    codes = {
        "email_code": arrived(lambda: visit.portal.mail.code_for(person.email)),
        "mobile_code": arrived(lambda: visit.portal.sms.code_for(person.mobile)),
    }
    fill(page, codes)
    press(page)
    visit.shoot("verified")
    with page.expect_navigation():
        page.locator("main a.button-primary").first.click()
    page.wait_for_url("**/my/")


def sign_in_staff(visit: Visit, email: str) -> None:
    """Sign in as one of the demo's office with the second factor that came by mail."""
    sign_in_with_factor(visit, email, PASSWORD)


def sign_in_with_factor(visit: Visit, email: str, password: str) -> None:
    """Sign in with the second factor that comes by mail."""
    seen = len(visit.portal.mail.to(email))
    sign_in(visit, email, password)
    visit.page.wait_for_url("**/login/factor**")
    code = arrived(lambda: _newer_code(visit.portal.mail, email, seen))
    fill(visit.page, {"code": code})
    press(visit.page)
    visit.page.wait_for_url("**/office/**")


def apply_for_exam(
    visit: Visit, person: Person, upload: Callable[[Page, dict[str, str]], None] | None = None
) -> tuple[str, str, int]:
    """Fill in and send an exam request with three documents.

    upload: how the files are given; by drag-and-drop's button unless told otherwise.
    Returns the address of its details, its number and its id.
    """
    page = visit.open("/my/services/")
    visit.shoot("services")
    with page.expect_navigation():
        page.locator("#service-exam a.button-primary").click()
    page.locator("#broker_type-private").check()
    visit.shoot("broker-type")
    press(page)
    fill(
        page,
        {
            "name_ar_1": "سالم",
            "name_ar_2": "عبد الله",
            "name_ar_4": "العتيبي",
            "name_en_1": "Salem",
            "name_en_2": "Abdullah",
            "name_en_4": "Alotaibi",
            "nationality": "KW",
            "civil_id": person.civil_id,
            "civil_id_expiry": "2034-05-01",
            "mobile": person.mobile,
            "email": person.email,
            "address": "حولي، شارع تونس، قطعة 4، منزل 12",
            "notes": "أرغب في الاختبار باللغة العربية.",
        },
    )
    give = upload or upload_together
    give(page, {"civil_id_copy": "civil.jpg", "photo": "photo.jpg", "good_conduct": "صورة.jpg"})
    visit.shoot("request-form")
    press(page, "button[name=submit][value=send]")
    expect(page.locator("main")).to_contain_text("CE/")
    visit.shoot("request-sent")
    number = re.search(r"CE/\d+/\d\d", page.locator("main").inner_text())
    key = re.search(r"\d+", page.url.removeprefix(visit.portal.url))
    assert number and key, page.url
    return page.url.removeprefix(visit.portal.url), number[0], int(key[0])


def correct(visit: Visit, address: str) -> None:
    """Read what is asked for, correct just that, and send again."""
    page = visit.open(address)
    visit.shoot("request-returned")
    with page.expect_navigation():
        page.locator("main a[href$='/form']").first.click()
    expect(page.locator("main [name=civil_id]")).to_have_count(0)
    fill(page, {"address": "حولي، شارع تونس، قطعة 4، قسيمة 21، منزل 12"})
    visit.shoot("request-correcting")
    press(page, "button[name=submit][value=send]")
    visit.shoot("request-sent-again")


def confirm_attendance(visit: Visit, address: str) -> None:
    """Promise to come to the exam."""
    page = visit.open(address)
    visit.shoot("request-seated")
    confirm = page.locator("main form[action$='/do/confirm'] button").first
    with page.expect_navigation():
        confirm.click()
    visit.shoot("request-confirmed")


def decide(
    visit: Visit, request_id: int, action: str, values: dict[str, str] | None = None
) -> None:
    """Take a step on a request from its review page; marks are ticked before they are explained."""
    page = visit.open(f"/office/requests/details/?id={request_id}")
    visit.shoot("review")
    with page.expect_navigation():
        page.locator(f"main a[href*='/do/{action}']").first.click()
    for name, value in (values or {}).items():
        if name.startswith("remark-"):
            page.locator(f"main [name='{name.replace('remark-', 'mark-')}']").check()
        fill(page, {name: value})
    visit.shoot(f"review-{action}")
    press(page, "main form#step .form-actions button")


def hold_exam(visit: Visit, day: date, last_day: date) -> int:
    """Make a sitting and announce it; returns its id."""
    page = visit.open("/office/exams/new/")
    fill(
        page,
        {
            "held_on": day.isoformat(),
            "held_time": "09:30",
            "confirm_by": last_day.isoformat(),
            "place_ar": "مركز التدريب الجمركي، قاعة 1",
            "place_en": "Customs Training Centre, Hall 1",
            "seats": "30",
        },
    )
    visit.shoot("exam-new")
    press(page)
    found = re.search(r"[?&]id=(\d+)", page.url)
    assert found, page.url
    visit.shoot("exam-planned")
    with page.expect_navigation():
        page.locator("main a[href$='/do/announce']").click()
    visit.shoot("exam-announce")
    press(page, "main form[action$='/do/announce'] button")
    visit.shoot("exam-announced")
    return int(found[1])


def record_result(visit: Visit, exam_id: int, number: str, result: str) -> None:
    """Choose one candidate's result in the grid, look it over, record it."""
    page = visit.open(f"/office/exams/{exam_id}/results")
    row = page.locator("#results-grid tbody tr", has_text=number)
    row.locator("select").select_option(result)
    visit.shoot("exam-results")
    press(page, "#results-grid .form-actions button.button-primary")
    visit.shoot("exam-results-check")
    press(page, "button[name=confirmed]")
    visit.shoot("exam-results-recorded")


def upload_together(page: Page, files: dict[str, str]) -> None:
    """Choose files, say what each is, upload them and wait until all stand in the table."""
    before = page.locator("#documents tbody tr").count()
    page.locator("#upload-files").set_input_files(
        [
            {"name": name, "mimeType": "image/jpeg", "buffer": picture(kind)}
            for kind, name in files.items()
        ]
    )
    rows = page.locator("[data-upload-list] li")
    expect(rows).to_have_count(len(files))
    for place, kind in enumerate(files):
        rows.nth(place).locator("[data-kind]").select_option(kind)
    page.locator("[data-upload-start] button").click()
    expect(page.locator("#documents tbody tr")).to_have_count(before + len(files))


def upload_one_by_one(page: Page, files: dict[str, str]) -> None:
    """Give the files as a page without scripts takes them: kind, file, Upload."""
    for kind, name in files.items():
        before = page.locator("#documents tbody tr").count()
        page.locator("#upload-kind").select_option(kind)
        page.locator("#upload-files").set_input_files(
            {"name": name, "mimeType": "image/jpeg", "buffer": picture(kind)}
        )
        press(page, ".upload-fields button")
        expect(page.locator("#documents tbody tr")).to_have_count(before + 1)


def picture(text: str) -> bytes:
    """A JPEG with a word in it."""
    image = Image.new("RGB", (640, 420), "#f4efe3")
    ImageDraw.Draw(image).text((60, 180), text, fill="#123")
    data = io.BytesIO()
    image.save(data, "JPEG")
    return data.getvalue()


def arrived(read: Callable[[], Read]) -> Read:
    """What `read` gives once a message has come (the outbox sends within a second or two)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return read()
        except (AssertionError, IndexError, LookupError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _newer_code(mail: SmtpGateway, email: str, seen: int) -> str:
    """The code among what came since; other mail may come just then, too."""
    texts = [text_of(each) for each in mail.to(email)[seen:]]
    return code_in(next((text for text in reversed(texts) if CODE.search(text)), ""))
