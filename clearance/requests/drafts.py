"""Drafts and corrections: start prefilled, save and discard."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance.auth import permissions
from clearance.core import audit, legal_holds
from clearance.core.actor import Actor
from clearance.core.constraints import is_violation_of
from clearance.core.errors import (
    ClosedNow,
    DomainError,
    NotFound,
    PermissionDenied,
    Refusal,
    Refused,
)
from clearance.core.extensions import db
from clearance.files import quota
from clearance.models import Document, Remark, Request
from clearance.models.enums import Status
from clearance.requests import completeness, corrections, eligibility, remarks, starts
from clearance.requests.field_values import keep, value_of
from clearance.requests.locking import lock
from clearance.services import facts, registry, versions
from clearance.services.answers import offered
from clearance.services.columns import keep_column
from clearance.services.extension import About
from clearance.services.facts import Case
from clearance.services.schema import Definition
from clearance.services.target import Target
from clearance.services.versions import Version

log = structlog.get_logger("clearance.requests")


class StaleSave(DomainError):
    """The request was changed meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            _l(
                "Someone else, or you in another tab, changed this request in the meantime. "
                "Compare and save again."
            )
        )


def start(
    code: str,
    actor: Actor,
    now: datetime,
    choice: int | str | None = None,
    *,
    about: About | None = None,
    copy_of: Request | None = None,
    form_key: str | None = None,
) -> Request:
    """Start a draft for the actor's selected organisation, prefilled with known values; flushes.

    choice: what the service starts with: a broker type, or the id of a row. about: what the
    caller found instead, whichever organisation's it is. copy_of: an earlier request of the same
    service. form_key: the one-time key of the form; used again, it returns the first draft.
    Raises: NotFound, Refused.
    """
    standing = actor.standing
    version = versions.current_for(code, standing.organisation_id if standing else None)
    service = version.definition
    key = _digest(actor, form_key)
    if key is not None and (earlier := _begun_with(key)) is not None:
        return earlier
    if standing is None:
        raise Refused(Refusal(_l("You have no organisation to apply for.")))
    if service.is_out_of_order:
        raise Refused(eligibility.OUT_OF_ORDER)
    start = registry.current().starts[service.start]
    if copy_of is not None:
        _must_be_copyable(copy_of, service, actor)
        choice = start.again(copy_of) if choice is None else choice
    about = _checked_start(service, choice, about, actor, standing.organisation_id, now)
    req = _empty(version, standing.organisation_id, actor, key, now)
    _fill(req, service, about)
    if copy_of is not None:
        _copy(req, service, copy_of)
    return _add(req, key)


def copy_refusal(earlier: Request, actor: Actor, now: datetime) -> Refusal | None:
    """Return why a copy of `earlier` would be refused now, at its start or as it is, or None.

    Raises: NotFound if it cannot be copied by the actor at all. Reads only.
    """
    standing = actor.standing
    organisation_id = standing.organisation_id if standing else None
    service = versions.current_for(earlier.service_code, organisation_id).definition
    try:
        _must_be_copyable(earlier, service, actor)
        if service.is_out_of_order or standing is None:
            return eligibility.OUT_OF_ORDER
        choice = registry.current().starts[service.start].again(earlier)
        _checked_start(service, choice, None, actor, standing.organisation_id, now)
    except Refused as refused:
        return refused.refusal
    target = Target.of(earlier)
    loaded = facts.load(actor, standing.organisation_id, now, [(service, target)])
    return next(iter(eligibility.send_refusals(service, Case(service, loaded, target))), None)


def save(
    req: Request,
    values: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
    answers: Mapping[int, str] | None = None,
) -> list[str]:
    """Save the given values of open fields. Flushes. Returns the names that were saved.

    values: name → value of the field's type, None if empty; nothing is required here. Other fields
    are ignored and logged. Changes to a returned request are recorded in the audit trail.
    version: of the row that the agent saw. answers: why nothing has to change, by id of remark.
    Raises: NotFound, PermissionDenied, ClosedNow, StaleSave. Source: security rules 23 and 56.
    """
    _lock_for_change(req, actor)
    service = versions.for_request(req)
    if version is not None and version != req.version:
        raise StaleSave
    opened = completeness.open_fields(req, now)
    ignored = sorted(set(values) - opened)
    if ignored:
        log.info("fields_ignored", request_row=req.id, fields=ignored)
    kept = [spec for spec in service.asked if spec.name in values and spec.name in opened]
    before = {spec.name: value_of(req, spec) for spec in kept}
    for spec in kept:
        keep(req, spec, values[spec.name])
    req.saved_at, req.moved = now, None
    req.version += 1
    db.session.flush()
    if req.status == Status.RETURNED:
        remarks.keep_answers(req, answers or {})
        after = {spec.name: value_of(req, spec) for spec in kept}
        corrections.record(req, before, after, actor, now)
    return [spec.name for spec in kept]


def discard(req: Request, actor: Actor, now: datetime) -> None:
    """Delete a draft with its documents. Flushes; the files are deleted on commit.

    Raises: NotFound, PermissionDenied, ClosedNow (it was sent, or is under a legal hold).
    """
    _lock_for_change(req, actor)
    if req.status != Status.DRAFT:
        raise ClosedNow(_l("Only a draft can be deleted. Withdraw the request instead."))
    if legal_holds.protects(req):
        raise ClosedNow(_l("This draft cannot be deleted now. Ask the office why."))
    delete(req, actor.id, now, "request:draft:discarded")


def delete(req: Request, actor_id: int | None, now: datetime, kind: str) -> None:
    """Delete a locked draft with its documents, recorded as `kind`. Flushes.

    actor_id: None for the portal itself.
    """
    documents = db.session.scalars(sa.select(Document).where(Document.request_id == req.id)).all()
    quota.delete_documents(req.organisation_id, documents)
    audit.record(kind, obj=req, actor_id=actor_id, at=now, organisation_id=req.organisation_id)
    db.session.execute(sa.delete(Remark).where(Remark.request_id == req.id))
    db.session.delete(req)
    db.session.flush()


def _lock_for_change(req: Request, actor: Actor) -> None:
    lock(req)
    if not permissions.can_see_request(actor, req):
        raise NotFound
    refusal = permissions.acts_for(actor, req)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    if req.status not in {Status.DRAFT, Status.RETURNED}:
        raise ClosedNow(
            _l("This request was sent. You can change it if the office asks for corrections.")
        )


def _checked_start(
    service: Definition,
    choice: Any,
    about: About | None,
    actor: Actor,
    organisation_id: int,
    now: datetime,
) -> About:
    """Return what the draft is about. Raises: NotFound, Refused by the start or its guards."""
    start = registry.current().starts[service.start]
    if start.is_about_chosen:
        about = about or start.find(service, choice, actor, now)
    target = Target() if about is None else about.target
    loaded = facts.load(actor, organisation_id, now, [(service, target)])
    refusal = eligibility.start_refusal(service, Case(service, loaded, target))
    if refusal is not None:
        raise Refused(refusal)
    return about or start.find(service, choice, actor, now)


def _empty(
    version: Version, organisation_id: int, actor: Actor, key: str | None, now: datetime
) -> Request:
    """Return a draft without any values yet."""
    return Request(
        service_code=version.definition.code,
        service_version_id=version.id,
        organisation_id=organisation_id,
        created_by_id=actor.id,
        form_key=key,
        answers={},
        created_at=now,
        saved_at=now,
    )


def _fill(req: Request, service: Definition, about: About) -> None:
    req.licence_id, req.broker_id = about.target.record_id, about.broker_id
    names = starts.preserved_fields(service)
    if about.only is not None:
        names &= about.only
    for name in sorted(names):
        if about.known.get(name) is not None:
            keep_column(req, name, about.known[name])


def _must_be_copyable(earlier: Request, service: Definition, actor: Actor) -> None:
    standing = actor.standing
    if (
        standing is None
        or not permissions.can_see_request(actor, earlier)
        or earlier.organisation_id != standing.organisation_id
        or earlier.service_code != service.code
    ):
        raise NotFound
    if not service.copyable:
        raise Refused(Refusal(_l("Requests for this service cannot be copied.")))


def _copy(req: Request, service: Definition, earlier: Request) -> None:
    """Copy the answers of an earlier request, but no choice that is no longer offered.

    Fields whose type changed since are left out.
    """
    was = versions.for_request(earlier)
    for name, value in starts.from_earlier(earlier, was).items():
        spec, old = service.field(name), was.field(name)
        if spec is not None and spec.is_asked and old is not None and old.kind == spec.kind:
            keep(req, spec, offered(spec, value) if value != "" else None)


def _add(req: Request, key: str | None) -> Request:
    """Add the draft, or return the one that a concurrent submission of the same form added."""
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
