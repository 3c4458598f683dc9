"""Changes an applicant made to a returned request, shown to the reviewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import Document, Event, Request
from clearance.requests.timeline import kind_of
from clearance.services.flows import Action
from clearance.services.schema import Definition, FieldSpec
from clearance.services.standard_fields import DATE_KINDS

KIND = "request:correction:saved"


@dataclass(frozen=True)
class Correction:
    """A changed field, with its values in the previous and the latest submission."""

    spec: FieldSpec
    before: Any
    after: Any


def record(
    req: Request, before: Mapping[str, Any], after: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    """Record in the audit trail what a save changed in a returned request, if anything. Flushes."""
    changes = {
        name: [_json(before[name]), _json(after[name])]
        for name in after
        if before[name] != after[name]
    }
    if changes:
        audit.record(
            KIND,
            obj=req,
            actor_id=actor.id,
            at=now,
            organisation_id=req.organisation_id,
            request_id=req.id,
            changes=changes,
        )


def of_last_sending(req: Request, service: Definition) -> list[Correction]:
    """Return what changed between the last two submissions, in the form's order.

    Values changed and changed back are left out. Returns [] if it was sent only once.
    """
    sendings = _sendings(req)
    if len(sendings) < 2:
        return []
    changes = db.session.scalars(
        sa.select(Event.changes)
        .where(
            Event.request_id == req.id,
            Event.kind == KIND,
            Event.id.between(sendings[-2].id, sendings[-1].id),
        )
        .order_by(Event.id)
    )
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for event_changes in changes:
        for name, (before, after) in event_changes.items():
            first.setdefault(name, before)
            last[name] = after
    return [
        Correction(spec, _typed(spec, first[spec.name]), _typed(spec, last[spec.name]))
        for spec in service.asked
        if spec.name in last and first[spec.name] != last[spec.name]
    ]


def new_documents(req: Request) -> frozenset[int]:
    """Return ids of the documents added for the last submission; empty for the first one."""
    sendings = _sendings(req)
    if len(sendings) < 2:
        return frozenset()
    found = db.session.scalars(
        sa.select(Document.id).where(
            Document.request_id == req.id,
            Document.uploaded_at > sendings[-2].at,
            Document.uploaded_at <= sendings[-1].at,
        )
    )
    return frozenset(found)


def _sendings(req: Request) -> list[Any]:
    statement = (
        sa.select(Event.id, Event.at)
        .where(Event.request_id == req.id, Event.kind == kind_of(Action.SEND))
        .order_by(Event.id)
    )
    return list(db.session.execute(statement))


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(spec: FieldSpec, value: Any) -> Any:
    if spec.kind in DATE_KINDS and value:
        return date.fromisoformat(value)
    return value
