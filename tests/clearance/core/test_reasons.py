"""Reasons keep the ready reason's words in both languages, beside one's own."""

from __future__ import annotations

import pytest

from clearance.core import reasons
from clearance.core.reasons import Reason
from clearance.core.values import BadValue

READY = (7, "الوثيقة غير واضحة.", "The document is unclear.")


def test_own_words_are_stored_as_they_are() -> None:
    assert reasons.cleaned("  See page 2. ", 50) == "See page 2."
    assert reasons.cleaned(Reason("See page 2."), 50) == "See page 2."


def test_a_ready_reason_is_read_in_each_language_with_the_words_after_it() -> None:
    stored = reasons.cleaned(Reason(" Page 2. ", READY), 50)
    assert reasons.in_both(stored) == {
        "ar": "الوثيقة غير واضحة.\nPage 2.",
        "en": "The document is unclear.\nPage 2.",
    }


@pytest.mark.parametrize("typed", ['\x1e[7, "a", "b", ""]', '[7, "a", "b", ""]'])
def test_nobody_types_a_ready_reason(typed: str) -> None:
    for given in (typed, Reason(typed)):
        assert reasons.read(reasons.cleaned(given, 50), "en") == '[7, "a", "b", ""]'


@pytest.mark.parametrize("empty", ["", " \n", Reason(), Reason(" ")])
def test_nothing_given_is_no_reason(empty: Reason | str) -> None:
    assert reasons.cleaned(empty, 50) == ""


def test_the_longer_language_counts() -> None:
    with pytest.raises(BadValue):
        reasons.cleaned(Reason("x" * 30, READY), 50)
