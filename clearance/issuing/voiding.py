"""Voiding of issued documents by the office."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.auth import permissions
from clearance.core import i18n, reasons, urls
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied, ReasonRequired, Refusal, Refused
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.issuing import operations
from clearance.licences import notifications as licence_notices
from clearance.licences import register as licence_register
from clearance.models import IssuedDocument
from clearance.models.enums import IssuedKind

REASON_MAX_LENGTH = 250


def void_refusal(document: IssuedDocument, actor: Actor) -> Refusal | None:
    """Return why `actor` cannot void the document now, or None."""
    refusal = _not_theirs(document, actor)
    if refusal is not None:
        return refusal
    return _void_already() if document.voided_at is not None else None


def void(document: IssuedDocument, actor: Actor, reason: Reason | str, now: datetime) -> None:
    """Void the document permanently and notify the licence's, or the request's, users. Flushes.

    reason: shown to the users, 1 to 250 characters.
    Raises: PermissionDenied, ReasonRequired, Refused if it is void already.
    """
    refusal = _not_theirs(document, actor)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    kept = reasons.cleaned(reason, REASON_MAX_LENGTH)
    if not kept:
        raise ReasonRequired
    db.session.refresh(document, with_for_update={"of": IssuedDocument})
    if document.voided_at is not None:
        raise Refused(_void_already())
    operations.void(document, kept, now, actor_id=actor.id)
    title = i18n.in_both(operations.title_of(document))
    told = {"document": title, "reason": reasons.in_both(kept)}
    if document.licence is not None:
        licence_notices.tell("licence:voided", document.licence, now=now, **told)
    elif document.request is not None:
        notifications.notify_members(
            "issued:voided",
            organisation_id=document.organisation_id,
            service_code=document.request.service_code,
            params={"number": document.number or "", "name": document.content["holder"], **told},
            now=now,
            request_id=document.request_id,
            url=urls.request_url(document.request.id),
        )


def _not_theirs(document: IssuedDocument, actor: Actor) -> Refusal | None:
    if document.kind == IssuedKind.STATEMENT:
        req = document.request
        return permissions.voids_statements(
            actor,
            civil_id=(req.civil_id if req is not None else None) or "",
            organisation_id=document.organisation_id,
        )
    broker = document.licence.broker if document.licence is not None else None
    return licence_register.keeper_refusal(
        actor,
        civil_id=broker.civil_id if broker is not None else "",
        organisation_id=broker.organisation_id if broker is not None else document.organisation_id,
    )


def _void_already() -> Refusal:
    return Refusal(_l("The document is already void."))
