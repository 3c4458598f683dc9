"""The catalogue's voice: one reader, one word for one thing, Arabic plurals by the rules."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.support import Translations

from tests.support.voice import INVISIBLE, arabic_faults, english_faults
from tests.test_translations import CATALOGUE, catalogue, messages, strings_of

COUNTED = re.compile(r"%\((?:num|count)\)s ([ء-ي\u064b-\u0652]+)")


def counted_messages() -> list[Message]:
    """Messages that say their number before the thing that is counted."""
    return [
        message
        for message in messages()
        if len(strings_of(message)) == 6 and COUNTED.search(strings_of(message)[5])
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("يمكنكم الإرسال.", "أدخلوا الرمز.", "ما تختارونه", "أنتم هنا"),
        *("تم تفعيل حسابكم", "لكم الخدمات", "فأعيدوا ضبطها", "إن كنتم", "منكم", "على مكتبكم"),
        *("موعد الاختبار", "المراجعون", "اختر مراجعاً.", "بيانات الاتصال", "وادخل الرمز."),
        *("رخصة نشطة", "لدى المراجع", "للمراجع"),
        "طلب renewal",
    ],
)
def test_wrong_arabic_is_found(text: str) -> None:
    assert arabic_faults(text)


@pytest.mark.parametrize(
    "text", ["أدخِل الرمز، كما في البطاقة.", "قيد المراجعة", "تكون الرخصة سارية", "ملف PDF"]
)
def test_right_arabic_passes(text: str) -> None:
    assert arabic_faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *("The applicant is told at once.", "his office", "It stands below.", "رمز here"),
        *("the Identity cards", "a clearance agent"),
    ],
)
def test_wrong_english_is_found(text: str) -> None:
    assert english_faults(text)


def test_the_office_keeps_its_name() -> None:
    assert english_faults("the Clearance Agents Affairs Office") == []


def test_arabic_of_the_catalogue_addresses_one_person_in_the_glossarys_words() -> None:
    wrong = [
        (text, found)
        for message in messages()
        for text in strings_of(message)
        if (found := arabic_faults(text))
    ]
    assert wrong == []


def test_english_of_the_catalogue_is_in_the_glossarys_words() -> None:
    wrong = [
        (text, found)
        for message in messages()
        for text in (message.id if isinstance(message.id, tuple | list) else [message.id])
        if (found := english_faults(text))
    ]
    assert wrong == []


def test_texts_have_no_invisible_characters() -> None:
    """One telephone number begins with + and needs a mark to be read from the left."""
    marked = [
        text
        for message in messages()
        for text in strings_of(message)
        if INVISIBLE.search(text) and "+965" not in text
    ]
    assert marked == []


@pytest.mark.parametrize(("number", "form"), [(0, 0), (1, 1), (2, 2), (3, 3), (11, 5), (100, 4)])
def test_each_number_takes_its_arabic_form(number: int, form: int) -> None:
    """CLDR's six forms of Arabic: zero, one, two, few (3-10), other (100), many (11-99)."""
    compiled = Path(str(CATALOGUE).removesuffix(".po") + ".mo")
    translations = Translations(BytesIO(compiled.read_bytes()))
    wrong = []
    for message in counted_messages():
        said = translations.ngettext(message.id[0], message.id[1], number)
        if said != strings_of(message)[form]:
            wrong.append(said)
    assert wrong == []


def test_what_is_counted_takes_the_case_that_its_number_asks_for() -> None:
    """11 to 99: singular accusative (سجلاً, مسودة); 100: singular genitive, without tanwin.

    "Within ... days" is a construct (يوم عمل), which takes no tanwin.
    """
    wrong = []
    for message in counted_messages():
        few, hundred, many = (COUNTED.search(text) for text in strings_of(message)[3:6])
        assert few and hundred and many, strings_of(message)
        if many[1] == hundred[1] == "يوم":
            continue
        if not many[1].endswith(("اً", "ة")) or hundred[1].endswith("اً"):
            wrong.append(strings_of(message)[3:6])
        if few[1] == many[1]:
            wrong.append(strings_of(message)[3:6])
    assert wrong == []
    assert catalogue().get(("%(num)s row", "%(num)s rows")) in counted_messages()
