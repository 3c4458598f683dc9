"""What holds for whatever is typed: cleaning again changes nothing, only `BadValue` is raised."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearance.core import values
from clearance.core.clock import KUWAIT
from clearance.core.i18n import format_day, format_instant
from clearance.core.values import BadValue
from tests.support.properties import examples

pytestmark = pytest.mark.usefixtures("plain_english")

# Anything at all, and more often what values are made of and what hides among it.
SIGNS = (
    "0123456789٠٣٩۰۳۹０９/.:-–,،+@#'’ \u00a0\u202f\t\r\n\u0085\u2028"
    "\u200f\u2066\u2069\ufeff\u0640\u0301\u064b\ud800"
)
PARTS = st.sampled_from(
    ["at", "T", "pm", "P.M.", "م", "ص", "مساءً", "الساعة", "2029", "٢٠٢٩", "31", "abc", "عبد", "é"]
)
TYPED = st.lists(
    st.one_of(st.sampled_from(SIGNS), PARTS, st.text(st.characters(), max_size=5)), max_size=14
).map("".join)

CLEANERS: list[Callable[[str], Any]] = [
    values.clean_text,
    values.clean_lines,
    values.ascii_digits,
    values.file_label,
    values.arabic_name,
    values.latin_name,
    values.civil_number,
    values.mobile_e164,
    values.email_address,
    lambda typed: values.clean_text(typed, 7),
    lambda typed: values.searched(typed, 9),
    lambda typed: values.number_among_words(typed, 6),
]
READERS: list[Callable[[str], Any]] = [
    values.day,
    values.time_of_day,
    values.kuwait_instant,
]
DAYS = st.dates(date(values.YEARS[0], 1, 1), date(values.YEARS[-1], 12, 31))
DIGITS = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９"])
AROUND = st.sampled_from(["{}", " {}\n", "\u2068{}\u2069", "\u200f{}\u00a0"])


def understood(read: Callable[[str], Any], typed: str) -> Any:
    """What `read` makes of `typed`; None where it refuses it."""
    with suppress(BadValue):
        return read(typed)
    return None


@examples(max_examples=250)
@given(TYPED)
def test_cleaning_again_changes_nothing_and_never_fails(typed: str) -> None:
    for clean in CLEANERS:
        once = understood(clean, typed)
        if once:
            assert understood(clean, once) == once


@examples(max_examples=250)
@given(TYPED)
def test_reading_a_date_or_time_never_fails(typed: str) -> None:
    for read in READERS:
        understood(read, typed)


@examples(max_examples=200)
@given(DAYS, DIGITS, AROUND)
def test_a_day_is_read_as_it_is_written(day: date, digits: str, around: str) -> None:
    for written in (format_day(day), day.isoformat(), f"{day:%d%m%Y}", f"{day:%d – %m – %Y}"):
        typed = around.format(written.translate(str.maketrans("0123456789", digits)))
        assert values.day(typed) == day, typed


@examples(max_examples=200)
@given(DAYS, st.times(), DIGITS, AROUND)
def test_a_time_is_read_as_it_is_written(day: date, at: time, digits: str, around: str) -> None:
    at = at.replace(second=0, microsecond=0)
    hour = f"{at.hour % 12 or 12}:{at:%M}"
    instant = datetime.combine(day, at, KUWAIT)
    for written in (f"{at:%H:%M}", f"{hour} {'pm' if at.hour >= 12 else 'am'}", f"{at:%H%M}"):
        typed = around.format(written.translate(str.maketrans("0123456789", digits)))
        assert values.time_of_day(typed) == at, typed
        assert values.kuwait_instant(f"{format_day(day)} {typed}") == instant, typed
    assert values.kuwait_instant(format_instant(instant)) == instant
    assert values.kuwait_instant(f"{instant:%Y-%m-%dT%H:%M}") == instant
