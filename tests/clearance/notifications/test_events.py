"""The registered messages: complete in both languages, and filled by plain substitution."""

from __future__ import annotations

import re

import pytest

from clearance.core.settings import ROOT
from clearance.models.enums import Channel
from clearance.notifications import events
from clearance.notifications.events import EVENTS
from tests.support.pages import ARABIC

FSI, PDI = "\u2068", "\u2069"
EVENTS_AND_LANGUAGES = [(event, lang) for event in EVENTS for lang in events.LANGUAGES]


@pytest.mark.parametrize(("event", "lang"), EVENTS_AND_LANGUAGES)
def test_every_event_has_every_text_it_can_be_sent_by(event: str, lang: str) -> None:
    message = EVENTS[event]
    wording = message.wording[lang]
    assert wording.label and wording.title and wording.body
    assert bool(wording.sms) == (Channel.SMS in message.channels)


@pytest.mark.parametrize(("event", "lang"), EVENTS_AND_LANGUAGES)
def test_shipped_texts_use_known_placeholders_only(event: str, lang: str) -> None:
    for channel in (events.PORTAL, *EVENTS[event].channels):
        assert events.faults(event, *EVENTS[event].shipped(channel, lang)) == []


@pytest.mark.parametrize("event", EVENTS)
def test_each_language_is_written_in_its_own_script(event: str) -> None:
    arabic, english = EVENTS[event].wording["ar"], EVENTS[event].wording["en"]
    for text in (arabic.label, arabic.title, arabic.body, arabic.sms):
        assert not re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", text)), text
    for text in (english.label, english.title, english.body, english.sms):
        assert not ARABIC.search(text), text


@pytest.mark.parametrize(("event", "lang"), EVENTS_AND_LANGUAGES)
def test_both_languages_name_the_needed_params_in_the_body(event: str, lang: str) -> None:
    wording = EVENTS[event].wording[lang]
    for name in EVENTS[event].params:
        assert f"{{{name}}}" in wording.title + wording.body, name


@pytest.mark.parametrize(("event", "lang"), EVENTS_AND_LANGUAGES)
def test_an_sms_needs_three_parts_at_most(event: str, lang: str) -> None:
    sample = dict.fromkeys(EVENTS[event].placeholders, "12/12/2026 10:00")
    text = events.fill_body(EVENTS[event].wording[lang].sms, sample, lang)
    assert len(text) <= (3 * 67 if lang == "ar" else 3 * 153), text


@pytest.mark.parametrize("event", [event for event in EVENTS if event.startswith("code:")])
@pytest.mark.parametrize("lang", events.LANGUAGES)
def test_codes_are_in_mail_and_sms_but_never_in_a_subject(event: str, lang: str) -> None:
    wording = EVENTS[event].wording[lang]
    assert "{code}" in wording.body
    assert "{code}" in wording.sms
    assert "{code}" not in wording.title
    assert EVENTS[event].is_secret
    assert EVENTS[event].priority < events.USUAL_PRIORITY


def test_every_event_that_the_code_tells_is_registered() -> None:
    told = re.compile(r"""\b(?:tells?|notify|send_to)\w*(?:\(\s*|=)"(\w+(?::\w+)+)\"""")
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "clearance").rglob("*.py"))
    found = {event for source in sources for event in told.findall(source)}
    assert {"request:sent", "account:verified"} <= found
    assert found <= set(EVENTS)


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


@pytest.mark.parametrize("what", [*FIXED, *CHOSEN])
def test_whatever_is_to_be_told_is_registered_and_fixed_or_ones_own_choice(what: str) -> None:
    for event in FIXED.get(what, ()) + CHOSEN.get(what, ()):
        assert EVENTS[event].is_mandatory is (what in FIXED), event
        assert EVENTS[event].channels, event


def test_a_value_is_never_looked_at_again() -> None:
    values = {"reason": "{number} {0.__class__} %(number)s", "number": "CE/8/26"}
    assert events.fill_body("{reason}", values, "en") == values["reason"]


def test_format_and_percent_are_plain_text() -> None:
    template = "{number.__class__} {number!r} %(number)s {{ number }} {unknown}"
    filled = events.fill_body(template + " {number}", {"number": "7", "unknown": "{x}"}, "en")
    assert filled == "{number.__class__} {number!r} %(number)s {{ number }} {x} 7"


def test_an_unknown_placeholder_of_the_offices_own_text_is_named() -> None:
    assert events.faults("request:sent", "{number} {nubmer}", "{code} {service}") == [
        "nubmer",
        "code",
    ]


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
