"""Names are found as Arabic is really typed."""

import sqlite3

import pytest

from clearance.core.name_folding import (
    LIKE_ESCAPE,
    fold_name,
    fold_words,
    like_prefix_patterns,
    name_index,
    search_patterns,
)


def is_found(typed: str, name: str) -> bool:
    """Asks SQLite itself, as the lists do, whether the typed words find the stored name."""
    patterns = search_patterns(typed)
    assert patterns
    condition = " AND ".join("? LIKE ? ESCAPE ?" for _ in patterns)
    values = [v for p in patterns for v in (name_index(name), p, LIKE_ESCAPE)]
    with sqlite3.connect(":memory:") as connection:
        return bool(connection.execute(f"SELECT {condition}", values).fetchone()[0])


@pytest.mark.parametrize(
    ("typed", "same_as"),
    [
        ("أحمد إبراهيم آدم ٱلله", "احمد ابراهيم ادم الله"),
        ("موسى فاطمة مؤيد فائز", "موسي فاطمه مويد فايز"),
        ("علی کریم", "علي كريم"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("محمد\u00a0علي\u202fسالم", "محمد علي سالم"),
        ("\u200fمحمد\u200e\u200c\u202b علي\u2069", "محمد علي"),
        ("٢٨٥", "285"),
        ("۲۸۵", "285"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("José  AL-Sabah", "jose al sabah"),
        ("O’Neil", "oneil"),
        ("O´Neil", "oneil"),
        ("عبد الله", "عبدالله"),
        ("أبو بكر", "ابوبكر"),
        ("أبو عبد الله", "ابو عبدالله"),
        ("CE/8/19", "ce/8/19"),
    ],
)
def test_ways_of_typing_the_same_fold_alike(typed: str, same_as: str) -> None:
    assert fold_name(typed) == fold_name(same_as)


def test_folding_names_the_canonical_letters() -> None:
    assert fold_name(" أحمد  عبد الله الخليفةُ ") == "احمد عبدالله الخليفه"
    assert fold_words("أبو بكر الصدّيق ٢") == ["ابوبكر", "الصديق", "2"]


def test_folding_a_folded_text_changes_nothing() -> None:
    for text in ("أبو عبد الله مؤمن", "Straße ٣", "عبد"):
        assert fold_name(fold_name(text)) == fold_name(text)


@pytest.mark.parametrize(
    "typed",
    [
        "احمد عبدالله",
        "عبد الله احمد",
        "عبدالله",
        "عبد",
        "عبدا",
        "الله",
        "عبد العنز",
        "العنزي أحمد",
        "اح عبدال",
    ],
)
def test_every_word_typed_begins_a_word_of_the_name_in_any_order(typed: str) -> None:
    assert is_found(typed, "أحمد عبد الله العنزي")
    assert is_found(typed, "أحمد عبدالله العنزى")


@pytest.mark.parametrize("typed", ["حمد", "احمد سالم", "لله", "نزي"])
def test_a_word_that_begins_no_word_of_the_name_finds_nothing(typed: str) -> None:
    assert not is_found(typed, "أحمد عبد الله العنزي")


def test_wildcards_typed_stand_for_themselves() -> None:
    assert like_prefix_patterns(["50%", "a_b", "c\\"]) == ["% 50\\%%", "% a\\_b%", "% c\\\\%"]
    assert not is_found("%", "محمد")
    assert not is_found("م_مد", "محمد")
    assert is_found("50%", "خصم 50%")
    assert is_found("a\\", "a\\b")


def test_nothing_typed_gives_no_pattern() -> None:
    assert search_patterns(" \u200f ـ\u00a0") == []


def test_a_pasted_page_is_cut_to_a_few_different_words() -> None:
    assert len(search_patterns("محمد " * 50)) == 1
    assert len(search_patterns(" ".join(map(str, range(100))))) == 8


def test_the_stored_form_joins_parts_and_begins_with_a_space() -> None:
    assert name_index("أحمد", None, "", "عبد الله") == " احمد عبدالله الله"
    assert name_index("أبو بكر") == " ابوبكر بكر"
    assert name_index("عبده") == " عبده"
    assert name_index(None, "") == ""


def test_the_stored_form_fits_its_column() -> None:
    assert len(name_index("محمد " * 200)) == 250
    assert len(name_index("عبد الله " * 200, max_length=700)) == 700
    assert name_index("عبد الله", max_length=8) == " عبدالله"
