"""Subscriptions (الاشتراك بالخدمات): an organisation's services and the next step for each.

`guards.is_subscribed` decides, as it does when a request begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.core import reasons
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.models import Organisation, Request, Subscription
from clearance.models.enums import SubscriptionStatus
from clearance.organisations.subscription_locks import AUTOMATIC_VERSION
from clearance.services import facts, guards, registry, versions
from clearance.services.facts import Case, Facts
from clearance.services.schema import Definition

SHOWN_OPEN = 5
GENERAL_USER_ONLY = Refusal(
    _l("Only a general user of your organisation can change its subscriptions."),
    _l("Ask your general user."),
)
HAS_OPEN_REQUESTS = Refusal(
    _l("There are open requests for this service."),
    _l("You can end the subscription when they are decided or withdrawn."),
)


class Step(StrEnum):
    """A step a general user can take for a service."""

    ASK = "ask"
    WITHDRAW = "withdraw"
    LEAVE = "leave"


@dataclass(frozen=True)
class OpenRequests:
    """Open requests that block leaving a service: their number and the first few.

    first: (id, number), at most SHOWN_OPEN.
    """

    count: int = 0
    first: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Entry:
    """One service in an organisation's catalogue.

    status: the row's, None without a row. is_held: it can be used. since: when the status was set.
    version: the row's, posted with the step. step: the available one, if any. refusal: why the step
    cannot be taken now. shut: why the service is unavailable to the organisation altogether.
    """

    definition: Definition
    status: SubscriptionStatus | None
    is_held: bool
    asked_at: datetime | None
    since: datetime | None
    reason: str
    version: int
    step: Step | None
    refusal: Refusal | None
    shut: Refusal | None
    open_requests: OpenRequests

    @property
    def code(self) -> str:
        """Return the service's code."""
        return self.definition.code

    @property
    def is_at_once(self) -> bool:
        """Return whether asking subscribes immediately, without the office."""
        return is_at_once(self.definition)


def granted_codes(organisation_id: int) -> frozenset[str]:
    """Return the active services that the organisation's users can be granted.

    That is, those `guards.is_subscribed` allows that are open to its legal entity.
    """
    legal_entity = db.session.scalar(
        sa.select(Organisation.legal_entity).where(Organisation.id == organisation_id)
    )
    rows = _rows(organisation_id)
    known = _facts(organisation_id, {code: row.status for code, row in rows.items()})
    services = (version.definition for version in versions.offered_to(organisation_id))
    return frozenset(
        service.code
        for service in services
        if guards.is_for(service, legal_entity) and is_held(service, known)
    )


def catalogue(actor: Actor, now: datetime) -> list[Entry]:
    """Return every active service for the actor's chosen organisation, in menu order.

    The number of queries does not grow with services or requests. [] without an organisation.
    """
    standing = actor.standing
    if standing is None:
        return []
    organisation_id = standing.organisation_id
    known = facts.load(actor, organisation_id, now)
    rows = _rows(organisation_id)
    open_requests = open_requests_of(organisation_id) if standing.is_general else {}
    return [
        _entry(version.definition, known, rows, open_requests, actor)
        for version in versions.offered_to(organisation_id)
    ]


def is_held(service: Definition, known: Facts) -> bool:
    """Return whether the organisation described by these facts has the service."""
    return guards.is_subscribed(Case(service, known)) is None


def is_at_once(service: Definition) -> bool:
    """Return whether asking subscribes immediately: true unless the office must approve.

    So an automatic service that was left is restored as soon as it is asked for.
    """
    return service.subscription != "by_approval"


def version_of(row: Subscription | None, service: Definition) -> int:
    """Return the version a page shows and posts; 0 without a row."""
    if row is not None:
        return row.version
    return AUTOMATIC_VERSION if service.is_automatic else 0


def step_for(service: Definition, row: Subscription | None) -> Step:
    """Return the step available for a service in this state."""
    status = row.status if row is not None else None
    if status == SubscriptionStatus.ASKED:
        return Step.WITHDRAW
    known = _facts(0, {service.code: status} if status is not None else {})
    return Step.LEAVE if is_held(service, known) else Step.ASK


def open_requests_of(organisation_id: int, code: str | None = None) -> dict[str, OpenRequests]:
    """Return the organisation's open requests by service code, optionally of one service only."""
    # Wrapped, so that SQLite finds the open ones by status instead of reading all requests.
    service = sa.func.coalesce(Request.service_code, "")
    place = sa.func.row_number().over(partition_by=service, order_by=Request.id)
    counted = sa.func.count().over(partition_by=service)
    numbered = sa.select(
        Request.id,
        Request.number,
        Request.service_code,
        place.label("place"),
        counted.label("counted"),
    ).where(
        Request.organisation_id == organisation_id,
        registry.is_open(),
    )
    if code is not None:
        numbered = numbered.where(Request.service_code == code)
    found = numbered.subquery()
    rows = db.session.execute(
        sa.select(found).where(found.c.place <= SHOWN_OPEN).order_by(found.c.place)
    )
    collected: dict[str, OpenRequests] = {}
    for row in rows:
        before = collected.get(row.service_code, OpenRequests())
        first = (*before.first, (row.id, row.number or ""))
        collected[row.service_code] = OpenRequests(row.counted, first)
    return collected


def _rows(organisation_id: int) -> dict[str, Any]:
    rows = db.session.scalars(
        sa.select(Subscription).where(Subscription.organisation_id == organisation_id)
    )
    return {row.service_code: row for row in rows}


def _facts(organisation_id: int, subscriptions: Mapping[str, str]) -> Facts:
    return Facts(utc_now(), None, organisation_id, subscriptions=subscriptions)


def _entry(
    service: Definition,
    known: Facts,
    rows: Mapping[str, Subscription],
    open_requests: Mapping[str, OpenRequests],
    actor: Actor,
) -> Entry:
    row = rows.get(service.code)
    step = step_for(service, row)
    held_by = open_requests.get(service.code, OpenRequests())
    shut = guards.organisation_may_ask(Case(service, known))
    is_closed = shut is not None and (row is None or step is Step.ASK)
    refusal = None
    if not permissions.can_manage(actor, known.organisation_id):
        refusal = GENERAL_USER_ONLY
    elif step is Step.LEAVE and held_by.count:
        refusal = HAS_OPEN_REQUESTS
    return Entry(
        definition=service,
        status=SubscriptionStatus(row.status) if row is not None else None,
        is_held=is_held(service, known) and not is_closed,
        asked_at=row.asked_at if row is not None else None,
        since=row.decided_at if row is not None else None,
        reason=reasons.read(row.reason) if row is not None else "",
        version=version_of(row, service),
        step=None if is_closed else step,
        refusal=refusal,
        shut=shut,
        open_requests=held_by,
    )
