"""Search requests by number, civil number, mobile or name; indexed, for large tables."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import g

from clearance.core import name_folding, name_search, values
from clearance.core.extensions import db
from clearance.models import Counter, Licence, Request

NUMBER = re.compile(r"([A-Za-z]{1,6})/([0-9]{1,9})(?:/([0-9]{0,2}))?")
LICENCE = re.compile(r"[A-Za-z]{1,6}-[0-9]{1,20}")
MIN_CIVIL_DIGITS = 5
CIVIL_DIGITS = 12
MIN_MOBILE_DIGITS = 8
MAX_SERIAL_DIGITS = 9
# Matches of more frequent names turn up soon enough when scanning the list in order: of a million
# requests, 26 of 5,000 are met within as many rows.
RARE = 5_000
# Of so many matches SQLite has the newest sooner by following the list and asking of each row in
# the index whether it matches than by reading all matches to sort them (1.5 ms against 7 of 4,000).
SORTED = 1_700
NEWEST = 200


class Found(NamedTuple):
    """Conditions on Request for a search text.

    counted: one that counts the same rows sooner, if `condition` is for following a list's order.
    sample: for a frequent name, a condition that some thousands of its rows fulfil, at once found;
    they are enough to see that there are more than anybody counts.
    """

    condition: sa.ColumnElement[bool] | None
    counted: sa.ColumnElement[bool] | None = None
    sample: sa.ColumnElement[bool] | None = None


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on Request for a search text; None if it is empty. May read."""
    found = find(typed)
    return found.condition if found.counted is None else found.counted


def condition_for_few(typed: str) -> sa.ColumnElement[bool] | None:
    """Return `condition` for a list of few rows, which are read to compare their names."""
    if not _is_name(typed):
        return condition(typed)
    words = name_folding.typed_words(typed)
    return sa.and_(*(name_search.like(Request, word) for word in words)) if words else None


def once_a_page(typed: str, organisation_id: int | None = None) -> Found:
    """Return `find(…)`, which reads, once for all parts of a page."""
    known: dict[Any, Found] = g.setdefault("requests_found", {})
    if (typed, organisation_id) not in known:
        known[typed, organisation_id] = find(typed, organisation_id)
    return known[typed, organisation_id]


def find(typed: str, organisation_id: int | None = None) -> Found:
    """Return the conditions for a search text. May read.

    organisation_id: the one whose requests alone the statement is about.

    Matches a number with or without its year, a serial alone, at least MIN_CIVIL_DIGITS first
    digits of a civil number, a mobile with or without country code, the number of the licence that
    the request is about, else prefixes of words of the name. Digits of any script are equal, and
    signs alone match nothing. Source: specification section 8, Search.
    """
    compact = values.ascii_digits(typed).replace(" ", "")
    number = NUMBER.fullmatch(compact)
    if number is not None:
        prefix, serial, year = number.groups()
        return Found(Request.number.in_(_numbers(serial, prefix.upper(), year or "")))
    digits = compact.lstrip("+")
    if digits.isdigit() and digits.isascii():
        return Found(_with_digits(digits))
    if LICENCE.fullmatch(compact):
        about = sa.select(Request.id).where(Request.licence_id.in_(_licences(compact)))
        return Found(Request.id.in_(about))  # by its own index, not in the order of the list
    return _named(typed, organisation_id)


def newest_condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return a condition as `condition` does, quick for the few newest of many with that name.

    On SQLite only the NEWEST with that name match.
    """
    indexed, rechecked = name_search.split(name_folding.typed_words(typed))
    if not (indexed and name_search.is_sqlite() and _is_name(typed)):
        return condition(typed)
    if rechecked:  # of a part of the matches, it would lose the older ones
        return condition(typed)
    newest = name_search.sqlite_ids(Request, indexed).order_by(sa.desc("id")).limit(NEWEST)
    return Request.id.in_(newest)


def _is_name(typed: str) -> bool:
    compact = values.ascii_digits(typed).replace(" ", "")
    is_number = NUMBER.fullmatch(compact) or LICENCE.fullmatch(compact)
    return not (is_number or compact.lstrip("+").isdecimal())


def _licences(number: str) -> sa.Select[Any]:
    return sa.select(Licence.id).where(Licence.number == number.upper())


def _with_digits(digits: str) -> sa.ColumnElement[bool]:
    """Match digits; a union, so that every condition uses its own index."""
    ways: list[sa.ColumnElement[bool]] = [Request.licence_id.in_(_licences(digits))]
    if len(digits) <= MAX_SERIAL_DIGITS:
        ways.append(Request.number.in_(_numbers(digits)))
    if MIN_CIVIL_DIGITS <= len(digits) <= CIVIL_DIGITS:
        first, last = digits.ljust(CIVIL_DIGITS, "0"), digits.ljust(CIVIL_DIGITS, "9")
        ways.append(Request.civil_id.between(first, last))
    if len(digits) >= MIN_MOBILE_DIGITS:
        ways.append(Request.mobile.in_(values.mobile_forms(digits)))
    return Request.id.in_(sa.union_all(*(sa.select(Request.id).where(way) for way in ways)))


def _numbers(serial: str, prefix: str | None = None, year: str = "") -> list[str]:
    """Return the request numbers with a serial; year: first digits of the two-digit year."""
    counters = sa.select(Counter.prefix, Counter.year)
    if prefix is not None:
        counters = counters.where(Counter.prefix == prefix)
    years = [
        (known_prefix, f"{full % 100:02d}") for known_prefix, full in db.session.execute(counters)
    ]
    return [
        f"{known_prefix}/{int(serial)}/{two}" for known_prefix, two in years if two.startswith(year)
    ]


def _named(typed: str, organisation_id: int | None) -> Found:
    words = name_folding.typed_words(typed)
    indexed, rechecked = name_search.split(words)
    if not indexed:
        return Found(name_search.condition(Request, typed))
    own = [] if organisation_id is None else [name_search.of_organisation(organisation_id)]
    ids, count = name_search.some_ids(Request, [*own, *indexed], RARE)
    inexact = [name_search.like(Request, word) for word in rechecked]
    among_them = sa.and_(name_search.among(Request.id, ids), *inexact)
    if count > RARE:
        likes = (name_search.like(Request, word) for word in words)
        return Found(sa.and_(*likes), sample=among_them)
    if count > SORTED and name_search.is_sqlite():
        in_order = name_search.among(Request.id + 0, ids)  # no index for it: the list's is followed
        return Found(sa.and_(in_order, *inexact), counted=among_them)
    return Found(among_them)
