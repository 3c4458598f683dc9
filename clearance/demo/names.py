"""Fictitious names in both scripts, and numbered candidates made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from clearance.core import name_folding, yaml_files
from clearance.core.values import civil_number_for
from clearance.models.enums import Gender
from clearance.models.names import NAME_COLUMNS

_NAMES = yaml_files.read(Path(__file__).with_name("names.yaml"))
FIRST, FATHERS, FAMILIES = (list(_NAMES[kind].items()) for kind in ("first", "fathers", "families"))
ADDRESSES = _NAMES["addresses"]
_WOMEN = frozenset(_NAMES["women"])
_BLOCKS = (55, 66, 99, 97)  # Kuwait mobile prefixes; any following digits are valid


@dataclass(frozen=True)
class Candidate:
    """A fictitious person; the same number gives the same person."""

    names_ar: tuple[str, str, str, str]
    names_en: tuple[str, str, str, str]
    civil_id: str
    mobile: str
    email: str
    address: str


def gender_of(first_name: str) -> Gender:
    """Return the gender that the demo gives to an Arabic first name."""
    return Gender.FEMALE if first_name in _WOMEN else Gender.MALE


def candidate(number: int) -> Candidate:
    """Return the person of that number (0 to about 40 million)."""
    people = [
        FIRST[number % len(FIRST)],
        FATHERS[number // 3 % len(FATHERS)],
        FATHERS[number // 7 % len(FATHERS)],
        FAMILIES[number // 2 % len(FAMILIES)],
    ]
    return Candidate(
        names_ar=(people[0][0], people[1][0], people[2][0], people[3][0]),
        names_en=(people[0][1], people[1][1], people[2][1], people[3][1]),
        civil_id=_civil_id(number),
        mobile=f"+965{_BLOCKS[number // 1_000_000 % len(_BLOCKS)]}{number % 1_000_000:06d}",
        email=f"candidate{number}@example.com",
        address=ADDRESSES[number % len(ADDRESSES)],
    )


def person_columns(number: int) -> dict[str, Any]:
    """Return what a request or broker has of that person, including the search text."""
    person = candidate(number)
    return {
        "nationality": "KW",
        "civil_id": person.civil_id,
        "mobile": person.mobile,
        "email": person.email,
        "address": person.address,
        **_name_columns(person.names_ar, person.names_en),
    }


@lru_cache(maxsize=50_000)
def _name_columns(arabic: tuple[str, ...], english: tuple[str, ...]) -> dict[str, str]:
    names = (*arabic, *english)
    folded = name_folding.name_index(*names)
    return {**dict(zip(NAME_COLUMNS, names, strict=True)), "name_folded": folded}


def _civil_id(number: int) -> str:
    """Return a unique civil number: day of birth and serial are derived from `number`."""
    birth = date(1970, 1, 1) + timedelta(days=number % 12_000)
    # A remainder of 10 or 11 is never issued; then use the next serial.
    for serial in range(number // 12_000 * 3, number // 12_000 * 3 + 3):
        try:
            return civil_number_for(birth, serial + 1000)
        except ValueError:
            continue
    raise ValueError(f"no civil number for {number}")
