"""Several brokers at once: drafts begun together, documents given once, each sent by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
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
from clearance.licences import organisation_brokers
from clearance.licences import search as licence_search
from clearance.models import Broker, Document, Licence, Request
from clearance.models.enums import Status
from clearance.requests import (
    attachments,
    available_actions,
    completeness,
    locking,
    register_snapshot,
    transitions,
)
from clearance.requests import drafts as request_drafts
from clearance.requests.attachments import Checked
from clearance.services import versions
from clearance.services.flows import Action

MAX_ROWS = 100
"""Brokers in one grid."""

AT_ONCE = 50
"""Rows sent in one transaction."""

MOST_UNFINISHED = 5
_KEY_LENGTH = 32


@dataclass(frozen=True)
class Candidate:
    """A licence of the organisation. refusal: why it cannot be asked for now."""

    licence: Licence
    refusal: Refusal | None


@dataclass(frozen=True)
class Unfinished:
    """A grid with drafts. saved_at: when the last of them was saved."""

    key: str
    drafts: int
    saved_at: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one row at sending: sent, or a draft still.

    refusal: what stands in its way besides what it lacks, which `transitions.missing` tells.
    """

    request_id: int
    is_sent: bool
    refusal: Refusal | None = None


def candidates(code: str, actor: Actor, now: datetime) -> list[Candidate]:
    """Every broker of the chosen organisation, by name, with the very refusal of his button.

    The number of queries does not grow with them. Raises: NotFound for a service that is not asked
    for several at once.
    """
    _bulk(code)
    licences = _licences(actor)
    offers = available_actions.startable_licences([code], licences, actor, now)
    return [Candidate(each, offers[code, each.id]) for each in licences]


def matching(actor: Actor, typed: str) -> frozenset[int] | None:
    """Ids of the organisation's licences that fit what was typed; None when nothing counts."""
    condition = licence_search.condition(typed)
    if condition is None:
        return None
    statement = organisation_brokers.licences(actor).where(condition)
    return frozenset(each.id for each in db.session.scalars(statement))


def unfinished(code: str, actor: Actor) -> list[Unfinished]:
    """The grids of the chosen organisation for the service that have drafts left, newest first."""
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
    code: str, licence_ids: Collection[int], actor: Actor, now: datetime, form_key: str
) -> list[Request]:
    """Begin a draft for each of the organisation's licences named, as one grid; flushes.

    Foreign licences are left out, and those that cannot be asked for now. form_key: the one-time
    key of the page ("": none); given again, the first drafts are returned. Raises: NotFound,
    Refused when nothing could be begun or too much was chosen. Source: specification section 4.
    """
    _bulk(code)
    form_key = form_key or idempotency.new()
    key = _key(code, actor, form_key)
    if earlier := _rows(key, code, actor):
        return earlier
    chosen = [each for each in _licences(actor) if each.id in set(licence_ids)]
    if not chosen:
        raise Refused(Refusal(_l("Choose at least one broker first.")))
    if len(chosen) > MAX_ROWS:
        raise Refused(
            Refusal(
                _l("At most %(limit)s brokers fit into one grid.", limit=MAX_ROWS),
                _l("Choose fewer, and the others in a second grid."),
            )
        )
    begun, refusal = [], None
    for licence in chosen:
        try:
            with db.session.begin_nested():
                req = request_drafts.start(
                    code, actor, now, licence_id=licence.id, form_key=f"{form_key}:{licence.id}"
                )
        except Refused as fault:
            refusal = refusal or fault.refusal
            continue
        req.grid_key = key
        begun.append(req)
    if not begun and refusal is not None:
        raise Refused(refusal)
    db.session.flush()
    return begun


def requests(grid_key: str, code: str, actor: Actor) -> list[Request]:
    """The requests of a grid that the actor may see, drafts and sent ones, in its order.

    Raises: NotFound when there is none.
    """
    found = _rows(grid_key, code, actor)
    if not found:
        raise NotFound
    return found


def has_drafts(grid_key: str, code: str, actor: Actor) -> bool:
    """Whether anything of the grid is left to be sent."""
    return bool(drafts(_rows(grid_key, code, actor)))


def drafts(requests: Sequence[Request]) -> list[Request]:
    """Those of them that are not sent."""
    return [req for req in requests if req.status == Status.DRAFT]


def refusals(
    code: str, requests: Sequence[Request], actor: Actor, now: datetime
) -> dict[int, Refusal]:
    """Request id → why a draft of the grid could not be begun now, where that is so."""
    licences = [req.licence for req in requests if req.licence is not None]
    offers = available_actions.startable_licences([code], licences, actor, now)
    found = {req.id: offers.get((code, req.licence_id or 0)) for req in requests}
    return {key: refusal for key, refusal in found.items() if refusal is not None}


def shared_kinds(requests: Sequence[Request]) -> list[tuple[str, str, bool]]:
    """(code, name, required) of the kinds that may be given once for all; pictures of a person
    are not among them. In the definition's order.
    """
    found: dict[str, tuple[str, str, bool]] = {}
    of_type: dict[str | None, list[tuple[str, str, bool]]] = {}
    for req in requests:
        if req.broker_type not in of_type:
            of_type[req.broker_type] = attachments.kinds_for(req)
    for kinds in of_type.values():
        for kind, name, is_required in kinds:
            known = found.get(kind)
            found[kind] = (kind, name, is_required or (known is not None and known[2]))
    return [each for kind, each in found.items() if kind not in attachments.PICTURE_KINDS]


def attach_to_all(
    requests: Sequence[Request],
    checked: Checked,
    kind: str,
    label: str,
    actor: Actor,
    now: datetime,
) -> list[Document]:
    """Give one checked file to every draft among `requests` that takes its kind; flushes.

    Drafts that were discarded meanwhile are left out. Raises as `attachments.attach`; also
    DocumentRefused when no draft takes it.
    """
    takers = [
        req
        for req in drafts(locking.lock_many([req.id for req in requests]))
        if kind in attachments.open_kinds(req) and kind not in attachments.PICTURE_KINDS
    ]
    if not takers:
        raise attachments.DocumentRefused(
            _l("None of these requests takes documents of this kind. Choose another kind.")
        )
    return attachments.share(takers, checked, kind, label, actor, now)


def shared_documents(requests: Sequence[Request]) -> list[list[Document]]:
    """The files given to several requests of the grid, each by its rows in the drafts.

    In the order of their uploading; those of what was sent stay and are left out. Of a draft that
    is alone every file counts.
    """
    is_alone = len(drafts(requests)) == 1
    counts: dict[str, int] = {}
    of_drafts: dict[str, list[Document]] = {}
    for req in requests:
        for document in req.documents:
            counts[document.storage_key] = counts.get(document.storage_key, 0) + 1
            if req.status == Status.DRAFT:
                of_drafts.setdefault(document.storage_key, []).append(document)
    found = [each for key, each in of_drafts.items() if is_alone or counts[key] > 1]
    return sorted(found, key=lambda each: each[0].id)


def remove_document(
    requests: Sequence[Request], document_id: int, actor: Actor, now: datetime
) -> None:
    """Take a shared file away from every draft of the grid; flushes.

    document_id: of any of its rows there. Raises: NotFound, else as `attachments.attach`.
    """
    for found in shared_documents(requests):
        if document_id in {each.id for each in found}:
            attachments.remove_all(found, actor, now)
            return
    raise NotFound


def send(requests: Sequence[Request], actor: Actor, now: datetime) -> Iterator[Outcome]:
    """Send the drafts among `requests`, one by one, each wholly or not at all; flushes.

    The caller may commit after every `AT_ONCE` outcomes. One that was sent meanwhile counts as
    sent. So many are locked together, so that whoever else changes many of the same licences never
    waits for this one while it waits for them. Source: specification section 4; security rules 25
    and 56.
    """
    ids = sorted(req.id for req in requests)
    for first in range(0, len(ids), AT_ONCE):
        together = ids[first : first + AT_ONCE]
        register_snapshot.lock_many(together)
        for request_id in together:
            yield _send(request_id, actor, now)


def _send(request_id: int, actor: Actor, now: datetime) -> Outcome:
    req = db.session.get(Request, request_id)
    try:
        if req is None:
            raise NotFound
        transitions.perform(req, Action.SEND, actor=actor, now=now, version=req.version)
    except completeness.Incomplete:
        return Outcome(request_id, is_sent=False)
    except NotFound:
        return Outcome(request_id, is_sent=False, refusal=Refusal(_l("This draft was discarded.")))
    except Refused as fault:
        return Outcome(request_id, is_sent=False, refusal=fault.refusal)
    except DomainError as fault:
        if req is not None and req.status != Status.DRAFT:
            return Outcome(request_id, is_sent=True)
        return Outcome(request_id, is_sent=False, refusal=Refusal(fault.message))
    return Outcome(request_id, is_sent=True)


def _bulk(code: str) -> None:
    if not versions.current(code).definition.bulk:
        raise NotFound


def _key(code: str, actor: Actor, form_key: str) -> str:
    """The grid's name in its address: of this page, this person, this service."""
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


def _licences(actor: Actor) -> list[Licence]:
    statement = organisation_brokers.licences(actor).order_by(Broker.name_folded, Licence.id)
    return list(db.session.scalars(statement))
