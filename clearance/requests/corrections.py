"""Changes an applicant made to a returned request, shown to the reviewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import Document, Event, Request
from clearance.requests.timeline import kind_of
from clearance.services import answers
from clearance.services.answers import typed
from clearance.services.field_specs import FieldSpec
from clearance.services.flows import Action
from clearance.services.schema import Definition

KIND = "request:correction:saved"
ADDED, REMOVED = "request:document:added", "request:document:removed"
_KINDS = (KIND, ADDED, REMOVED)


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
        name: [answers.stored(before[name]), answers.stored(after[name])]
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
    first, last = _ends(_events(req, *sendings[-2:]))
    return [
        Correction(spec, typed(spec, first[spec.name]), typed(spec, last[spec.name]))
        for spec in service.asked
        if spec.name in last and first[spec.name] != last[spec.name]
    ]


def places_changed_now(req: Request) -> frozenset[str]:
    """Return the fields and document kinds that were changed since the last submission."""
    sendings = _sendings(req)
    return _places(req, sendings[-1]) if sendings else frozenset()


def places_of_last_sending(req: Request) -> frozenset[str]:
    """Return the fields and document kinds that the last submission changed."""
    sendings = _sendings(req)
    return _places(req, *sendings[-2:]) if len(sendings) > 1 else frozenset()


def last_sent_at(req: Request) -> datetime | None:
    """Return when the request was last sent, or None."""
    sendings = _sendings(req)
    return sendings[-1].at if sendings else None


def new_documents(req: Request) -> frozenset[int]:
    """Return ids of the documents added for the last submission; empty for the first one."""
    sendings = _sendings(req)
    return frozenset(_added(req, *sendings[-2:])) if len(sendings) > 1 else frozenset()


def _places(req: Request, sent: Any, again: Any = None) -> frozenset[str]:
    """Return what was changed between two submissions, or since `sent`."""
    events = _events(req, sent, again)
    first, last = _ends(events)
    # A document that was added and removed again is no change.
    added = {event.object_id for event in events if event.kind == ADDED}
    removed = {
        event.changes["kind"][0]
        for event in events
        if event.kind == REMOVED and event.object_id not in added
    }
    fields = {name for name in last if first[name] != last[name]}
    return frozenset(fields | removed | set(_added(req, sent, again).values()))


def _added(req: Request, sent: Any, again: Any = None) -> dict[int, str]:
    """Return id → kind of the documents added between two submissions, or since `sent`."""
    which = [Document.request_id == req.id, Document.uploaded_at > sent.at]
    if again is not None:
        which.append(Document.uploaded_at <= again.at)
    found = db.session.execute(sa.select(Document.id, Document.kind).where(*which))
    return {row.id: row.kind for row in found}


def _events(req: Request, sent: Any, again: Any = None) -> list[Any]:
    """Return what was changed between two submissions, or since `sent`, in order of time."""
    which = [Event.request_id == req.id, Event.kind.in_(_KINDS), Event.id > sent.id]
    if again is not None:
        which.append(Event.id < again.id)
    columns = (Event.kind, Event.object_id, Event.changes)
    return list(db.session.execute(sa.select(*columns).where(*which).order_by(Event.id)))


def _ends(events: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first values before and the last values after, by field."""
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for event in events:
        if event.kind == KIND:
            for name, (before, after) in event.changes.items():
                first.setdefault(name, before)
                last[name] = after
    return first, last


def _sendings(req: Request) -> list[Any]:
    statement = (
        sa.select(Event.id, Event.at)
        .where(Event.request_id == req.id, Event.kind == kind_of(Action.SEND))
        .order_by(Event.id)
    )
    return list(db.session.execute(statement))
