"""Typed values: what is taken, how it is kept, what is refused."""

import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest

from clearance.core import values
from clearance.core.values import BadValue

pytestmark = pytest.mark.usefixtures("plain_english")

TODAY = date(2026, 10, 4)


def refusal(value: object) -> str:
    assert value is not None
    return str(value)


def test_a_line_is_trimmed_collapsed_and_composed() -> None:
    assert values.clean_text("  e\u0301a\u00a0\tb\r\n c\x00\x1b ") == "éa b c"


@pytest.mark.parametrize("clean", [values.clean_text, values.clean_lines, values.arabic_name])
def test_cleaning_takes_time_by_length_alone(clean: Callable[[str], str]) -> None:
    accents = "م" + "\u0301\u0323" * 30_000
    start = time.thread_time()
    with suppress(BadValue):
        clean(accents)
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("999999999", 999_999_999),
        *dict.fromkeys(
            ("", "-1", "+1", "1.0", " 1", "1_0", "٣", "²", "9" * 10, "9" * 5000)
        ).items(),
        (None, None),
    ],
)
def test_a_number_that_a_form_sends_is_of_few_digits_alone(
    typed: str | None, number: int | None
) -> None:
    assert values.whole_number(typed) == number


def test_numbers_that_a_form_sends_twice_or_not_in_digits_are_left_out() -> None:
    assert values.whole_numbers(["7", "x", "3", "007", "9" * 5000]) == [7, 3]


def test_accents_of_any_script_stay() -> None:
    stacked = "Z" + "\u0327\u0301\u0308" * 10
    assert values.clean_text(stacked) == unicodedata.normalize("NFC", stacked)
    assert len(values.clean_text(stacked + "\u0301" * 99)) == len(values.clean_text(stacked))


def test_a_line_loses_bidi_marks_what_nobody_sees_and_halves_of_characters() -> None:
    assert values.clean_text("a\u202eb\u2066c\u200fd\ufeff\ud800") == "abcd"
    assert values.clean_text("a\u00adb\u3164c\u2800d\ufff9e\U000e0041") == "abcde"
    assert values.clean_text("می\u200cخواهم 👩\u200d⚕\ufe0f") == "می\u200cخواهم 👩\u200d⚕\ufe0f"
    assert values.clean_text(" \u200d\ufe0f\u200c ") == values.clean_lines("\u200d\n\u3164") == ""


def test_emoji_and_arabic_stay() -> None:
    assert values.clean_text("مُحمّد 👩‍💻") == "مُحمّد 👩‍💻"


def test_lines_keep_their_breaks() -> None:
    assert values.clean_lines(" a  b \r\nc\r\n\r\n\r\n\r\nd\u2028e\r ") == "a b\nc\n\nd\ne"


@pytest.mark.parametrize("clean", [values.clean_text, values.clean_lines])
def test_what_is_longer_than_the_column_is_refused_after_cleaning(
    clean: Callable[[str, int], str],
) -> None:
    assert clean(" abc ", 3) == "abc"
    with pytest.raises(BadValue) as refused:
        clean("abcd", 3)
    assert "Use 3 characters or fewer" in str(refused.value.message)


def test_digits_of_both_arabic_kinds_become_ascii() -> None:
    assert values.ascii_digits("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ x1") == "0123456789 0123456789 x1"


def test_a_made_civil_number_is_a_valid_one() -> None:
    made = 0
    for serial in range(200):
        for birth in (date(1988, 1, 1), date(2004, 2, 29)):
            try:
                number = values.civil_number_for(birth, serial)
            except ValueError:
                continue
            made += 1
            assert values.civil_number_fault(number, TODAY) is None
            assert values.civil_number_birth(number) == birth
    assert made > 300


def test_the_check_digit_follows_the_weights() -> None:
    # 2*2 + 8*1 + 8*6 + 0*3 + 1*7 + 0*9 + 1*10 + 0*5 + 0*8 + 1*4 + 1*2 = 83, and 11 - 83 % 11 = 5.
    assert values.civil_number_for(date(1988, 1, 1), 11) == "288010100115"


def test_serials_whose_check_digit_would_be_ten_or_eleven_are_never_issued() -> None:
    never = [n for n in range(100) if not issued(date(1988, 1, 1), n)]
    assert never
    for serial in never:
        for digit in range(10):
            assert values.civil_number_fault(f"2880101{serial:04d}{digit}", TODAY) is not None


def issued(birth: date, serial: int) -> bool:
    try:
        values.civil_number_for(birth, serial)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("year", "serial"), [(1899, 1), (2100, 1), (1988, -1), (1988, 10_000)])
def test_no_civil_number_is_made_outside_the_register(year: int, serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        values.civil_number_for(date(year, 1, 1), serial)


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("", "12 digits"),
        ("28801010011", "12 digits"),
        ("2880101001155", "12 digits"),
        ("28801010011x", "12 digits"),
        ("²88010100115", "12 digits"),
        ("288010100115\n", "12 digits"),
        ("188010100115", "birth date"),
        ("288130100115", "birth date"),
        ("288023000115", "birth date"),
        ("301022900115", "birth date"),
        ("288010100116", "wrong"),
        ("288010100151", "wrong"),
    ],
)
def test_a_wrong_civil_number_is_refused_with_its_reason(number: str, part: str) -> None:
    assert part in refusal(values.civil_number_fault(number, TODAY))


def test_a_civil_number_of_someone_not_born_yet_is_refused() -> None:
    serial = next(n for n in range(9) if issued(date(2026, 10, 5), n))
    number = values.civil_number_for(date(2026, 10, 5), serial)
    assert "birth date" in refusal(values.civil_number_fault(number, TODAY))
    assert values.civil_number_fault(number, date(2026, 10, 5)) is None


def test_a_civil_number_may_be_typed_in_arabic_digits_with_spaces() -> None:
    assert values.civil_number("٢ ٨٨٠١٠١ ٠٠١١٥ ") == "288010100115"
    with pytest.raises(BadValue):
        values.civil_number("٢٨٨٠١٠١٠٠١١٦")


@pytest.mark.parametrize(
    "typed",
    [
        "2-880101-00115",
        "288\u2011010\u2013100115",
        "２８８０１０１００１１５",
        "\u2068288010100115\u2069",
    ],
)
def test_a_civil_number_may_be_pasted_with_hyphens_and_marks(typed: str) -> None:
    assert values.civil_number(typed) == "288010100115"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("123456", "123456"),
        ("١٢٣ ٤٥٦", "123456"),
        ("رمز التحقق 123456، صالح 10 دقائق.", "123456"),
        ("Sign-in code: \u2068123 456\u2069", "123456"),
        ("123456 123456", ""),
        ("123456 or 654321", ""),
        ("123456 and again 123456", "123456"),
        ("1234567", ""),
        ("12345", ""),
        ("", ""),
        ("no number", ""),
    ],
)
def test_the_one_number_among_words_is_found(typed: str, number: str) -> None:
    assert values.number_among_words(typed, 6) == number


def test_a_search_loses_what_nobody_sees_and_is_cut() -> None:
    assert values.searched(" \u2068KW-1084\u2069\u200f\u00a0 ", 200) == "KW-1084"
    assert values.searched("٢٨٨０１", 200) == "28801"
    assert values.searched("ا" * 500, 100) == "ا" * 100


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("50001234", "+96550001234"),
        ("٥٠٠٠١٢٣٤", "+96550001234"),
        ("+965 5000-1234", "+96550001234"),
        ("00965 5000 1234", "+96550001234"),
        ("\u200f+965 6000 1234\u200e", "+96560001234"),
        ("+966 50 123 4567", "+966501234567"),
    ],
)
def test_a_mobile_is_kept_in_e164(typed: str, kept: str) -> None:
    assert values.mobile_e164(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "123",
        "22451234",  # a fixed line
        "50001234 ext 5",
        "50001234x5",
        "+965 5000 1234;ext=7",
        "abc",
        "+96550001234" * 5,
        "+1 800 555 0100",
    ],
)
def test_what_is_no_mobile_is_refused(typed: str) -> None:
    with pytest.raises(BadValue) as refused:
        values.mobile_e164(typed)
    assert "mobile number" in str(refused.value.message)


def test_the_region_decides_what_a_short_number_means() -> None:
    assert values.mobile_e164("0501234567", "SA") == "+966501234567"


def test_equal_addresses_are_kept_equal() -> None:
    assert values.email_address("  Sara.Ali@Example.COM ") == "sara.ali@example.com"


@pytest.mark.parametrize(
    "typed",
    ["", "sara", "sara@", "@example.com", "a b@example.com", "سارة@example.com", "a@b@example.com",
     "sara@example", "Sara <sara@example.com>", "a@example.com\r\nBcc: b@example.com",
     "x" * 250 + "@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadValue) as refused:
        values.email_address(typed)
    assert "name@example.com" in str(refused.value.message)


@pytest.mark.parametrize("name", ["محمد", "عبد الرحمن", "آل-صباح", "مُحمّد", "گلناز", "هناء"])
def test_names_in_arabic_script_are_taken(name: str) -> None:
    assert values.arabic_name_fault(name) is None


@pytest.mark.parametrize(
    "name", ["", "Ali", "محمد.", "محمد A", "محمد2", "محمد٢", "-محمد", "محمد!", "م" * 61]
)
def test_other_names_are_refused_in_an_arabic_field(name: str) -> None:
    assert "Arabic letters" in refusal(values.arabic_name_fault(name))


@pytest.mark.parametrize(
    "name", ["Ali", "Al-Sabah", "O'Neil", "José María", "Ad’ha", "S. Kumar", "St. John", "MOHD."]
)
def test_names_in_latin_script_are_taken(name: str) -> None:
    assert values.latin_name_fault(name) is None


@pytest.mark.parametrize(
    "name", ["", "علي", "Ali 2", "'Ali", ".Ali", "...", "Аli", "Ali<b>", "A" * 61]
)
def test_other_names_are_refused_in_an_english_field(name: str) -> None:
    assert "English letters" in refusal(values.latin_name_fault(name))


def test_names_are_cleaned_before_they_are_judged() -> None:
    assert values.latin_name("Al\u2010Sabah") == "Al-Sabah"
    assert values.arabic_name(" ﻣﺤﻤـــﺪ \u200f علي ") == "محمد علي"
    assert values.latin_name(" Ali\u202e  Hasan ") == "Ali Hasan"
    with pytest.raises(BadValue):
        values.arabic_name("Ali")
    with pytest.raises(BadValue):
        values.latin_name("علي")


def test_masks_tell_only_the_ends() -> None:
    assert values.mask_civil_id("288010100115") == "••••••••0115"
    assert values.mask_civil_id("123") == "••••"
    assert values.mask_mobile("+96550001234") == "+965••••1234"
    assert values.mask_mobile("123") == "••••"
    assert values.mask_email("sara.ali@example.com") == "s•••@example.com"
    assert values.mask_email("nonsense") == "•••"


def test_isolated_text_stands_between_the_isolates() -> None:
    assert values.isolate("CE/8/19") == "\u2068CE/8/19\u2069"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("صورة البطاقة.pdf", "صورة البطاقة.pdf"),
        ("C:\\Users\\me\\a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("a\x00\r\nb.png", "a b.png"),
        ("", "file"),
        ("folder/", "file"),
    ],
)
def test_a_file_label_is_a_harmless_base_name(name: str, label: str) -> None:
    assert values.file_label(name) == label


def test_a_long_file_label_keeps_its_ending() -> None:
    label = values.file_label("وثيقة" * 60 + ".pdf")
    assert len(label) == 150
    assert label.endswith(".pdf")
    assert len(values.file_label("x" * 300)) == 150
    assert len(values.file_label("a." + "b" * 300)) == 150
