"""Finding brokers by what people type: words of the name, numbers of licence, person, passport."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.core import name_folding, values
from clearance.models import Broker, Licence

MIN_CIVIL_DIGITS = 5
CIVIL_DIGITS = 12
MIN_MOBILE_DIGITS = 8


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """The condition on Licence joined with Broker for what was typed; None when nothing counts.

    Words that each begin a word of the name, in any order, as Arabic is really typed; or a licence
    number whole or without its prefix, the first digits of a civil number (MIN_CIVIL_DIGITS), of a
    passport or a mobile number. Digits of either script are equal.
    Source: specification sections 4 and 8, Search.
    """
    compact = values.ascii_digits(typed).replace(" ", "")
    if any(each.isdigit() for each in compact):
        return _numbered(compact)
    patterns = name_folding.search_patterns(typed)
    if not patterns:
        return None
    return sa.and_(
        *(Broker.name_folded.like(each, escape=name_folding.LIKE_ESCAPE) for each in patterns)
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
