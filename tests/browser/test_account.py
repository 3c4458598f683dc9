"""One's own account in a real browser: new contacts, one's data, the second factor, sessions."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.people import Person
from tests.browser.visits import Visit
from tests.support.gateways import text_of

ACCOUNT = "/my/account/"
SEEN = pytest.mark.parametrize(("lang", "width"), [("ar", 1280), ("en", 390)])
Visits = Callable[..., Visit]


@SEEN
def test_new_contacts_count_when_their_codes_come_back_and_open_the_door(
    visit: Visits, lang: str, width: int
) -> None:
    here, before, after = visit(lang, width), people.newcomer(), people.newcomer()
    join(here, before)
    change_contact(here, "email", before.password, after.email)
    people.fill(here.page, {"code": people.arrived(lambda: here.portal.mail.code_for(after.email))})
    here.shoot("contact-code")
    people.press(here.page)
    expect(here.page.locator("#contact")).to_contain_text(after.email)
    change_contact(here, "mobile", before.password, after.mobile)
    people.fill(here.page, {"code": people.arrived(lambda: here.portal.sms.code_for(after.mobile))})
    people.press(here.page)
    expect(here.page.locator("#contact")).to_contain_text(after.mobile)
    here.shoot("account")
    mails = people.arrived(lambda: masked(here, before.email))
    assert not [text for text in mails if after.email in text], "the new address is masked"
    people.arrived(lambda: here.portal.sms.to(before.mobile)[2])  # the code, and both changes

    there = visit(lang, width)
    people.sign_in(there, before.email, before.password)
    there.page.wait_for_url("**/login**")
    people.sign_in(there, after.email, before.password)
    there.page.wait_for_url("**/my/")


@SEEN
def test_ones_data_is_made_told_of_and_downloaded(visit: Visits, lang: str, width: int) -> None:
    here, person = visit(lang, width), people.newcomer()
    join(here, person)
    page = here.open(f"{ACCOUNT}data")
    people.fill(page, {"current_password": person.password})
    here.shoot("data")
    people.press(page)
    deadline = time.monotonic() + people.PATIENCE_SECONDS
    while page.locator("#copy a.button-primary").count() == 0:
        assert time.monotonic() < deadline, "the job made no copy"
        page.reload()
    here.shoot("data-ready")
    with page.expect_download() as download:
        page.locator("#copy a.button-primary").click()
    assert re.fullmatch(r"my-data-\d{4}-\d\d-\d\d\.zip", download.value.suggested_filename)
    with ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("profile.json"))["email"] == person.email
        assert len(json.loads(archive.read("sessions.json"))) >= 1
        assert json.loads(archive.read("memberships.json"))[0]["is_general_user"] is True
    here.open("/my/notices/")
    here.shoot("notices")
    with page.expect_navigation():
        page.locator(".notice button").first.click()
    page.wait_for_url(f"**{ACCOUNT}data")


@SEEN
def test_an_app_is_set_up_and_opens_the_portal_as_its_spare_codes_do(
    visit: Visits, lang: str, width: int
) -> None:
    here, person = visit(lang, width), people.newcomer()
    join(here, person)
    page = here.open(f"{ACCOUNT}factor")
    expect(page.locator("img.qr")).to_be_visible()
    address = str(page.locator("a[href^='otpauth:']").get_attribute("href"))
    app = pyotp.TOTP(parse_qs(urlsplit(address).query)["secret"][0])
    assert page.locator("#factor-key").inner_text().replace(" ", "") == app.secret
    here.shoot("factor")
    now = int(time.time())
    people.fill(page, {"code": app.at(now), "current_password": person.password})
    people.press(page)
    spares = [each.inner_text() for each in page.locator("#spare-codes code").all()]
    assert len(spares) == 10
    here.shoot("spare-codes")

    # The step of setting up is used, and an app's clock may be one step ahead.
    for code in (app.at(now + app.interval), spares[0]):
        sign_out(page)
        people.sign_in(here, person.email, person.password)
        page.wait_for_url("**/login/factor**")
        people.fill(page, {"code": code})
        here.shoot("factor-asked")
        people.press(page)
        page.wait_for_url("**/my/")
    page = here.open(ACCOUNT)
    expect(page.locator("#second-factor")).to_contain_text("9")
    here.shoot("account-with-app")


@SEEN
def test_a_session_ended_elsewhere_leads_to_signing_in_at_the_next_click(
    visit: Visits, lang: str, width: int
) -> None:
    here, person = visit(lang, width), people.newcomer()
    join(here, person)
    there = visit(lang, width)
    people.sign_in(there, person.email, person.password)
    there.page.wait_for_url("**/my/")
    page = here.open(ACCOUNT)
    expect(page.locator(".sessions li")).to_have_count(2)
    here.shoot("sessions")
    with page.expect_navigation():
        page.locator(".sessions form[action*='/sessions/'] button").click()
    expect(page.locator(".sessions li")).to_have_count(1)
    with there.page.expect_navigation():
        there.page.locator("main a[href^='/my/']").first.click()
    there.page.wait_for_url("**/login?next=**")


@SEEN
def test_the_portal_asks_before_it_signs_out_and_covers_the_page_after(
    visit: Visits, lang: str, width: int
) -> None:
    here, person = visit(lang, width), people.newcomer()
    join(here, person)
    page = here.page
    page.clock.install()
    page.goto(here.portal.url + ACCOUNT, wait_until="networkidle")  # scripts are there, too
    dialog = page.locator("#idle-dialog")
    page.clock.fast_forward("27:50")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(dialog).to_be_visible()
    here.shoot("idle")
    with page.expect_response("**/session/stay") as stayed:
        dialog.locator("button").click()
    assert stayed.value.ok
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("27:50")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("02:15")
    expect(dialog).to_have_class(re.compile("is-over"))
    here.shoot("idle-over")
    here.context.clear_cookies(name="clearance")
    with page.expect_navigation():
        dialog.locator("button").click()
    page.wait_for_url("**/login?next=**")
    here.errors[:] = [error for error in here.errors if "status of 40" not in error]


def join(visit: Visit, person: Person) -> None:
    """Register, sign in and prove both codes."""
    people.register(visit, person)
    people.sign_in(visit, person.email, person.password)
    people.prove(visit, person)


def change_contact(visit: Visit, kind: str, password: str, address: str) -> None:
    """Ask for a new address; the page then asks for its code."""
    page = visit.open(f"{ACCOUNT}contact/{kind}")
    people.fill(page, {"address": address, "current_password": password})
    visit.shoot(f"contact-{kind}")
    people.press(page)


def masked(visit: Visit, address: str) -> list[str]:
    """The mails to an old address that tell of a new one, of which they show the beginning."""
    texts = [text_of(each) for each in visit.portal.mail.to(address)]
    told = [text for text in texts if "•••@example.com" in text]
    assert told, f"nobody told {address}"
    return told


def sign_out(page: Page) -> None:
    """Leave by the form that every page has."""
    with page.expect_navigation():
        page.locator("form[action='/logout']").first.evaluate("each => each.submit()")


@pytest.mark.parametrize(
    ("lang", "width", "name"),  # a code a minute for each: two people
    [("ar", 1280, "reviewer2"), ("en", 390, "manager")],
)
def test_one_of_the_office_signs_in_with_the_code_from_the_mail_and_out_again(
    visit: Visits, lang: str, width: int, name: str
) -> None:
    here = visit(lang, width)
    people.sign_in_staff(here, f"{name}@example.com")
    here.page.locator("form[action*=logout] button").first.dispatch_event("click")
    here.page.wait_for_url(lambda url: "/office/" not in url)
    here.open("/office/")
    here.page.wait_for_url("**/login?next=**")
