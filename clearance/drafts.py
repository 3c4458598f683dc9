"""Drafts and corrections: begun with what is known, saved as the agent goes, discarded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance import (
    audit,
    completeness,
    corrections,
    definition,
    eligibility,
    file_space,
    policies,
    prefill,
)
from clearance.actor import Actor
from clearance.constraints import is_violation_of
from clearance.definition import Definition, Version
from clearance.errors import (
    ClosedNow,
    DomainError,
    NotFound,
    PermissionDenied,
    Refusal,
    Refused,
)
from clearance.extensions import db
from clearance.models import BrokerType, Document, Remark, Request
from clearance.procedures import facts
from clearance.procedures.claims import claim_key
from clearance.procedures.standard_fields import NAME_COLUMNS
from clearance.request_rows import lock
from clearance.request_values import keep, keep_column, value_of
from clearance.vocabulary import Status

log = structlog.get_logger("clearance.drafts")


class StaleSave(DomainError):
    """Somebody else saved meanwhile; `stored` has what stands now in the fields that were sent."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        super().__init__(
            _l("Somebody else has changed this request meanwhile. Compare and save again.")
        )
        self.stored = dict(stored)


def start(
    code: str,
    actor: Actor,
    now: datetime,
    *,
    broker_type: str | None = None,
    licence_id: int | None = None,
    candidate_id: int | None = None,
    copy_of: int | None = None,
    form_key: str | None = None,
) -> Request:
    """Begin a draft for the actor's chosen organisation, filled with what is known; flushes.

    broker_type: chosen where the service starts so. licence_id: the licence it is about.
    candidate_id: the passed exam request it follows. copy_of: an earlier request of the same
    service to copy. form_key: the starting form's one-time key; given again, the first draft is
    returned. Raises: NotFound, Refused.
    """
    version = definition.current(code)
    standing = actor.standing
    key = _digest(actor, form_key)
    if key is not None and (earlier := _begun_with(key)) is not None:
        return earlier
    organisation_id = standing.organisation_id if standing else None
    loaded = facts.load(actor, organisation_id, now, claim_keys=_keys(version, licence_id))
    case = eligibility.start_case(version.definition, loaded, licence_id=licence_id)
    refusal = eligibility.start_refusal(version.definition, case)
    if refusal is not None or standing is None:
        raise Refused(refusal or Refusal(_l("You have no organisation to ask for.")))
    req = Request(
        service_code=code,
        service_version_id=version.id,
        organisation_id=standing.organisation_id,
        created_by_id=actor.id,
        form_key=key,
        answers={},
        created_at=now,
        saved_at=now,
    )
    _fill(req, version.definition, actor, broker_type, licence_id, candidate_id)
    if copy_of is not None:
        _copy(req, version.definition, copy_of, actor)
    return _add(req, key)


def save(
    req: Request,
    values: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
) -> list[str]:
    """Keep the given values of open fields; flushes. Returns the names that were kept.

    values: name → value of the field's type, None for nothing; nothing is required here. Unknown,
    shown and closed fields are ignored and logged; what changes in a returned request stands in
    the trail. version: the row's as the agent saw it.
    Raises: NotFound, PermissionDenied, ClosedNow, StaleSave. Source: security rules 23 and 56.
    """
    _lock_for_change(req, actor)
    service = definition.of(req)
    if version is not None and version != req.version:
        specs = [service.field(name) for name in values]
        raise StaleSave({spec.name: value_of(req, spec) for spec in specs if spec is not None})
    opened = completeness.open_fields(req, now)
    ignored = sorted(set(values) - opened)
    if ignored:
        log.info("fields_ignored", request_row=req.id, fields=ignored)
    kept = [spec for spec in service.asked if spec.name in values and spec.name in opened]
    before = {spec.name: value_of(req, spec) for spec in kept}
    for spec in kept:
        keep(req, spec, values[spec.name])
    req.saved_at = now
    req.version += 1
    db.session.flush()
    if req.status == Status.RETURNED:
        after = {spec.name: value_of(req, spec) for spec in kept}
        corrections.record(req, before, after, actor, now)
    return [spec.name for spec in kept]


def discard(req: Request, actor: Actor, now: datetime) -> None:
    """Delete a draft with its documents; flushes. The files go when the transaction commits.

    Raises: NotFound, PermissionDenied, ClosedNow (it was sent).
    """
    _lock_for_change(req, actor)
    if req.status != Status.DRAFT:
        raise ClosedNow(_l("Only a draft can be discarded; withdraw the request instead."))
    documents = db.session.scalars(sa.select(Document).where(Document.request_id == req.id)).all()
    file_space.give_up(req.organisation_id, documents)
    audit.record(
        "request:draft:discarded",
        obj=req,
        actor_id=actor.id,
        at=now,
        organisation_id=req.organisation_id,
    )
    db.session.execute(sa.delete(Remark).where(Remark.request_id == req.id))
    db.session.delete(req)
    db.session.flush()


def _lock_for_change(req: Request, actor: Actor) -> None:
    lock(req)
    if not policies.can_see_request(actor, req):
        raise NotFound
    refusal = policies.acts_for(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if req.status not in {Status.DRAFT, Status.RETURNED}:
        raise ClosedNow(_l("This request was sent; it can be changed when it is returned."))


def _keys(version: Version, licence_id: int | None) -> list[str]:
    key = claim_key(
        version.definition.exclusive, version.definition.code, civil_id=None, licence_id=licence_id
    )
    return [key] if key else []


def _fill(
    req: Request,
    service: Definition,
    actor: Actor,
    broker_type: str | None,
    licence_id: int | None,
    candidate_id: int | None,
) -> None:
    """Fill the draft from where the service starts: user, licence or passed candidate.

    Whom it is about is kept even where the service does not show it: rules and searches ask.
    """
    kept = {"broker_type", *(spec.name for spec in service.fields)}
    if service.start == "broker_card":
        licence = prefill.licence_of(_needed(licence_id), req.organisation_id)
        req.licence_id, req.broker_id = licence.id, licence.broker_id
        known = prefill.from_licence(licence)
        kept.update(NAME_COLUMNS, ["civil_id"])
    elif service.start == "passed_candidates":
        known = prefill.from_candidate(_needed(candidate_id), req.organisation_id)
        kept.update(NAME_COLUMNS, ["civil_id"])
    else:
        known = prefill.from_user(actor, req.organisation_id)
        known["broker_type"] = _checked_broker_type(service, broker_type)
    for name in sorted(kept):
        if known.get(name) is not None:
            keep_column(req, name, known[name])


def _needed(row_id: int | None) -> int:
    if row_id is None:
        raise NotFound
    return row_id


def _checked_broker_type(service: Definition, code: str | None) -> str:
    row = db.session.get(BrokerType, code) if code else None
    allowed = service.broker_types
    if row is None or not row.is_active or (allowed and row.code not in allowed):
        raise Refused(Refusal(_l("Choose the broker type first.")))
    return row.code


def _copy(req: Request, service: Definition, earlier_id: int, actor: Actor) -> None:
    earlier = db.session.get(Request, earlier_id)
    if (
        earlier is None
        or not policies.can_see_request(actor, earlier)
        or earlier.organisation_id != req.organisation_id
        or earlier.service_code != req.service_code
    ):
        raise NotFound
    if not service.copyable:
        raise Refused(Refusal(_l("Requests for this service cannot be copied.")))
    for name, value in prefill.from_earlier(earlier, service).items():
        spec = service.field(name)
        if spec is not None:
            keep(req, spec, value if value != "" else None)


def _add(req: Request, key: str | None) -> Request:
    """Add the draft; when another click of the same form was faster, return that one's."""
    try:
        with db.session.begin_nested():
            db.session.add(req)
    except IntegrityError as error:
        if key is None or not is_violation_of(error, "uq_request_form_key"):
            raise
        first = _begun_with(key)
        if first is None:
            raise
        return first
    return req


def _begun_with(key: str) -> Request | None:
    return db.session.scalar(sa.select(Request).where(Request.form_key == key))


def _digest(actor: Actor, form_key: str | None) -> str | None:
    if not form_key:
        return None
    return hashlib.sha256(f"{actor.id}:{form_key}".encode()).hexdigest()
