"""Starting a request about a licence, chosen among the organisation's brokers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from clearance.core.actor import Actor
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.licences import granted_expiry
from clearance.models import Broker, Licence, Request
from clearance.models.enums import Status
from clearance.services.extension import About, Start, Values
from clearance.services.schema import Definition
from clearance.services.standard_fields import COLUMNS
from clearance.services.target import Target

_OF_BROKER = tuple(sorted(COLUMNS & set(Broker.__table__.c.keys())))
_OF_LICENCE = {
    "licence_expiry": "expires",
    "guarantee_no": "guarantee_no",
    "guarantee_expiry": "guarantee_expiry",
}
OF_ANOTHERS = frozenset({"civil_id"})
"""Fields prefilled for another organisation's broker: only what the applicant typed already."""


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


def about(licence: Licence, service: Definition, organisation_id: int, now: datetime) -> About:
    """Return a draft's values from the register, for an organisation that asks about `licence`.

    If the form asks for the expiry date, it is the end of the licence's next period.
    """
    known = _registered(licence)
    wanted = service.field("licence_expiry")
    if wanted is not None and wanted.is_asked:
        known["licence_expiry"] = granted_expiry.next_period_end(licence, now)
    is_theirs = licence.broker.organisation_id == organisation_id
    return About(
        known,
        Target(record_id=licence.id),
        broker_id=licence.broker_id,
        only=None if is_theirs else OF_ANOTHERS,
    )


def _chosen(service: Definition, licence_id: Any, actor: Actor, now: datetime) -> About:
    organisation_id = actor.standing.organisation_id if actor.standing else 0
    return about(licence_of(licence_id, organisation_id), service, organisation_id, now)


def _refreshed(req: Request, service: Definition) -> Values:
    licence = None if req.licence_id is None else db.session.get(Licence, req.licence_id)
    if licence is None:
        return {}
    known = _registered(licence)
    # A returned transfer already has the broker's consent.
    if req.status == Status.DRAFT and licence.broker.organisation_id != req.organisation_id:
        return {name: known[name] for name in OF_ANOTHERS}
    return known


def _registered(licence: Licence) -> Values:
    known = {name: getattr(licence.broker, name) for name in _OF_BROKER}
    return known | {name: getattr(licence, column) for name, column in _OF_LICENCE.items()}


BROKER_CARD = Start(
    name="broker_card",
    words=_l("One of the organisation's brokers"),
    subject="licence",
    find=_chosen,
    again=lambda req: req.licence_id,
    button=_l("Choose the broker"),
    refresh=_refreshed,
    knows=frozenset((*_OF_BROKER, *_OF_LICENCE)),
)
