"""What is known when a draft starts: the start by broker type, and what drafts keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.actor import Actor
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import BrokerType, Organisation, Request, User
from clearance.models.names import NAME_COLUMNS
from clearance.requests.field_values import value_of
from clearance.services import registry
from clearance.services.columns import keep_column
from clearance.services.extension import About, Start, Values
from clearance.services.schema import Definition


def refresh(req: Request, service: Definition) -> None:
    """Reload the read-only fields of `req` from what it is about. Does not flush.

    Source: security rule 23.
    """
    known = registry.current().starts[service.start].refresh(req, service)
    asked = {spec.name for spec in service.asked}
    for name in (preserved_fields(service) & set(known)) - asked:
        keep_column(req, name, known[name])


def preserved_fields(service: Definition) -> set[str]:
    """Return the names of the prefilled fields that a draft stores.

    The names and number of a person chosen at the start are stored even if not shown: rules and
    searches need them.
    """
    kept = {"broker_type", *(spec.name for spec in service.fields)}
    if registry.current().starts[service.start].is_about_chosen:
        kept.update(NAME_COLUMNS, ["civil_id"])
    return kept


def from_earlier(req: Request, service: Definition) -> Values:
    """Return an earlier request's values for the same service, except declarations."""
    return {spec.name: value_of(req, spec) for spec in service.asked if not spec.declaration}


_KNOWN_NAMES = ("name_ar_1", "name_ar_4", "name_en_1", "name_en_4")


def _by_type(service: Definition, code: Any, actor: Actor, now: datetime) -> About:
    """Return the user's names by script, civil number, contact; the organisation's address."""
    organisation_id = actor.standing.organisation_id if actor.standing else 0
    user = db.session.get_one(User, actor.id)
    organisation = db.session.get_one(Organisation, organisation_id)
    known: Values = {
        "broker_type": _checked(service, code),
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
    words = user.latin_name.split()
    if len(words) == 2:  # of more words nobody knows which are the last name
        known |= {"name_en_1": words[0], "name_en_4": words[1]}
    return About(known)


def _checked(service: Definition, code: Any) -> str:
    row = db.session.get(BrokerType, code) if code else None
    allowed = service.broker_types
    if row is None or not row.is_active or (allowed and row.code not in allowed):
        raise Refused(Refusal(_l("Choose the broker type first.")))
    return row.code


BROKER_TYPE = Start(
    name="broker_type",
    words=_l("Choice of the broker type"),
    subject="person",
    find=_by_type,
    again=lambda req: req.broker_type,
    is_about_chosen=False,
    knows=frozenset(("broker_type", "civil_id", "mobile", "email", "address", *_KNOWN_NAMES)),
)
