"""Names are found as Arabic is really typed."""

from __future__ import annotations

import pytest

from clearance.core.name_folding import fold_name, fold_words, name_index, typed_words


def is_found(typed: str, *name: str) -> bool:
    words = typed_words(typed)
    assert words
    return all(word.is_in(name_index(*name)) for word in words)


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


@pytest.mark.parametrize("typed", ["العنزي", "عنزي", "ال عنزي", "محمد بن عنزي", "العنز", "بن محمد"])
def test_articles_and_bin_may_be_typed_or_not(typed: str) -> None:
    assert is_found(typed, "محمد العنزي")
    assert is_found(typed, "محمد بن عنزي")
    assert is_found("الرحمن", "عبد الرحمن")
    assert is_found("رحمن", "عبد الرحمن")


def test_short_words_keep_their_article() -> None:
    assert not is_found("الله", "هاني")
    assert is_found("ال", "آل صباح")


@pytest.mark.parametrize(
    "typed", ["Muhammad alotaibi", "mohamed Al-Otaibi", "MOHD. OTAIBI", "otaiby"]
)
def test_a_latin_word_finds_the_arabic_name_that_it_spells(typed: str) -> None:
    assert is_found(typed, "محمد العتيبي")
    assert is_found(typed, "Mohammed", "Al Otaibi")
    assert not is_found(typed, "محمود العنزي")


@pytest.mark.parametrize("typed", ["Abdul Rahman", "abd al rahman", "Abdelrahman", "abdurrahman"])
def test_a_name_of_two_words_is_found_however_it_is_joined(typed: str) -> None:
    assert is_found(typed, "عبد الرحمن")
    assert is_found(typed, "Abdul Rahman")
    assert not is_found(typed, "عبد الله الرحيم")


def test_an_arabic_word_is_found_by_sound_only_in_a_name_without_arabic_words() -> None:
    assert is_found("محمد سالم", "Mohamed Salem")
    assert not is_found("صالح", "صلاح", "Salah")


def test_a_beginning_is_no_spelling() -> None:
    assert not is_found("mo", "مي")
    assert not is_found("moha", "محمد")
    assert is_found("moha", "محمد", "Mohammed")


def test_nothing_typed_gives_no_word() -> None:
    assert typed_words(" \u200f ـ\u00a0") == []


def test_a_pasted_page_is_cut_to_a_few_different_words() -> None:
    assert len(typed_words("محمد " * 50)) == 1
    assert len(typed_words(" ".join(map(str, range(100))))) == 8


def test_the_stored_form_has_words_halves_and_spellings() -> None:
    assert name_index("أحمد", None, "", "عبد الله") == " احمد عبدالله الله þahmd þabdl "
    assert name_index("أبو بكر") == " ابوبكر بكر þabobkr þabwbkr "
    assert name_index("العنزي", "Alenezi") == " العنزي alenezi عنزي þalnz þanz "
    assert name_index("Fahd") == " fahd ðfahd ðfhd "
    assert name_index("7") == " 7"
    assert name_index(None, "") == ""


def test_the_stored_form_fits_its_column() -> None:
    assert len(name_index("محمد " * 200)) == 700
    assert name_index("عبد الله", max_length=8) == " عبدالله"
    assert name_index("محمد سالم", max_length=17) == " محمد سالم þmhmd "
