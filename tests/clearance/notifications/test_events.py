"""The registered messages: complete in both languages, and filled by plain substitution."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clearance.core.settings import ROOT
from clearance.models.enums import CodePurpose
from clearance.notifications import events, schema, text_overrides
from clearance.notifications.schema import Wording
from tests.support.pages import ARABIC

FSI, PDI = "\u2068", "\u2069"
FOLDERS = sorted((ROOT / "clearance").glob("*/texts"))
SHIPPED = events.load(FOLDERS)
LATIN = re.compile(r"[A-Za-z]")


def texts_of(wording: Wording) -> tuple[str, ...]:
    return (wording.label, wording.title, wording.body, wording.sms)


def test_every_file_is_named_after_its_event() -> None:
    files = {path.stem for folder in FOLDERS for path in folder.iterdir()}
    assert files == {event.replace(":", "_") for event in SHIPPED}


def test_each_language_is_written_in_its_own_script() -> None:
    latin = [
        (event, text)
        for event, message in SHIPPED.items()
        for text in texts_of(message.ar)
        if LATIN.search(re.sub(r"\{\w+\}", "", text))
    ]
    arabic = [
        (event, text)
        for event, message in SHIPPED.items()
        for text in texts_of(message.en)
        if ARABIC.search(text)
    ]
    assert latin == []
    assert arabic == []


def test_codes_are_secret_and_sent_before_all_else() -> None:
    codes = [SHIPPED[f"code:{purpose}"] for purpose in CodePurpose]
    wrong = [
        message.event
        for message in codes
        if "code" not in message.params
        or not message.is_secret
        or message.priority >= schema.USUAL_PRIORITY
    ]
    assert wrong == []


def test_every_event_that_the_code_tells_is_registered() -> None:
    told = re.compile(r"""\b(?:tells?|notify|send_to)\w*(?:\(\s*|=)"(\w+(?::\w+)+)\"""")
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "clearance").rglob("*.py"))
    found = {event for source in sources for event in told.findall(source)}
    assert {"request:sent", "account:verified"} <= found
    assert found <= set(SHIPPED)


# What the specification (section 10) wants told; reminders of a day to come may be switched off.
FIXED = {
    "codes": ("code:verify", "code:reset", "code:factor", "code:contact", "code:consent"),
    "sent": ("request:sent",),
    "decided": ("request:returned", "request:approved", "request:rejected"),
    "exam seat": ("exam:announced", "exam:changed", "exam:released"),
    "exam reminder": ("exam:reminder",),
    "exam result": ("exam:passed", "exam:failed", "exam:absent"),
    "transfer": ("transfer:asked", "transfer:accepted", "transfer:declined"),
    "account changes": (
        *("account:password:changed", "account:contact:changed", "account:factor:changed"),
        *("account:access:changed", "account:member:disabled", "account:data:ready"),
    ),
    "new device": ("account:device:new",),
    "subscription": ("subscription:decided",),
}
CHOSEN = {"licence": ("licence:expiring", "licence:expired")}


def test_what_must_be_told_is_registered_and_only_reminders_can_be_switched_off() -> None:
    fixed = [event for named in FIXED.values() for event in named]
    chosen = [event for named in CHOSEN.values() for event in named]
    assert [event for event in fixed + chosen if event not in SHIPPED] == []
    assert [event for event in fixed + chosen if not SHIPPED[event].channels] == []
    assert [event for event in fixed if not SHIPPED[event].is_mandatory] == []
    assert [event for event in chosen if SHIPPED[event].is_mandatory] == []


def test_a_value_is_never_looked_at_again() -> None:
    values = {"reason": "{number} {0.__class__} %(number)s", "number": "CE/8/26"}
    assert events.fill_body("{reason}", values, "en") == values["reason"]


def test_format_and_percent_are_plain_text() -> None:
    template = "{number.__class__} {number!r} %(number)s {{ number }} {unknown}"
    filled = events.fill_body(template + " {number}", {"number": "7", "unknown": "{x}"}, "en")
    assert filled == "{number.__class__} {number!r} %(number)s {{ number }} {x} 7"


def test_an_unknown_placeholder_of_the_offices_own_text_is_named() -> None:
    unknown = SHIPPED["request:sent"].unknown_placeholders("{number} {nubmer}", "{code} {service}")
    assert unknown == ["nubmer", "code"]


def test_a_line_leaning_on_an_empty_value_is_left_out() -> None:
    template = "Approved.\nNote: {reason}\nThank you."
    assert events.fill_body(template, {"reason": ""}, "en") == "Approved.\nThank you."


def test_a_line_break_in_a_value_never_reaches_a_subject() -> None:
    subject = events.fill_subject(
        "About {name}", {"name": "x\r\nBcc: all@example.com\u2028y\x00"}, "en"
    )
    assert re.fullmatch(r"About x Bcc: all@example\.com ?y", subject)


def test_a_subject_is_never_longer_than_its_column() -> None:
    assert len(events.fill_subject("{name}", {"name": "ط" * 900}, "ar")) == 250


@pytest.mark.parametrize("lang", schema.LANGUAGES)
def test_a_bracketed_part_of_a_title_is_left_out_with_its_value(lang: str) -> None:
    title, values = "A {number} (for {name})", {"number": "7", "name": {"ar": "", "en": ""}}
    assert "(" not in events.fill_subject(title, values, lang)
    assert events.fill_subject(title, values | {"name": "Ali"}, "en") == "A 7 (for Ali)"
    assert events.fill_subject("A (note)", {}, lang) == "A (note)"


@pytest.mark.parametrize("lang", schema.LANGUAGES)
def test_a_bracketed_part_of_an_sms_is_left_out_where_it_has_no_room_or_no_value(lang: str) -> None:
    text = "الطلب {number} ({name})، للعلم (فقط)."
    values = {"number": "7", "name": "ط" * 40}
    assert events.fill_sms(text, values, lang) == f"الطلب 7 ({'ط' * 40})، للعلم (فقط)."
    values["name"] = "ط" * 50
    assert events.fill_sms(text, values, lang) == "الطلب 7، للعلم (فقط)."
    assert events.fill_sms(text, {"number": "7"}, lang) == "الطلب 7، للعلم (فقط)."
    latin = "Request {number} ({name})."
    assert "xx" in events.fill_sms(latin, {"number": "7", "name": "x" * 146}, lang)
    assert events.fill_sms(latin, {"number": "7", "name": "x" * 150}, lang) == "Request 7."


def test_an_sms_carries_no_marks(context: Flask) -> None:
    values = {"number": "CE/8/26", "name": "Al Nour"}
    assert events.fill_sms("الطلب {number} {name}", values, "ar") == "الطلب CE/8/26 Al Nour"
    for channel, marks in (("sms", False), ("email", True), ("portal", True)):
        _title, body = text_overrides.preview("request:sent", channel, "ar", "", "رقم {number}")
        assert (FSI in body) is marks


@pytest.mark.parametrize("value", ["CE/8/26", "+96550001234", "01/10/2026", "Al Nour Co."])
def test_text_of_the_other_direction_is_isolated_in_arabic(value: str) -> None:
    assert events.fill_body("رقم {x}", {"x": value}, "ar") == f"رقم {FSI}{value}{PDI}"


def test_arabic_is_isolated_in_english_and_left_alone_in_arabic() -> None:
    assert events.fill_body("At {x}", {"x": "قاعة 5"}, "en") == f"At {FSI}قاعة 5{PDI}"
    assert events.fill_body("في {x}", {"x": "قاعة 5"}, "ar") == "في قاعة 5"
    assert events.fill_body("At {x}", {"x": "Hall 5"}, "en") == "At Hall 5"


def test_each_line_of_a_value_is_isolated_by_itself() -> None:
    filled = events.fill_body("{reason}", {"reason": "first\nsecond"}, "ar")
    assert filled == f"{FSI}first{PDI}\n{FSI}second{PDI}"


def test_override_marks_typed_by_a_user_are_taken_out() -> None:
    filled = events.fill_body("From {name}", {"name": "a\u202eevil\u2069"}, "en")
    assert filled == "From aevil"


def test_codes_and_links_stay_as_they_are_so_that_they_can_be_copied() -> None:
    values = {"code": "123456", "link": "https://example.com/reset"}
    assert events.fill_body("الرمز: {code}\n{link}", values, "ar").endswith(
        "123456\nhttps://example.com/reset"
    )


def test_a_param_in_two_languages_is_written_in_the_readers() -> None:
    values = {"service": {"ar": "طلب امتحان", "en": "Exam request"}}
    assert events.fill_body("{service}", values, "en") == "Exam request"
    assert events.fill_body("{service}", values, "ar") == "طلب امتحان"
