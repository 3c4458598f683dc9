"""Values known when a draft starts, for prefilling it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clearance.core import values
from clearance.core.actor import Actor
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.licences import granted_expiry
from clearance.models import Broker, Licence, Organisation, Request, User
from clearance.models.enums import Status
from clearance.models.names import NAME_COLUMNS
from clearance.requests.columns import keep_column
from clearance.requests.field_values import value_of
from clearance.services.schema import Definition, Subject
from clearance.services.standard_fields import COLUMNS

Values = dict[str, Any]

_OF_BROKER = tuple(sorted(COLUMNS & set(Broker.__table__.c.keys())))
_OF_LICENCE = {
    "licence_expiry": "expires",
    "guarantee_no": "guarantee_no",
    "guarantee_expiry": "guarantee_expiry",
}
OF_ANOTHERS = frozenset({"civil_id"})
"""Fields prefilled for another organisation's broker: only what the applicant typed already."""
_OF_PERSON = tuple(sorted(COLUMNS - {"licence_expiry", "guarantee_no", "guarantee_expiry"}))


def from_user(actor: Actor, organisation_id: int) -> Values:
    """Return the user's names by script, civil number, contact; the organisation's address."""
    user = db.session.get_one(User, actor.id)
    organisation = db.session.get_one(Organisation, organisation_id)
    known: Values = {
        "civil_id": user.civil_id,
        "mobile": user.mobile,
        "email": user.email,
        "address": organisation.address,
    }
    for place, name in ((1, user.first_name), (4, user.last_name)):
        if values.arabic_name_fault(name) is None:
            known[f"name_ar_{place}"] = name
        elif values.latin_name_fault(name) is None:
            known[f"name_en_{place}"] = name
    return known


def licence_of(licence_id: int, organisation_id: int) -> Licence:
    """Return the licence if its broker is the organisation's. Raises: NotFound."""
    licence = db.session.scalar(
        sa.select(Licence)
        .join(Broker, Broker.id == Licence.broker_id)
        .options(joinedload(Licence.broker))
        .where(Licence.id == licence_id, Broker.organisation_id == organisation_id)
    )
    if licence is None:
        raise NotFound
    return licence


def from_licence(licence: Licence, service: Definition, now: datetime) -> Values:
    """Return the register's values for the broker and the licence.

    If the form asks for the expiry date, it is the end of the licence's next period.
    """
    known: Values = {name: getattr(licence.broker, name) for name in _OF_BROKER}
    known |= {name: getattr(licence, column) for name, column in _OF_LICENCE.items()}
    wanted = service.field("licence_expiry")
    if wanted is not None and wanted.is_asked:
        known["licence_expiry"] = granted_expiry.next_period_end(licence, now)
    return known


def refresh(req: Request, service: Definition) -> None:
    """Reload the read-only fields of `req` from its licence and broker. Does not flush.

    Source: security rule 23.
    """
    licence = None if req.licence_id is None else db.session.get(Licence, req.licence_id)
    if licence is None or service.subject != Subject.LICENCE:
        return
    known: Values = {name: getattr(licence.broker, name) for name in _OF_BROKER}
    known |= {name: getattr(licence, column) for name, column in _OF_LICENCE.items()}
    asked = {spec.name for spec in service.asked}
    names = (preserved_fields(service) & set(known)) - asked
    # A returned transfer already has the broker's consent.
    if req.status == Status.DRAFT and is_other_organisations(req, licence):
        names &= OF_ANOTHERS
    for name in names:
        keep_column(req, name, known[name])


def is_other_organisations(req: Request, licence: Licence) -> bool:
    """Return whether the licence is another organisation's, as in transfers to the applicant."""
    return licence.broker.organisation_id != req.organisation_id


def preserved_fields(service: Definition) -> set[str]:
    """Return the names of the prefilled fields that a draft stores.

    The person's names and number are stored even if not shown: rules and searches need them.
    """
    kept = {"broker_type", *(spec.name for spec in service.fields)}
    if service.start != "broker_type":
        kept.update(NAME_COLUMNS, ["civil_id"])
    return kept


def candidate(request_id: int, organisation_id: int) -> Request:
    """Return the organisation's passed exam request. Raises: NotFound."""
    req = db.session.get(Request, request_id)
    if req is None or req.organisation_id != organisation_id or req.status != Status.PASSED:
        raise NotFound
    return req


def from_candidate(req: Request) -> Values:
    """Return the personal data of a passed exam request."""
    return {name: getattr(req, name) for name in _OF_PERSON}


def from_earlier(req: Request, service: Definition) -> Values:
    """Return an earlier request's values for the same service, except declarations."""
    return {spec.name: value_of(req, spec) for spec in service.asked if not spec.declaration}
