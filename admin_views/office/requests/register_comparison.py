"""A request's data compared with the register's data on its person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clearance.auth import permissions
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import Broker, Licence, Request, User
from clearance.requests import field_values
from clearance.requests.field_values import value_of
from clearance.services import registry, versions
from clearance.services.answers import written
from clearance.services.extension import Known
from clearance.services.field_specs import FieldSpec, legend

SHOWN_ROWS = 10


@dataclass(frozen=True)
class Line:
    """A field with the request's value and the register's ("" if unknown)."""

    label: str
    value: str
    known: str
    differs: bool


@dataclass(frozen=True)
class RegisterMatch:
    """The register's data under a civil number, newest first.

    licence: the one to compare with, the request's own or else the newest. user: the account with
    the number. requests: the other requests. records: heading → what subjects know of the person.
    """

    broker: Broker | None
    licences: Sequence[Licence]
    licence: Licence | None
    user: User | None
    requests: Sequence[Any]
    records: Sequence[tuple[Any, Sequence[Known]]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not (self.broker or self.user or self.requests or self.records)


def look_up(req: Request, reader: Actor) -> RegisterMatch:
    """Look up the request's civil number, in a constant number of queries."""
    broker = _broker(req)
    licences = sorted(broker.licences, key=lambda each: each.id, reverse=True) if broker else []
    licence = req.licence or (licences[0] if licences else None)
    if req.civil_id is None:
        return RegisterMatch(broker, licences, licence, None, (), ())
    return RegisterMatch(
        broker=broker,
        licences=licences,
        licence=licence,
        user=db.session.scalar(
            sa.select(User)
            .where(User.civil_id == req.civil_id)
            .options(selectinload(User.memberships))
        ),
        requests=_other_requests(req, reader),
        records=[
            (heading, records)
            for heading, known_of in registry.current().known
            if (records := known_of(req.civil_id))
        ],
    )


def lines(req: Request, known: RegisterMatch, lang: str) -> list[tuple[str, list[Line]]]:
    """Return (legend, lines) of the request's fields, in the order of its definition."""
    shown, groups = field_values.visible(req), []
    for fieldset, specs in versions.for_request(req).fieldsets:
        found = [_line(req, spec, known, lang) for spec in specs if spec.name in shown]
        if found:
            groups.append((legend(fieldset, lang), found))
    return groups


def _line(req: Request, spec: FieldSpec, known: RegisterMatch, lang: str) -> Line:
    value = field_values.shown_value(req, spec.name, lang)
    registered = _registered(spec, known)
    if registered in (None, ""):
        return Line(spec.title(lang), value, "", differs=False)
    differs = registered != value_of(req, spec)
    return Line(spec.title(lang), value, written(spec, registered, lang), differs)


def _registered(spec: FieldSpec, known: RegisterMatch) -> str | date | None:
    """Return the register's value of a standard field, from the broker or the licence."""
    if known.broker is None or spec.is_own:
        return None
    from_licence = {
        "licence_expiry": "expires",
        "guarantee_no": "guarantee_no",
        "guarantee_expiry": "guarantee_expiry",
    }
    if spec.name in from_licence:
        return getattr(known.licence, from_licence[spec.name]) if known.licence else None
    return getattr(known.broker, spec.name, None) if spec.name != "number" else None


def _broker(req: Request) -> Broker | None:
    condition = Broker.id == req.broker_id
    if req.broker_id is None:
        condition = Broker.civil_id == (req.civil_id or "")
    return db.session.scalar(
        sa.select(Broker)
        .where(condition)
        .options(selectinload(Broker.licences), joinedload(Broker.organisation))
    )


def _other_requests(req: Request, reader: Actor) -> Sequence[Any]:
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.status,
            Request.stage,
            Request.service_version_id,
            Request.sent_at,
        )
        .where(
            permissions.requests_visible_to(reader),
            Request.civil_id == req.civil_id,
            Request.id != req.id,
        )
        .order_by(Request.sent_at.desc(), Request.id.desc())
        .limit(SHOWN_ROWS)
    )
    return db.session.execute(statement).all()
