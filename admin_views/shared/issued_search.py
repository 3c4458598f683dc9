"""Search issued documents, in both areas."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.issuing import verification
from clearance.licences import search as licence_search
from clearance.models import Broker, IssuedDocument, Licence, Request
from clearance.requests import search as request_search


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition for a search text; None if it is empty.

    On IssuedDocument with its Licence, Broker and Request joined, if any. Matches a document's code
    or number, the number of its request, what finds its licence (`licence_search`), and for a
    statement, which has none, what finds its request.
    """
    code = verification.normalised(typed)
    if code is not None:
        return IssuedDocument.check_code == code
    if request_search.NUMBER.fullmatch(typed.strip()):
        number = typed.strip().upper()
        return _any_of(_of_requests(Request.number == number), IssuedDocument.number == number)
    of_licence, of_request = licence_search.condition(typed), request_search.condition(typed)
    if of_licence is None or of_request is None:
        return of_licence
    is_statement = IssuedDocument.licence_id.is_(None)
    if any(char.isdigit() for char in typed):
        of_statement = sa.and_(is_statement, _of_requests(of_request))
        return _any_of(_of_licences(of_licence), of_statement)
    # Frequent names are met soon in the order of the list, so that it can end early.
    return sa.or_(of_licence, sa.and_(is_statement, of_request))


def by_number(typed: str) -> sa.ColumnElement[bool] | None:
    """Return `condition` for a code or number, which needs no join; None for names.

    Names find people, whose documents are on their pages.
    """
    is_number = any(char.isdigit() for char in typed) or verification.normalised(typed)
    return condition(typed) if is_number else None


def _any_of(*ways: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Match any of the conditions on IssuedDocument; a union, so that each uses its own index."""
    return IssuedDocument.id.in_(sa.union(*(sa.select(IssuedDocument.id).where(w) for w in ways)))


def _of_requests(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return IssuedDocument.request_id.in_(sa.select(Request.id).where(condition))


def _of_licences(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    licences = sa.select(Licence.id).join(Broker, Broker.id == Licence.broker_id)
    return IssuedDocument.licence_id.in_(licences.where(condition))
