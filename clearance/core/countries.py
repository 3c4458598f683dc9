"""Nationality choices, named and sorted in Arabic or English."""

from functools import cache

from babel import Locale

from clearance.core.name_folding import fold_name

# CLDR codes that are no ISO 3166 countries: dependent islands, unions, test and unknown codes.
_NO_COUNTRIES = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ")
)
_GULF_FIRST = ("KW", "SA", "AE", "QA", "BH", "OM")

COUNTRY_CODES: frozenset[str] = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
)


@cache
def _names(lang: str) -> dict[str, str]:
    territories = Locale.parse(lang).territories
    return {code: territories[code] for code in COUNTRY_CODES}


def country_name(code: str, lang: str) -> str:
    """Return the name of the country `code` (ISO 3166, two capitals); the code if unknown."""
    return _names(lang).get(code, code)


@cache
def country_choices(lang: str) -> tuple[tuple[str, str], ...]:
    """Return all (code, name): Kuwait, the other Gulf states, then the rest by name."""
    names = _names(lang)
    others = sorted(COUNTRY_CODES.difference(_GULF_FIRST), key=lambda code: fold_name(names[code]))
    return tuple((code, names[code]) for code in (*_GULF_FIRST, *others))
