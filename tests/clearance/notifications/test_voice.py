"""How notices speak: to one person, in plain words, and by SMS in one part."""

from __future__ import annotations

import re
from typing import Any

import pytest

from clearance.core.settings import ROOT
from clearance.notifications import events, letter
from clearance.notifications.schema import LANGUAGES
from clearance.notifications.text_overrides import SAMPLES
from clearance.organisations import notifications as member_notices
from clearance.organisations import subscription_changes
from clearance.transfers import effects as transfer_effects
from tests.support.voice import INVISIBLE, faults

SHIPPED = events.load(sorted((ROOT / "clearance").glob("*/texts")))
WITH_VALUES = (member_notices, subscription_changes, transfer_effects)

PORTAL = {"ar": "بوابة التخليص الجمركي:", "en": "Customs Clearance Portal:"}

# What real messages carry at their usual longest.
USUAL = SAMPLES | {
    "number": "CE/1208/26",
    "broker": {"ar": "سالم محمد علي العتيبي", "en": "Salem Mohammad Ali Alotaibi"},
    "document": {"ar": "شهادة إلى من يهمه الأمر", "en": "To whom it may concern"},
    "link": f"https://clearance.customs.gov.kw/consent/{'k' * 43}",
    "name": {
        "ar": "عبدالرحمن محمد علي العبدالرزاق",
        "en": "Abdulrahman Mohammad Ali Alabdulrazzaq",
    },
    "short_name": {"ar": "عبدالرحمن العبدالرزاق", "en": "Abdulrahman Alabdulrazzaq"},
    "service": {
        "ar": "طلب طباعة بطاقة هوية التخليص بدل فاقد",
        "en": "Replace a lost broker ID card",
    },
    "what": {"ar": "البطاقة المدنية", "en": "civil ID card"},
}
IN_TWO_PARTS = {
    ("transfer:consent", "ar"): "its link alone is longer than one part",
}
GSM = re.compile(r"[A-Za-z0-9 \n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


def parts(text: str) -> int:
    one, more = (160, 153) if GSM.fullmatch(text) else (70, 67)
    return 1 if len(text) <= one else -(-len(text) // more)


def sms() -> dict[tuple[str, str], str]:
    """Every SMS with usual values."""
    return {
        (event, lang): events.fill_sms(message.wording(lang).sms, USUAL, lang)
        for event, message in SHIPPED.items()
        for lang in LANGUAGES
        if message.wording(lang).sms
    }


def in_language(found: Any, lang: str) -> list[str]:
    """The texts in `lang` of all mappings of languages inside `found`."""
    if not isinstance(found, dict):
        return []
    if set(found) == set(LANGUAGES):
        return [found[lang]]
    return [text for value in found.values() for text in in_language(value, lang)]


def spoken(lang: str) -> list[str]:
    """Everything that notices say in `lang`: texts, values that the code fills in, samples."""
    wordings = [message.wording(lang) for message in SHIPPED.values()]
    texts = [text for each in wordings for text in (each.label, each.title, each.body, each.sms)]
    for module in WITH_VALUES:
        constants = {name: value for name, value in vars(module).items() if name.isupper()}
        texts += in_language(constants, lang)
    around = letter.around("", {"recipient": "–"}, lang)
    return [*texts, *in_language(SAMPLES, lang), around]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_notices_speak_to_one_person_in_the_words_of_the_glossary(lang: str) -> None:
    wrong = [(text, found) for text in spoken(lang) if (found := faults(text, lang))]
    assert wrong == []
    assert [text for text in spoken(lang) if text.startswith(PORTAL[lang])] == []


def test_the_values_in_code_are_among_what_is_checked() -> None:
    assert {"You have access again.", "the broker", "approved"} <= set(spoken("en"))


@pytest.mark.parametrize(
    ("lang", "name"),
    [("ar", "مكتب شؤون المخلصين"), ("en", "Clearance Agents Affairs Office")],
)
def test_the_office_has_its_full_name_before_it_is_called_the_office(lang: str, name: str) -> None:
    short = re.compile(r"\bالمكتب\b" if lang == "ar" else r"\bthe office\b", re.IGNORECASE)
    early = [
        (event, text)
        for event, message in SHIPPED.items()
        for text in (message.wording(lang).body, message.wording(lang).sms)
        if (found := short.search(text)) and name not in text[: found.start()]
    ]
    assert early == []


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_every_notice_about_a_request_names_number_and_person_in_its_title() -> None:
    about = [event for event in SHIPPED if event.startswith(("request:", "exam:", "office:"))]
    lacking = [
        (event, lang)
        for event in about
        for lang in LANGUAGES
        for named in [placeholders(SHIPPED[event].wording(lang).title)]
        if not ({"number"} if SHIPPED[event].audience == "person" else {"number", "name"}) <= named
    ]
    assert lacking == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sms_about_a_request_names_the_person_in_one_part(lang: str) -> None:
    about = {
        event: text
        for (event, language), text in sms().items()
        if language == lang
        and event.startswith(("request:", "exam:"))
        and SHIPPED[event].audience == "agent"
    }
    assert {"request:approved", "request:returned", "request:rejected", "exam:passed"} <= set(about)
    name = USUAL["short_name"][lang]
    assert {event: text for event, text in about.items() if name not in text} == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_candidates_are_spoken_to_and_users_read_the_name(lang: str) -> None:
    spoken_to = re.compile(
        r"\byour?\b" if lang == "en" else r"\w{3}ك\b(?<!\bتلك)|\bرُشّحت\b|\bاجتز\b|\bلك\b"
    )
    for event, message in SHIPPED.items():
        if message.audience == "person":
            wording, to_user = (
                message.wording(lang),
                SHIPPED[event.rpartition(":")[0]].wording(lang),
            )
            assert spoken_to.search(wording.body), event
            assert "{name}" not in wording.title + wording.body + wording.sms
            assert "{name}" in to_user.body.splitlines()[0], event
            third = "المتقدم" if lang == "ar" else "candidate"
            assert third not in wording.body + to_user.body.splitlines()[0], event


def test_an_sms_is_one_part() -> None:
    longer = {key: (len(text), text) for key, text in sms().items() if parts(text) > 1}
    assert set(longer) == set(IN_TWO_PARTS), longer
    assert {parts(text) for _length, text in longer.values()} == {2}


def test_an_sms_has_no_invisible_character() -> None:
    assert {key: text for key, text in sms().items() if INVISIBLE.search(text)} == {}


def test_numbers_that_would_change_places_are_kept_apart_by_a_word() -> None:
    """Without isolates, a number joins a Latin one before it, and they read left to right."""
    joined = re.compile(r"[A-Z]{2}[-/][0-9/]+[^\w/]+[0-9]")
    arabic = {event: text for (event, lang), text in sms().items() if lang == "ar"}
    assert {event: text for event, text in arabic.items() if joined.search(text)} == {}


def test_a_code_is_named_at_the_beginning_of_its_sms() -> None:
    codes = {key: text for key, text in sms().items() if key[0].startswith("code:")}
    assert codes[("code:verify", "ar")] == "رمز التحقق 123456، صالح 10 دقائق. لا تشاركه مع أحد."
    assert [text for text in codes.values() if "123456" not in text[:35]] == []
    ends = {"ar": "لا تشاركه مع أحد.", "en": "Do not share it."}
    assert [text for (_event, lang), text in codes.items() if not text.endswith(ends[lang])] == []
