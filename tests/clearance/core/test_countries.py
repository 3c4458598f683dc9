"""Countries: which there are, what they are called, in which order."""

import pytest

from clearance.core.countries import COUNTRY_CODES, country_choices, country_name


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_kuwait_and_the_gulf_come_first(lang: str) -> None:
    codes = [code for code, _name in country_choices(lang)]
    assert codes[:6] == ["KW", "SA", "AE", "QA", "BH", "OM"]
    assert len(codes) == len(set(codes)) == len(COUNTRY_CODES) == 249


def test_countries_are_named_in_the_readers_language() -> None:
    assert country_name("KW", "ar") == "الكويت"
    assert country_name("KW", "en") == "Kuwait"
    assert all(name and not name.isascii() for _code, name in country_choices("ar"))


def test_an_unknown_country_shows_its_code() -> None:
    assert country_name("ZZ", "ar") == "ZZ"


def test_the_rest_is_sorted_as_readers_of_the_language_expect() -> None:
    english = [name for _code, name in country_choices("en")[6:]]
    assert english.index("Åland Islands") < english.index("Albania")
    arabic = [name for _code, name in country_choices("ar")[6:]]
    assert arabic.index("إثيوبيا") < arabic.index("ألبانيا") < arabic.index("مصر")


@pytest.mark.parametrize("code", ["EU", "EZ", "UN", "XA", "XB", "XK", "ZZ", "QO", "AC", "001"])
def test_what_is_no_country_is_not_offered(code: str) -> None:
    assert code not in COUNTRY_CODES
