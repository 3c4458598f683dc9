"""Search brokers by name or by licence, civil, passport or mobile number."""

from __future__ import annotations

from functools import reduce

import sqlalchemy as sa

from clearance.core import name_search, values
from clearance.models import Broker, Licence


def _literal(text: str) -> sa.ColumnElement[str]:
    """Return the text as SQL has it in an index, where no parameter can stand."""
    return sa.literal_column(f"'{text}'")


MIN_CIVIL_DIGITS = 5
CIVIL_DIGITS = 12
MIN_MOBILE_DIGITS = 8
MIN_GUARANTEE_DIGITS = 8  # fewer may be a bank's, the same for all of its guarantees
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_GUARANTEE_SIGNS = " /-."
# As the migration that made the indexes writes them.
_NUMBER = sa.func.ltrim(sa.func.upper(Licence.number), _literal(_LETTERS))
_GUARANTEE = sa.func.ltrim(
    reduce(
        lambda text, sign: sa.func.replace(text, _literal(sign), _literal("")),
        _GUARANTEE_SIGNS,
        sa.func.upper(Licence.guarantee_no),
    ),
    _literal(_LETTERS),
)


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on Licence joined with Broker for a search text; None if it is empty.

    Matches words of the name as `name_search` does; or a licence number with or without its prefix,
    at least MIN_CIVIL_DIGITS first digits of a civil number, the first characters of a passport
    number, a mobile number, or the first digits of a bank guarantee's. Digits of either script are
    equal.
    Source: specification sections 4 and 8, Search.
    """
    compact = values.ascii_digits(typed).replace(" ", "")
    if any(char.isdigit() for char in compact):
        return _numbered(compact)
    return name_search.condition(Broker, typed)


def _numbered(compact: str) -> sa.ColumnElement[bool]:
    """Match a number; a union, so that every condition uses its own index."""
    code = compact.upper()
    licences = [_numbered_alike(code), *_guaranteed_alike(code)]
    brokers: list[sa.ColumnElement[bool]] = [name_search.starts_with(Broker.passport_no, code)]
    digits = compact.lstrip("+")
    if digits.isdigit() and digits.isascii():
        if MIN_CIVIL_DIGITS <= len(digits) <= CIVIL_DIGITS:
            first, last = digits.ljust(CIVIL_DIGITS, "0"), digits.ljust(CIVIL_DIGITS, "9")
            brokers.append(Broker.civil_id.between(first, last))
        if len(digits) >= MIN_MOBILE_DIGITS:
            brokers.append(Broker.mobile.in_(values.mobile_forms(digits)))
    holders = sa.select(Licence.broker_id).where
    found = (*(sa.select(Broker.id).where(way) for way in brokers), *map(holders, licences))
    return sa.and_(
        Broker.id.in_(sa.union(*found)),
        sa.or_(*brokers, *licences),
    )


def _numbered_alike(code: str) -> sa.ColumnElement[bool]:
    """Match a licence's number, with its letters or without."""
    alike = sa.literal(code.lstrip(_LETTERS)) == _NUMBER
    return alike if code[:1].isdigit() else sa.and_(alike, sa.func.upper(Licence.number) == code)


def _guaranteed_alike(code: str) -> list[sa.ColumnElement[bool]]:
    """Match the first digits of a bank guarantee's number, whatever signs are between them."""
    typed = "".join(char for char in code if char not in _GUARANTEE_SIGNS).lstrip(_LETTERS)
    is_enough = len(typed) >= MIN_GUARANTEE_DIGITS
    return [name_search.starts_with(_GUARANTEE, typed)] if is_enough else []
