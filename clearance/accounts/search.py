"""Search users by name, e-mail, civil number or mobile."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.core import name_search, values
from clearance.models import User

MIN_DIGITS = 4
CIVIL_DIGITS = 12
MIN_MOBILE_DIGITS = 8


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on User for a search text; None if it is empty.

    Matches the beginning of an e-mail address with its @, at least MIN_DIGITS first digits of a
    civil number, a mobile, else words of the name as `name_search` does.
    """
    digits = values.ascii_digits(typed).replace(" ", "").lstrip("+")
    if digits.isdigit() and digits.isascii():
        return _with_digits(digits)
    if "@" in typed:
        return name_search.starts_with(User.email, typed.strip().lower())
    return name_search.condition(User, typed)


def _with_digits(digits: str) -> sa.ColumnElement[bool]:
    ways: list[sa.ColumnElement[bool]] = []
    if MIN_DIGITS <= len(digits) <= CIVIL_DIGITS:
        first, last = digits.ljust(CIVIL_DIGITS, "0"), digits.ljust(CIVIL_DIGITS, "9")
        ways.append(User.civil_id.between(first, last))
    if len(digits) >= MIN_MOBILE_DIGITS:
        ways.append(User.mobile.in_(values.mobile_forms(digits)))
    if not ways:
        return sa.false()
    return User.id.in_(sa.union(*(sa.select(User.id).where(way) for way in ways)))
