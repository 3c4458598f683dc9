"""Search brokers by name or by licence, civil, passport or mobile number."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.core import name_folding, values
from clearance.models import Broker, Licence

MIN_CIVIL_DIGITS = 5
CIVIL_DIGITS = 12
MIN_MOBILE_DIGITS = 8


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on Licence joined with Broker for a search text; None if it is empty.

    Matches prefixes of the name's words in any order (Arabic letters folded); or a licence number
    with or without its prefix, at least MIN_CIVIL_DIGITS first digits of a civil number, the first
    characters of a passport number, or a mobile number. Digits of either script are equal.
    Source: specification sections 4 and 8, Search.
    """
    compact = values.ascii_digits(typed).replace(" ", "")
    if any(char.isdigit() for char in compact):
        return _numbered(compact)
    patterns = name_folding.search_patterns(typed)
    if not patterns:
        return None
    return sa.and_(
        *(Broker.name_folded.like(pattern, escape=name_folding.LIKE_ESCAPE) for pattern in patterns)
    )


def _numbered(compact: str) -> sa.ColumnElement[bool]:
    code = compact.upper()
    ways: list[sa.ColumnElement[bool]] = [
        sa.func.upper(Licence.number) == code,
        sa.func.upper(Broker.passport_no).startswith(code, autoescape=True),
    ]
    digits = compact.lstrip("+")
    if digits.isdigit() and digits.isascii():
        ways.append(Licence.number.endswith(f"-{digits}", autoescape=True))
        if MIN_CIVIL_DIGITS <= len(digits) <= CIVIL_DIGITS:
            first, last = digits.ljust(CIVIL_DIGITS, "0"), digits.ljust(CIVIL_DIGITS, "9")
            ways.append(Broker.civil_id.between(first, last))
        if len(digits) >= MIN_MOBILE_DIGITS:
            ways.append(Broker.mobile.endswith(digits[-MIN_MOBILE_DIGITS:], autoescape=True))
    return sa.or_(*ways)
