"""Clean, validate, normalise and mask single values, without database or forms."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from clearance.core.clock import KUWAIT, kuwait_today

NAME_MAX_LENGTH = 60
EMAIL_MAX_LENGTH = 254
FILE_LABEL_MAX_LENGTH = 150
_MOBILE_TYPED_MAX_LENGTH = 40
YEARS = range(1900, 2200)

# Marks of direction, fillers and tags: a text of them looks empty, or hides something. The joiners
# of letters and emoji stay, and so do the selectors of emoji.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that nobody sees, as a regular expression has them between brackets."""
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_JOINERS = "\u200c\u200d\ufe00\ufe01\ufe0e\ufe0f \n"
_ASCII_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９", "0123456789" * 3)
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"))
_DAYS = (
    re.compile(r"(?P<d>[0-9]{1,2})[/.-](?P<m>[0-9]{1,2})[/.-](?P<y>[0-9]{4})"),
    re.compile(r"(?P<y>[0-9]{4})[/.-](?P<m>[0-9]{1,2})[/.-](?P<d>[0-9]{1,2})"),
    # Number pads of phones may have digits only. It is no year first: no month is 19, 20 or 21.
    re.compile(r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{4})"),
)
_TIME = re.compile(r"(?P<h>[0-9]{1,2})(?:[:.]?(?P<min>[0-9]{2})(?:[:.]00)?)?(?P<half>[^0-9:]*)")
_MORNINGS = frozenset({"am", "ص", "صباحا"})
_HALVES = dict.fromkeys(_MORNINGS, 0) | dict.fromkeys(("pm", "م", "مساء"), 12)  # hours added
_DAY_AND_TIME = re.compile(r"([0-9/.-]+)(?:[ t,،]|at|الساعة)+([0-9].*)")
_DAY_AND_TIME_MAX_LENGTH = 60
_AMOUNT_SIGNS = str.maketrans("\u066b\u066c\u060c", ".,,")  # Arabic decimal and thousands signs
_AMOUNT = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2})(\.[0-9]{1,3})?")
_CIVIL_NUMBER = re.compile(r"[0-9]{12}")
_CIVIL_WEIGHTS = (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CENTURIES = {"2": 1900, "3": 2000}
_NAME_MARKS = frozenset(" -'’")
_LATIN_MARKS = _NAME_MARKS | {"."}  # S. Kumar, MOHD.
_COMBINING = "".join(
    mark for mark in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(mark)
)
# Composing is quadratic in the length of a run; no script has 30 in a row (UAX 15).
_SURPLUS_MARKS = re.compile(f"([{_COMBINING}]{{30}})[{_COMBINING}]+")


class BadValue(ValueError):
    """An invalid input; `message` says in plain words why and what to do."""

    def __init__(self, message: LazyString) -> None:
        super().__init__(message)
        self.message = message


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Normalise `text` in linear time, keeping at most 30 combining marks in a row."""
    return unicodedata.normalize(form, _SURPLUS_MARKS.sub(r"\1", text))


def _visible(text: str) -> str:
    """Return NFC text without control and invisible characters; line breaks become `\\n`.

    It is empty if nobody would see anything of it.
    """
    kept = []
    for character in composed(_INVISIBLE.sub("", text.replace("\r\n", "\n"))):
        category = unicodedata.category(character)
        if character in "\n\r\u2028\u2029\x0b\x0c\x85":
            kept.append("\n")
        elif category == "Zs" or character == "\t":
            kept.append(" ")
        elif category not in ("Cc", "Cs"):
            kept.append(character)
    shown = "".join(kept)
    return shown if shown.strip(_JOINERS) else ""


def _within(text: str, max_length: int | None) -> str:
    if max_length is not None and len(text) > max_length:
        raise BadValue(
            _l(
                "This is too long. Use %(max_length)d characters or fewer.",
                max_length=max_length,
            )
        )
    return text


def clean_text(text: str, max_length: int | None = None) -> str:
    """Clean one line of text: NFC, nothing invisible, single spaces, none at the ends.

    max_length: in characters, the column's. Raises: BadValue when the cleaned text is longer.
    Source: security requirement 37.
    """
    return _within(" ".join(_visible(text).split()), max_length)


def clean_lines(text: str, max_length: int | None = None) -> str:
    """Clean several lines of text as `clean_text`, but keep line breaks (as `\\n`, two at most).

    max_length: in characters, the column's. Raises: BadValue when the cleaned text is longer.
    """
    lines = [" ".join(line.split()) for line in _visible(text).split("\n")]
    return _within(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), max_length)


def ascii_digits(text: str) -> str:
    """Return `text` with Arabic-Indic, Persian and full-width digits written as 0 to 9."""
    return text.translate(_ASCII_DIGITS)


def whole_number(text: str | None) -> int | None:
    """Return a number from 0 to 999,999,999 that a form or address sent in digits, else None."""
    is_number = text and len(text) < 10 and text.isascii() and text.isdigit()
    return int(text) if text and is_number else None


def whole_numbers(texts: Iterable[str]) -> list[int]:
    """Return those of the texts that `whole_number` takes, each number once, in their order."""
    return [number for number in dict.fromkeys(map(whole_number, texts)) if number is not None]


def _without_spaces(text: str) -> str:
    return "".join(_visible(text).split())


def searched(text: str, max_length: int) -> str:
    """Return what was typed or pasted into a search box, without what nobody sees.

    A number copied from our messages and pages carries isolating characters. Longer text is cut.
    """
    return ascii_digits(clean_text(text[: 2 * max_length]))[:max_length].strip()


def mobile_forms(digits: str) -> list[str]:
    """Return the stored forms that a mobile typed with or without country code may have."""
    forms = {f"+{digits.removeprefix('00')}"}
    with suppress(BadValue):
        forms.add(mobile_e164(digits))
    return sorted(forms)


def number_among_words(text: str, length: int) -> str:
    """Return the one number of `length` digits in a pasted text, "" unless there is exactly one.

    Its digits may be written in groups, such as 123 456.
    """
    typed = ascii_digits(clean_text(text).translate(_HYPHENS))
    if (alone := re.sub("[ -]", "", typed)).isdecimal():
        return alone if len(alone) == length else ""
    found = set(re.findall(rf"(?<![0-9])(?:[0-9][ -]?){{{length}}}(?![ -]?[0-9])", typed))
    numbers = {re.sub("[ -]", "", number) for number in found}
    return numbers.pop() if len(numbers) == 1 else ""


def day(text: str) -> date:
    """Return a date typed as day, month and year, or year, month and day, in digits of any script.

    Raises: BadValue when it is no date, or its year is not one of `YEARS`.
    """
    typed = ascii_digits(_without_spaces(text)).translate(_HYPHENS)
    found = next((match for shape in _DAYS if (match := shape.fullmatch(typed))), None)
    try:
        read = date(int(found["y"]), int(found["m"]), int(found["d"])) if found else None
    except ValueError:
        read = None
    if read is None or read.year not in YEARS:
        raise BadValue(_l("Enter a date as day, month and year, for example 31/12/2030."))
    return read


def time_of_day(text: str) -> time:
    """Return a time typed in 24 hours (14:05, 1405), or in 12 with am or pm, ص or م.

    Raises: BadValue when it is no time.
    """
    found = _TIME.fullmatch(ascii_digits(_without_spaces(text)).casefold())
    read = _time_in(found) if found else None
    if read is None:
        raise BadValue(_l("Enter a time as hours and minutes, for example 09:30."))
    return read


def _time_in(found: re.Match[str]) -> time | None:
    hour, minute = int(found["h"]), int(found["min"] or 0)
    half = re.sub("[.\u064b]", "", found["half"])
    is_whole = half in _HALVES if half else found["min"] is not None
    if not is_whole:
        return None
    if half and hour <= 12:
        hour = hour % 12 + _HALVES[half]
    elif half in _MORNINGS:
        return None
    return time(hour, minute) if hour < 24 and minute < 60 else None


def kuwait_instant(text: str) -> datetime:
    """Return a day and a time typed one after the other, as `day` and `time_of_day` take them.

    Returns: an aware datetime in Kuwait's time. Raises: BadValue when it is not both.
    """
    typed = ascii_digits(clean_text(text)).translate(_HYPHENS).casefold()
    if len(typed) <= _DAY_AND_TIME_MAX_LENGTH:
        typed = re.sub(r" ?([-/.:]) ?", r"\1", typed)
        found = _DAY_AND_TIME.fullmatch(typed)
        with suppress(BadValue):
            if found is not None:
                return datetime.combine(day(found[1]), time_of_day(found[2]), KUWAIT)
    raise BadValue(_l("Enter a date and a time, for example 31/12/2030 at 09:30."))


def amount(text: str) -> Decimal:
    """Return a sum of Kuwaiti dinars, with the three decimals of fils.

    Digits of any script, with or without separators of thousands. Raises: BadValue.
    """
    typed = ascii_digits(_without_spaces(text)).translate(_AMOUNT_SIGNS)
    if _AMOUNT.fullmatch(typed) is None:
        raise BadValue(_l("Enter an amount in dinars, for example 12.500."))
    return Decimal(typed.replace(",", "")).quantize(Decimal("0.001"))


def passport_number(text: str) -> str:
    """Return a passport number as 5 to 20 capital Latin letters and digits. Raises: BadValue."""
    typed = ascii_digits(_without_spaces(text)).translate(_HYPHENS).replace("-", "").upper()
    if re.fullmatch(r"[A-Z0-9]{5,20}", typed) is None:
        raise BadValue(_l("Enter the passport number in Latin letters and digits only."))
    return typed


def civil_number(text: str) -> str:
    """Return a civil number as typed (digits of any script, spaces, hyphens) as 12 ASCII digits.

    Raises: BadValue as `civil_number_fault` says.
    """
    number = ascii_digits(_without_spaces(text)).translate(_HYPHENS).replace("-", "")
    fault = civil_number_fault(number)
    if fault is not None:
        raise BadValue(fault)
    return number


def civil_number_birth(number: str) -> date | None:
    """Return the birth date in digits 2 to 7 (century: digit 1), or None if invalid."""
    if not _CIVIL_NUMBER.fullmatch(number) or number[0] not in _CENTURIES:
        return None
    try:
        return date(_CENTURIES[number[0]] + int(number[1:3]), int(number[3:5]), int(number[5:7]))
    except ValueError:
        return None


def _check_digit(first_eleven: str) -> int:
    pairs = zip(first_eleven, _CIVIL_WEIGHTS, strict=True)
    return 11 - sum(int(digit) * weight for digit, weight in pairs) % 11


def civil_number_fault(number: str, today: date | None = None) -> LazyString | None:
    """Return why `number` is not a valid civil number, or None if it is.

    number: ASCII digits. today: the Kuwait date that no birth may lie after.
    Source: specification section 5, Values.
    """
    if not _CIVIL_NUMBER.fullmatch(number):
        return _l("A civil number has 12 digits. Copy it from the civil ID card.")
    birth = civil_number_birth(number)
    if birth is None or birth > (today or kuwait_today()):
        return _l(
            "This civil number does not contain a real birth date. Copy it again from the "
            "civil ID card."
        )
    if _check_digit(number[:11]) != int(number[11]):
        return _l("This civil number has a wrong digit. Check it against the civil ID card.")
    return None


def civil_number_for(birth: date, serial: int) -> str:
    """Return the civil number of the `serial`-th (0 to 9999) person registered as born on `birth`.

    For invented people. Raises: ValueError for a serial whose number is never issued because its
    check digit would be 10 or 11 (two serials in eleven), and outside the years 1900 to 2099.
    """
    century = {19: "2", 20: "3"}.get(birth.year // 100)
    if century is None or not 0 <= serial <= 9999:
        raise ValueError("no civil number has this birth year or serial")
    first_eleven = f"{century}{birth:%y%m%d}{serial:04d}"
    digit = _check_digit(first_eleven)
    if digit > 9:
        raise ValueError("a civil number with this serial is never issued")
    return f"{first_eleven}{digit}"


def mobile_e164(text: str, region: str = "KW") -> str:
    """Return a mobile number as typed in E.164, such as `+96550000000`.

    region: the country of numbers written without one. Raises: BadValue when it is not a number of
    type mobile, or has an extension. Source: specification section 5, Values.
    """
    typed = ascii_digits(_without_spaces(text))
    fault = BadValue(_l("Enter a mobile number: its 8 digits, or + and the country code first."))
    if len(typed) > _MOBILE_TYPED_MAX_LENGTH or any(c.isalpha() for c in typed):
        raise fault
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        raise fault from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise fault
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        raise fault
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_address(text: str) -> str:
    """Return an e-mail address as typed, lower-cased and normalised for comparison.

    Raises: BadValue when it is not an address that any mail server accepts.
    """
    try:
        checked = validate_email(
            clean_text(text, EMAIL_MAX_LENGTH), check_deliverability=False, allow_smtputf8=False
        )
    except (EmailNotValidError, BadValue):
        raise BadValue(
            _l("Enter an e-mail address in full, for example name@example.com.")
        ) from None
    return (checked.ascii_email or checked.normalized).lower()


def _is_name_of(text: str, script: str, marks: frozenset[str]) -> bool:
    letters = 0
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "L" and unicodedata.name(character, "").startswith(f"{script} "):
            letters += 1
        elif category != "Mn" and character not in marks:
            return False
    return letters > 0 and text[0] not in marks


def arabic_name_fault(text: str) -> LazyString | None:
    """Return why the cleaned `text` is no Arabic name (letters, spaces, - and '), or None."""
    if len(text) > NAME_MAX_LENGTH or not _is_name_of(text, "ARABIC", _NAME_MARKS):
        return _l(
            "Enter this name in Arabic letters only, up to %(max_length)d characters.",
            max_length=NAME_MAX_LENGTH,
        )
    return None


def latin_name_fault(text: str) -> LazyString | None:
    """Return why the cleaned `text` is no Latin name (letters, spaces, - ' and .), or None."""
    if len(text) > NAME_MAX_LENGTH or not _is_name_of(text, "LATIN", _LATIN_MARKS):
        return _l(
            "Enter this name in English letters only, up to %(max_length)d characters.",
            max_length=NAME_MAX_LENGTH,
        )
    return None


def arabic_name(text: str) -> str:
    """Return a name typed in Arabic script, cleaned, joined letter shapes and tatweel undone.

    Raises: BadValue as `arabic_name_fault` says.
    """
    name = clean_text(composed(text, "NFKC").replace("ـ", "")).translate(_HYPHENS)
    fault = arabic_name_fault(name)
    if fault is not None:
        raise BadValue(fault)
    return name


def latin_name(text: str) -> str:
    """Return a name typed in Latin script, cleaned. Raises: BadValue as `latin_name_fault` says."""
    name = clean_text(text).translate(_HYPHENS)
    fault = latin_name_fault(name)
    if fault is not None:
        raise BadValue(fault)
    return name


def mask_civil_id(number: str) -> str:
    """Return a civil number masked except for its last four digits."""
    return "•" * max(len(number) - 4, 4) + (number[-4:] if len(number) > 8 else "")


def mask_mobile(number: str) -> str:
    """Return an E.164 number masked except for its beginning and last four digits."""
    if len(number) < 10:
        return "•" * 4
    return number[:4] + "•" * (len(number) - 8) + number[-4:]


def mask_email(address: str) -> str:
    """Return an e-mail address masked except for its first letter and domain."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}" if at and local else "•••"


def isolate(text: object) -> str:
    """Isolate `text` by U+2068 and U+2069 in text of the other direction (mail, SMS, PDF)."""
    return f"\u2068{text}\u2069"


def file_label(name: str) -> str:
    """Return an uploaded file's display name: base name, 150 characters, nothing invisible.

    A longer name keeps its ending; an empty one becomes `file`. Source: security requirement 29.
    """
    label = clean_text(re.split(r"[/\\]", _visible(name).strip())[-1])
    if len(label) > FILE_LABEL_MAX_LENGTH:
        stem, dot, ending = label.rpartition(".")
        keeps_ending = dot and 0 < len(ending) <= 10
        tail = dot + ending if keeps_ending else ""
        label = (stem if keeps_ending else label)[: FILE_LABEL_MAX_LENGTH - len(tail)] + tail
    return label or "file"
