"""Batch requests: drafts for several brokers, with shared documents, sent one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from clearance.auth import permissions
from clearance.core import idempotency
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Document, Licence, Request
from clearance.models.enums import Status
from clearance.requests import (
    attachments,
    available_actions,
    completeness,
    locking,
    transitions,
)
from clearance.requests import drafts as request_drafts
from clearance.requests.attachments import Checked
from clearance.services import versions
from clearance.services.flows import Action

MAX_ROWS = 100
"""Maximum brokers in one grid."""

AT_ONCE = 50
"""Rows locked and sent in one transaction."""

MOST_UNFINISHED = 5
_KEY_LENGTH = 32
NONE_CHOSEN = Refusal(_l("Select at least one broker first."))


@dataclass(frozen=True)
class Unfinished:
    """A grid with drafts. saved_at: when the last of them was saved."""

    key: str
    drafts: int
    saved_at: datetime


@dataclass(frozen=True)
class Outcome:
    """The result of sending one row. refusal: why it failed, unless it is only incomplete.

    For what is missing see `completeness.missing`.
    """

    request_id: int
    is_sent: bool
    refusal: Refusal | None = None


def unfinished(code: str, actor: Actor) -> list[Unfinished]:
    """Return the chosen organisation's grids with unsent drafts, last saved first."""
    saved_at = sa.func.max(Request.saved_at, type_=Request.saved_at.type)
    found = db.session.execute(
        sa.select(Request.grid_key, sa.func.count(), saved_at)
        .where(
            Request.grid_key.is_not(None),
            Request.service_code == code,
            Request.status == Status.DRAFT,
            Request.organisation_id == (actor.standing.organisation_id if actor.standing else 0),
            permissions.requests_visible_to(actor),
        )
        .group_by(Request.grid_key)
        .order_by(saved_at.desc())
        .limit(MOST_UNFINISHED)
    )
    return [Unfinished(str(key), count, at) for key, count, at in found]


def create_drafts(
    code: str, choices: Iterable[int], actor: Actor, now: datetime, form_key: str
) -> list[Request]:
    """Start a draft for each choice (see `drafts.start`), as one grid. Flushes.

    Skips those of other organisations and those refused now. form_key: the page's one-time key
    ("": none); if it is repeated, the first drafts are returned. Raises: NotFound, Refused if
    nothing could be started or too many were chosen. Source: specification section 4.
    """
    must_be_bulk(code, actor)
    form_key = form_key or idempotency.new()
    key = _key(code, actor, form_key)
    if earlier := _rows(key, code, actor):
        return earlier
    chosen = list(dict.fromkeys(choices))
    if not chosen:
        raise Refused(NONE_CHOSEN)
    if len(chosen) > MAX_ROWS:
        raise Refused(
            Refusal(
                _l("You can include up to %(limit)s brokers in one table.", limit=MAX_ROWS),
                _l("Choose fewer, and put the others in a second table."),
            )
        )
    begun, refusal = [], None
    for choice in chosen:
        try:
            with db.session.begin_nested():
                req = request_drafts.start(
                    code, actor, now, choice, form_key=f"{form_key}:{choice}"
                )
        except Refused as fault:
            refusal = refusal or fault.refusal
            continue
        except NotFound:
            continue
        req.grid_key = key
        begun.append(req)
    if not begun:
        raise Refused(refusal or NONE_CHOSEN)
    db.session.flush()
    return begun


def requests(grid_key: str, code: str, actor: Actor) -> list[Request]:
    """Return the grid's requests that the actor may see, drafts and sent ones, oldest first.

    Raises: NotFound if there are none.
    """
    found = _rows(grid_key, code, actor)
    if not found:
        raise NotFound
    return found


def has_drafts(grid_key: str, code: str, actor: Actor) -> bool:
    """Return whether the grid has unsent drafts."""
    return bool(drafts(_rows(grid_key, code, actor)))


def drafts(requests: Sequence[Request]) -> list[Request]:
    """Return the requests that are still drafts."""
    return [req for req in requests if req.status == Status.DRAFT]


def refusals(
    code: str, requests: Sequence[Request], actor: Actor, now: datetime
) -> dict[int, Refusal]:
    """Return request id → why such a draft could not be started now; others are absent."""
    records = {req.id: req.licence_id for req in requests if req.licence_id is not None}
    offers = available_actions.startable_for(records.values(), [code], actor, now)
    found = {key: offers.get((code, record_id)) for key, record_id in records.items()}
    return {key: refusal for key, refusal in found.items() if refusal is not None}


def shared_kinds(requests: Sequence[Request]) -> list[tuple[str, str, bool]]:
    """Return (code, name, required) of the kinds that requests may share, so no personal photos.

    They are in the definition's order.
    """
    found: dict[str, tuple[str, str, bool]] = {}
    for req in {req.broker_type: req for req in requests}.values():
        for kind, name, is_required in attachments.kinds_for(req):
            found[kind] = (kind, name, is_required or (kind in found and found[kind][2]))
    return [details for kind, details in found.items() if kind not in attachments.PICTURE_KINDS]


def attach_to_all(
    requests: Sequence[Request],
    checked: Checked,
    kind: str,
    label: str,
    actor: Actor,
    now: datetime,
) -> list[Document]:
    """Attach one checked file to every draft among `requests` that accepts its kind. Flushes.

    Skips drafts discarded meanwhile. Raises as `attachments.attach`; also DocumentRefused if no
    draft accepts it.
    """
    takers = [
        req
        for req in drafts(locking.lock_many([req.id for req in requests]))
        if kind in attachments.open_kinds(req) and kind not in attachments.PICTURE_KINDS
    ]
    if not takers:
        raise attachments.DocumentRefused(
            _l("None of these requests accepts documents of this type. Choose another type.")
        )
    return attachments.share(takers, checked, kind, label, actor, now)


def shared_documents(requests: Sequence[Request]) -> list[list[Document]]:
    """Return the files shared by several requests of the grid, as their rows in drafts.

    They are in upload order; files of sent requests only are skipped. With a single draft, all of
    its files are included.
    """
    groups: dict[str, list[Document]] = {}
    for req in requests:
        for document in req.documents:
            groups.setdefault(document.storage_key, []).append(document)
    unsent = {req.id for req in drafts(requests)}
    found = [
        [document for document in documents if document.request_id in unsent]
        for documents in groups.values()
        if len(documents) > 1 or len(unsent) == 1
    ]
    return sorted((rows for rows in found if rows), key=lambda rows: rows[0].id)


def send(requests: Sequence[Request], actor: Actor, now: datetime) -> list[Outcome]:
    """Send the drafts among `requests` one by one, each in its own savepoint. Flushes.

    They are locked together in a fixed order, to avoid deadlocks: give at most `AT_ONCE` and
    commit. A draft sent meanwhile is reported as sent, one discarded meanwhile is left out.
    Source: specification section 4; security rules 25 and 56.
    """
    locked = locking.lock_with_records([req.id for req in requests])
    return [_send(req, actor, now) for req in locked]


def _send(req: Request, actor: Actor, now: datetime) -> Outcome:
    try:
        transitions.perform(req, Action.SEND, actor=actor, now=now, version=req.version)
    except completeness.Incomplete:
        return Outcome(req.id, is_sent=False)
    except Refused as fault:
        return Outcome(req.id, is_sent=False, refusal=fault.refusal)
    except DomainError as fault:
        if req.status == Status.DRAFT:
            return Outcome(req.id, is_sent=False, refusal=Refusal(fault.message))
    return Outcome(req.id, is_sent=True)


def must_be_bulk(code: str, actor: Actor) -> None:
    """Raise NotFound unless the actor sees a service that is requested for several at once."""
    organisation_id = actor.standing.organisation_id if actor.standing else None
    if not versions.current_for(code, organisation_id).definition.bulk:
        raise NotFound


def _key(code: str, actor: Actor, form_key: str) -> str:
    """Return the grid's key in URLs, derived from user, service and form key."""
    typed = f"{actor.id}:{code}:{form_key}"
    return hashlib.sha256(typed.encode()).hexdigest()[:_KEY_LENGTH]


def _rows(grid_key: str, code: str, actor: Actor) -> list[Request]:
    statement = (
        sa.select(Request)
        .where(
            Request.grid_key == grid_key,
            Request.service_code == code,
            permissions.requests_visible_to(actor),
        )
        .options(
            joinedload(Request.service_version),
            joinedload(Request.licence).joinedload(Licence.broker),
            selectinload(Request.documents),
        )
        .order_by(Request.id)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(statement))
