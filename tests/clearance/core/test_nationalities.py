"""Nationalities: which are offered, what they are called, in which order."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.core import nationalities
from clearance.core.extensions import db
from clearance.models import Nationality

FIRST = ["KW", "SA", "AE", "QA", "BH", "OM", "XX"]


def withdraw(code: str) -> None:
    db.session.get_one(Nationality, code).is_active = False
    db.session.commit()


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_kuwait_and_the_gulf_come_first_and_each_is_offered_once(context: Flask, lang: str) -> None:
    codes = [code for code, _name in nationalities.choices(lang)]
    assert codes[:7] == FIRST
    assert len(codes) == len(set(codes)) == 243


def test_they_are_named_in_the_readers_language(context: Flask) -> None:
    assert nationalities.name("KW", "ar") == "الكويت"
    assert nationalities.name("KW", "en") == "Kuwait"
    assert nationalities.name("XX", "ar") == "غير محدد الجنسية"
    assert nationalities.name("XX", "en") == "Unspecified nationality"
    assert all(name and not name.isascii() for _code, name in nationalities.choices("ar"))


def test_an_unknown_one_shows_its_code(context: Flask) -> None:
    assert nationalities.name("ZZ", "ar") == "ZZ"
    assert not nationalities.is_known("ZZ")


def test_equal_places_are_sorted_as_readers_of_the_language_expect(context: Flask) -> None:
    english = [name for _code, name in nationalities.choices("en")[7:]]
    assert english.index("Åland Islands") < english.index("Albania")
    arabic = [name for _code, name in nationalities.choices("ar")[7:]]
    assert arabic.index("إثيوبيا") < arabic.index("ألبانيا") < arabic.index("مصر")


@pytest.mark.parametrize("code", ["EU", "XK", "ZZ", "AQ", "BV", "GS", "HM", "IO", "TF", "UM"])
def test_what_is_no_country_or_has_no_people_is_not_offered(context: Flask, code: str) -> None:
    assert code not in dict(nationalities.choices("en"))


def test_one_no_longer_offered_stays_with_whoever_has_it(context: Flask) -> None:
    withdraw("JO")
    assert "JO" not in dict(nationalities.choices("en"))
    assert dict(nationalities.choices("en", kept="JO"))["JO"] == "Jordan"
    assert nationalities.name("JO", "ar") == "الأردن"
    assert nationalities.is_known("JO")
