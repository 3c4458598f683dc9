"""The drill of the keyboard: a service is changed, and one with everything made and used.

    python -m tests.drills.keyboard --shots /tmp/shots

An administrator makes it in the panel from nothing with Tab, Enter, arrows and typing alone, at 60
ms a key. An applicant asks for it on a phone in Arabic, three people of two teams decide, and the
document is checked. Prints minutes and keys, and the lines of the same service as a file.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import people
from tests.browser.conftest import CHROMIUM, FLAGS, served
from tests.browser.looks import HEIGHTS, faults
from tests.browser.test_permit import CHIEF, cannot_decide, make_inspectors
from tests.browser.visits import Portal, Visit
from tests.support.gateways import SmsGateway, SmtpGateway

KEY_MS = 60
MOST_TABS = 400
CODE = "entry_permit"
DRAFT = f"/office/services/{CODE}/draft"
STEPS_TO = """wanted => {
  const { options, selectedIndex } = document.activeElement;
  return [...options].findIndex((each) => each.value === wanted) - selectedIndex;
}"""
IS_FOCUSED = "wanted => document.activeElement.matches(wanted)"


class Keys:
    """Somebody without a mouse. pressed: how many keys; waited: seconds for pages."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.pressed = 0
        self.waited = 0.0

    def press(self, key: str) -> None:
        """Press one key."""
        self.pressed += 1
        self._page.keyboard.press(key, delay=KEY_MS)

    def to(self, selector: str) -> None:
        """Go to an element by Tab; past the header and the list of parts by the skip links."""
        for _ in range(MOST_TABS):
            if self._page.evaluate(IS_FOCUSED, selector):
                return
            self.press("Tab")
            if self._page.evaluate(IS_FOCUSED, ".skip-link") and self._is_ahead(selector):
                self.press("Enter")
        raise AssertionError(f"Tab does not lead to {selector} on {self._page.url}")

    def _is_ahead(self, selector: str) -> bool:
        """Whether the skip link that has the focus leads to before the element."""
        order = """wanted => {
          const target = document.querySelector(document.activeElement.hash);
          const found = document.querySelector(wanted);
          return target.contains(found) || Boolean(target.compareDocumentPosition(found) & 4);
        }"""
        return bool(self._page.evaluate(order, selector))

    def write(self, selector: str, text: str) -> None:
        """Type into a box, in the place of what it says."""
        self.to(selector)
        if self._page.evaluate("document.activeElement.value"):
            self.press("Control+a")
        self.pressed += len(text)
        self._page.keyboard.type(text, delay=KEY_MS)

    def both(self, name: str, arabic: str, english: str) -> None:
        """Type a text in both languages."""
        self.write(f"[name={name}_ar]", arabic)
        self.write(f"[name={name}_en]", english)

    def pick(self, selector: str, value: str) -> None:
        """Choose from a drop-down by the arrows."""
        self.to(selector)
        steps = int(self._page.evaluate(STEPS_TO, value))
        for _ in range(abs(steps)):
            self.press("ArrowDown" if steps > 0 else "ArrowUp")
        assert self._page.evaluate("document.activeElement.value") == value, selector

    def tick(self, selector: str) -> None:
        """Tick a box."""
        self.to(selector)
        self.press("Space")

    def open(self, selector: str) -> None:
        """Go to a link or button, press Enter and wait for its page."""
        self.to(selector)
        began = time.monotonic()
        with self._page.expect_navigation():
            self.press("Enter")
        self._page.wait_for_load_state("networkidle")
        self.waited += time.monotonic() - began

    def part(self, name: str) -> None:
        """Open a part of the draft."""
        self.open(f"nav.tabs a[href$='/draft/{name}/']")

    def unfold(self, form: str) -> None:
        """Unfold what the form is folded in, unless it is open."""
        folded = f"details:has(> {form})"
        if self._page.locator(f"{folded}[open]").count() == 0:
            self.to(f"{folded} > summary")
            self.press("Enter")

    def add(self, path: str, arabic: str, english: str, **chosen: str) -> None:
        """Add a part to a list; its page opens."""
        form = f"#add-{path.replace('.', '-')}"
        self.unfold(form)
        self.both_in(form, arabic, english)
        for name, value in chosen.items():
            self.pick(f"{form} [name={name}]", value)
        self.open(f"{form} button[type=submit], {form} .form-actions button")

    def both_in(self, form: str, arabic: str, english: str) -> None:
        self.write(f"{form} [name=label_ar]", arabic)
        self.write(f"{form} [name=label_en]", english)

    def when(self, field: str, comparison: str, value: str) -> None:
        """Say under which condition."""
        self.pick("[name=when_field]", field)
        self.pick("[name=when_op]", comparison)
        self.write("[name=when_value]", value)

    def save(self) -> None:
        self.open("#part-form .form-actions button")


def main() -> int:
    """Run the drill; print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--shots", help="a folder for pictures")
    args = parser.parse_args()
    if args.shots:
        os.environ["SHOTS"] = args.shots
    with _portal() as portal, _chromium() as browser:
        make_inspectors(portal)
        keeper = _visit(browser, portal, "admin@example.com", "en")
        for name, act in {"a change": _change, "a new service": _make}.items():
            keys, began = Keys(keeper.page), time.monotonic()
            keeper.open("/office/services/")
            act(keeper, keys)
            spent = (time.monotonic() - began) / 60
            waited = keys.waited / 60
            print(f"{name}: {spent:.1f} minutes, {keys.pressed} keys, {waited:.1f} for pages")
        pack = keeper.context.request.get(f"{portal.url}/office/services/{CODE}/pack").text()
        print(f"the same as a file: {len(pack.splitlines())} lines")
        _use(browser, portal)
    print("asked for, decided by three, issued and checked")
    return 0


def _change(keeper: Visit, keys: Keys) -> None:
    """Change a shipped service: its working days, a hint, a further field; publish it."""
    keys.open("main td a[href*='id=letter']")
    keys.open("main a[href$='/letter/draft/']")
    keys.write("[name=processing_days]", "3")
    keys.part("form")
    keys.open("a[href$='/form/fields/addressee/']")
    keys.both("hint", "كما يُكتب في الرسالة", "As it is written in the letter")
    keys.add("fields", "عدد النسخ", "Number of copies", type="number")
    keys.save()
    keys.open("a[href$='/letter/draft/publish/']")
    expect(keeper.page.locator("main table").first).to_contain_text("Number of copies")
    keeper.shoot("keyboard-change")
    keys.write("[name=why]", "Copies are asked for")
    keys.open("#publish-form .form-actions button")


def _make(keeper: Visit, keys: Keys) -> None:
    """Make the service, look at it, and publish it."""
    keys.open("a[href$='/office/services/new/']")
    keys.write("[name=title_ar]", "تصريح دخول ميناء")
    keys.write("[name=title_en]", "Port entry permit")
    keys.write("[name=code]", CODE)
    keys.write("[name=prefix]", "EPT")
    keys.open("#new-service .button-primary")
    keys.part("who")
    keys.pick("[name=subscription]", "automatic")
    keys.save()
    _make_form(keys)
    _make_documents(keys)
    _make_review(keys)
    _make_statement(keys)
    _look(keeper, keys)
    keys.open(f"a[href='{DRAFT}/publish/']")
    keys.write("[name=why]", "A new service")
    keys.open("#publish-form .button-primary")


def _make_form(keys: Keys) -> None:
    keys.part("form")
    keys.add("sections", "الزيارة", "The visit")
    keys.add("sections", "البضاعة", "The cargo")
    keys.part("form")
    visit = {"section": "the_visit"}
    keys.add("fields", "الميناء", "Port", type="choice", **visit)
    keys.tick("[name=required]")
    keys.write("[name=choices]", "الشويخ | Shuwaikh\nأخرى | Other")
    keys.add("fields", "اسم الميناء", "Name of the port", type="text", **visit)
    keys.tick("[name=required]")
    keys.when("port", "is", "Other")
    keys.add("fields", "عدد الزوار", "Visitors", type="number", **visit)
    keys.tick("[name=required]")
    keys.write("[name=minimum]", "1")
    keys.write("[name=maximum]", "40")
    keys.add("fields", "من", "From", type="date", **visit)
    keys.tick("[name=required]")
    keys.tick("[name=future]")
    keys.add("fields", "إلى", "Until", type="date", **visit)
    keys.tick("[name=required]")
    keys.add("fields", "هاتف المسؤول", "Phone on site", type="mobile", **visit)
    keys.add("fields", "بضاعة معهم", "They bring goods", type="bool", section="the_cargo")
    keys.add("fields", "القيمة", "Value", type="amount", section="the_cargo")
    keys.tick("[name=required]")
    keys.when("they_bring_goods", "is", "yes")
    keys.add("fields", "المركبات", "Vehicles", type="rows", section="the_cargo")
    keys.write("[name=most]", "5")
    keys.both("row", "المركبة", "Vehicle")
    keys.add("fields.vehicles.columns", "رقم اللوحة", "Plate number", type="text")
    keys.tick("[name=required]")
    keys.add("fields.vehicles.columns", "الحمولة", "Load", type="number")
    keys.part("form")
    keys.add("refuse", "تنتهي الزيارة قبل أن تبدأ.", "The visit ends before it starts.")
    keys.when("until", "before", "=from")
    keys.pick("[name=at]", "until")
    keys.save()


def _make_documents(keys: Keys) -> None:
    keys.part("documents")
    for kind in ("passport_copy", "office_letter"):
        keys.unfold("#add-documents")
        keys.pick("#add-documents [name=standard]", kind)
        keys.open("#add-documents .form-actions button")
        keys.tick("[name=required]")
        if kind == "passport_copy":
            keys.tick("[name=broker_types][value=private]")
        else:
            keys.when("they_bring_goods", "is", "yes")
    keys.save()


def _make_review(keys: Keys) -> None:
    keys.part("review")
    keys.add("stages", "المعاينة", "Inspection")
    keys.pick("[name=team]", "inspectors")
    keys.write("[name=days]", "3")
    keys.when("visitors", "at_least", "10")
    keys.add("stages.inspection.fields", "تاريخ المعاينة", "Inspected on", type="date")
    keys.tick("[name=required]")
    keys.save()
    keys.part("review")
    keys.add("stages", "التوقيع", "Signature")
    keys.tick("[name=another_person]")
    keys.save()


def _make_statement(keys: Keys) -> None:
    keys.part("issued")
    keys.add("issued", "تصريح دخول", "Entry permit")
    keys.write("[name=prefix]", "EPX")
    keys.write("[name=paragraphs_ar]", "يُسمح لـ {name} بالدخول.\n\nتمت المعاينة {inspected_on}.")
    keys.write("[name=paragraphs_en]", "{name} may enter.\n\nInspected on {inspected_on}.")
    for name in ("port", "visitors", "vehicles"):
        keys.tick(f"[name=show][value={name}]")
    keys.write("[name=valid_days]", "30")
    keys.save()
    keys.open("a[href*='/issued.entry_permit.paragraphs/2/']")
    keys.when("visitors", "at_least", "10")
    keys.save()
    keys.part("messages")
    keys.to("details:has([name=messages_approved_ar_title]) > summary")
    keys.press("Enter")
    for name, more in (("title", ""), ("body", "\n{reason}"), ("sms", "")):
        keys.write(f"[name=messages_approved_ar_{name}]", f"تصريحك للطلب {{number}} جاهز{more}")
        keys.write(f"[name=messages_approved_en_{name}]", f"Your permit {{number}}{more}")
    keys.save()


def _look(keeper: Visit, keys: Keys) -> None:
    """Read the check-up, and see the form in both languages and widths."""
    keys.part("checkup")
    keeper.shoot("keyboard-checkup")
    assert keeper.page.locator("main .tasks li").count() == 0, keeper.page.inner_text("main")
    keys.part("preview")
    for lang in ("ar", "en"):
        for width in ("390", "full"):
            keys.to(f"[data-preview] a[data-lang={lang}][data-width='{width}']")
            keys.press("Enter")
            label = {"ar": "الميناء", "en": "Port"}[lang]
            shown = keeper.page.frame_locator(".preview-frame").locator("#preview")
            expect(shown).to_contain_text(label)
            keeper.shoot(f"keyboard-preview-{lang}-{width}")


def _use(browser: Browser, portal: Portal) -> None:
    """Ask for it on a phone, decide it in three stages, and check what was issued."""
    holder = _visit(browser, portal, "general@example.com", "ar", 390)
    request_id = _ask(holder)
    first = _visit(browser, portal, "reviewer@example.com", "ar")
    inspector = _visit(browser, portal, "reviewer2@example.com", "en")
    chief = _visit(browser, portal, CHIEF, "ar")
    assert cannot_decide(inspector, request_id)
    people.decide(first, request_id, "approve")
    people.decide(inspector, request_id, "approve", {"office-inspected_on": "20/11/2026"})
    assert cannot_decide(first, request_id)
    people.decide(chief, request_id, "approve")
    asked = "SELECT check_code, number FROM issued_document WHERE request_id = ?"
    ((code, number),) = portal.rows(asked, request_id)
    page = holder.open(f"/check/{code}")
    expect(page.locator("main")).to_contain_text(number)
    holder.shoot("keyboard-checked")
    assert faults(page) == []


def _ask(holder: Visit) -> int:
    page = holder.open(f"/my/services/{CODE}/")
    page.locator("#broker_type-private").check()
    people.press(page)
    page.locator("[data-row-add]").click()
    values = {"name_ar_1": "سالم", "name_ar_4": "العتيبي", "port": "other", "visitors": "12"}
    values |= {"from": "01/04/2031", "until": "30/03/2031", "vehicles-0-plate_number": "8/12345"}
    people.fill(page, values | {"name_of_the_port": "الدوحة"})
    page.keyboard.press("Tab")
    people.upload_together(page, {"passport_copy": "passport.jpg"})
    people.press(page, "button[name=submit][value=send]")
    expect(page.locator("#until-error")).to_contain_text("تنتهي الزيارة قبل أن تبدأ")
    holder.shoot("keyboard-refused")
    people.fill(page, {"until": "05/04/2031"})
    people.press(page, "button[name=submit][value=send]")
    expect(page.locator("main")).to_contain_text(re.compile(r"EPT/\d+/\d\d"))
    return int(re.findall(r"\d+", holder.path)[0])


def _visit(browser: Browser, portal: Portal, email: str, lang: str, width: int = 1280) -> Visit:
    options: dict[str, Any] = {"viewport": {"width": width, "height": HEIGHTS[width]}}
    context = browser.new_context(**options, reduced_motion="reduce")
    context.set_default_timeout(120_000)  # generous, as in the tests
    made = Visit(context.new_page(), context, portal, lang, width)
    made.speak(lang)
    made.enter(email)
    return made


@contextmanager
def _portal() -> Iterator[Portal]:
    with tempfile.TemporaryDirectory() as name, SmtpGateway() as mail, SmsGateway() as sms:
        folder = Path(name)
        with served(folder, mail, sms) as url:
            yield Portal(url, mail, sms, folder)


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
