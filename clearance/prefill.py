"""What is known already when a draft begins, so that nobody types it again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clearance import values
from clearance.actor import Actor
from clearance.definition import Definition
from clearance.errors import NotFound
from clearance.extensions import db
from clearance.models import Broker, Licence, Organisation, Request, User
from clearance.procedures.standard_fields import COLUMNS
from clearance.request_values import value_of
from clearance.vocabulary import Status

Values = dict[str, Any]

_OF_BROKER = tuple(sorted(COLUMNS & set(Broker.__table__.c.keys())))
_OF_PERSON = tuple(sorted(COLUMNS - {"licence_expiry", "guarantee_no", "guarantee_expiry"}))


def from_user(actor: Actor, organisation_id: int) -> Values:
    """What is known of the user and the organisation: names by their script, number, contact."""
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
    """The licence, when its broker is the organisation's. Raises: NotFound."""
    licence = db.session.scalar(
        sa.select(Licence)
        .join(Broker, Broker.id == Licence.broker_id)
        .options(joinedload(Licence.broker))
        .where(Licence.id == licence_id, Broker.organisation_id == organisation_id)
    )
    if licence is None:
        raise NotFound
    return licence


def from_licence(licence: Licence) -> Values:
    """What the register knows of the broker and the licence."""
    known: Values = {name: getattr(licence.broker, name) for name in _OF_BROKER}
    known["licence_expiry"] = licence.expires
    known["guarantee_no"] = licence.guarantee_no
    known["guarantee_expiry"] = licence.guarantee_expiry
    return known


def from_candidate(request_id: int, organisation_id: int) -> Values:
    """The person of a passed exam of this organisation. Raises: NotFound."""
    req = db.session.get(Request, request_id)
    if req is None or req.organisation_id != organisation_id or req.status != Status.PASSED:
        raise NotFound
    return {name: getattr(req, name) for name in _OF_PERSON}


def from_earlier(req: Request, service: Definition) -> Values:
    """What an earlier request for the same service was given, its declarations left out."""
    return {spec.name: value_of(req, spec) for spec in service.asked if not spec.declaration}
