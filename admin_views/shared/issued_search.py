"""Search issued documents, each way by an index."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.issuing import verification
from clearance.licences import search as licence_search
from clearance.models import Broker, IssuedDocument, Licence, Request
from clearance.requests import search as request_search


def condition(typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on IssuedDocument for a search text; None if it is empty.

    Matches a document's code or number, the number of its request, what finds its licence
    (`licence_search`), and for a statement, which has none, what finds its request.
    """
    code = verification.normalised(typed)
    if code is not None:
        return IssuedDocument.check_code == code
    if request_search.NUMBER.fullmatch(typed.strip()):
        return _either(_of_request_number(typed), IssuedDocument.number == typed.strip().upper())
    of_licence, of_request = licence_search.condition(typed), request_search.condition(typed)
    if of_licence is None or of_request is None:
        return of_licence
    licences = sa.select(Licence.id).join(Broker, Broker.id == Licence.broker_id).where(of_licence)
    statement_ids = (
        sa.select(IssuedDocument.id)
        .join(Request, Request.id == IssuedDocument.request_id)
        .where(IssuedDocument.licence_id.is_(None), of_request)
    )
    return _either(IssuedDocument.licence_id.in_(licences), IssuedDocument.id.in_(statement_ids))


def by_number(typed: str) -> sa.ColumnElement[bool] | None:
    """Return `condition` for a code or number, None for names: those find people."""
    is_number = any(char.isdigit() for char in typed) or verification.normalised(typed)
    return condition(typed) if is_number else None


def _of_request_number(typed: str) -> sa.ColumnElement[bool]:
    found = request_search.condition(typed)
    requests = sa.select(Request.id).where(sa.false() if found is None else found)
    return IssuedDocument.request_id.in_(requests)


def _either(*ways: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return IssuedDocument.id.in_(sa.union(*(sa.select(IssuedDocument.id).where(w) for w in ways)))
