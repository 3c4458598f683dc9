"""Facts for guards, loaded for all subjects with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from flask import current_app

from clearance.core import kept, office_settings
from clearance.core.actor import ActiveMembership, Actor
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.models import LegalEntity, Organisation, Request, Subscription
from clearance.models.enums import Status
from clearance.services import stops
from clearance.services.opening import OpeningDates
from clearance.services.stops import Stop
from clearance.services.target import Target


class ServiceTerms(OpeningDates, Protocol):
    """The part of a service's definition that guards use."""

    @property
    def code(self) -> str:
        """The service's code."""

    @property
    def legal_entities(self) -> tuple[str, ...]:
        """Codes of the legal entities that may request it; empty for all."""

    @property
    def is_automatic(self) -> bool:
        """Whether every organisation has it without subscribing."""

    @property
    def exclusive(self) -> str:
        """What admits one open request at a time, as `Target.exclusive_key` takes it."""


@dataclass(frozen=True)
class RequestFact:
    """An earlier request for the same person or record."""

    id: int
    service_code: str
    number: str | None
    status: str
    organisation_id: int
    decided_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it was sent and is not decided yet."""
        return self.decided_at is None


@dataclass(frozen=True)
class Subjects:
    """What the facts are about: sets of keys, so that many are loaded by few queries."""

    civil_ids: frozenset[str] = frozenset()
    record_ids: frozenset[int] = frozenset()
    request_ids: frozenset[int] = frozenset()


ClaimEnd = Callable[[RequestFact, "Facts"], date | None]
T = TypeVar("T")


@dataclass(frozen=True)
class Facts:
    """The facts available to guards.

    subscriptions: service code → status. stops: service code → its stop, if any. claims: exclusive
    key → the request that holds it. history: civil number → that person's sent requests.
    settings: the office's, by key. subjects: what the facts of particular subjects are loaded for,
    see `read`. claim_end: the last Kuwait day on which a finished request excludes others, None for
    no end. loaded: facts by their loader.
    """

    now: datetime
    actor: Actor | None
    organisation_id: int | None
    legal_entity: str | None = None
    entity_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, Stop] = field(default_factory=dict)
    claims: Mapping[str, RequestFact] = field(default_factory=dict)
    history: Mapping[str, tuple[RequestFact, ...]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    subjects: Subjects = Subjects()
    claim_end: ClaimEnd = lambda holder, facts: None
    loaded: dict[Callable[[Facts], Any], Any] = field(default_factory=dict)

    def read(self, loader: Callable[[Facts], T]) -> T:
        """Return what `loader` loads for these subjects; it is called once, when first asked."""
        if loader not in self.loaded:
            self.loaded[loader] = loader(self)
        found: T = self.loaded[loader]
        return found

    @property
    def today(self) -> date:
        """The Kuwait date of `now`."""
        return kuwait_date(self.now)

    def keeps_until(self, holder: RequestFact) -> date | None:
        """Return the last Kuwait day on which that finished request excludes others, or None."""
        return self.claim_end(holder, self)

    @property
    def standing(self) -> ActiveMembership | None:
        """The actor's active membership in the requesting organisation."""
        if self.actor is None or self.organisation_id is None:
            return None
        return self.actor.standing_in(self.organisation_id)


@dataclass(frozen=True)
class Case:
    """Input of a guard: the service, what is asked about, and the facts.

    request_id: the request itself, which never excludes itself. status: its status; None before
    it is begun.
    """

    service: ServiceTerms
    facts: Facts
    target: Target = Target()
    request_id: int | None = None
    status: str | None = None

    @property
    def is_correction(self) -> bool:
        """Whether it was sent before."""
        return self.status not in (None, Status.DRAFT)

    @property
    def claim_key(self) -> str | None:
        """The exclusive key that the request holds once sent, or None."""
        return self.target.exclusive_key(self.service.exclusive, self.service.code)

    @property
    def earlier(self) -> tuple[RequestFact, ...]:
        """The person's other sent requests for this service, oldest first."""
        rows = self.facts.history.get(self.target.civil_id or "", ())
        return tuple(
            row
            for row in rows
            if row.service_code == self.service.code and row.id != self.request_id
        )


def load(
    actor: Actor | None,
    organisation_id: int | None,
    now: datetime,
    asked: Collection[tuple[ServiceTerms, Target]] = (),
    request_ids: Iterable[int] = (),
) -> Facts:
    """Load the facts about an organisation and what it asks for; fixed number of queries."""
    subjects = Subjects(
        frozenset(target.civil_id for _service, target in asked if target.civil_id),
        frozenset(target.record_id for _service, target in asked if target.record_id is not None),
        frozenset(request_ids),
    )
    keys = {target.exclusive_key(service.exclusive, service.code) for service, target in asked}
    legal_entity, subscriptions = _of_organisation(organisation_id)
    return Facts(
        now=now,
        actor=actor,
        organisation_id=organisation_id,
        legal_entity=legal_entity,
        entity_names=kept.until_changed("entity names", _entity_names),
        subscriptions=subscriptions,
        stops=stops.by_service(organisation_id),
        claims=_claims({key for key in keys if key is not None}),
        history=_history(subjects.civil_ids),
        settings=office_settings.all_values(),
        subjects=subjects,
        claim_end=current_app.extensions["services"].claim_end,
    )


_FACT = (
    Request.id,
    Request.service_code,
    Request.number,
    Request.status,
    Request.organisation_id,
    Request.decided_at,
)


def _of_organisation(organisation_id: int | None) -> tuple[str | None, dict[str, str]]:
    """Return an organisation's legal entity, and the states of its subscriptions by service."""
    rows = db.session.execute(
        sa.select(Organisation.legal_entity, Subscription.service_code, Subscription.status)
        .outerjoin(Subscription, Subscription.organisation_id == Organisation.id)
        .where(Organisation.id == organisation_id)
    ).all()
    subscriptions = {code: status for _entity, code, status in rows if code is not None}
    return (rows[0][0] if rows else None), subscriptions


def _entity_names() -> dict[str, Mapping[str, str]]:
    rows = db.session.execute(sa.select(LegalEntity.code, LegalEntity.name_ar, LegalEntity.name_en))
    return {code: {"ar": name_ar, "en": name_en} for code, name_ar, name_en in rows}


def _claims(keys: set[str]) -> dict[str, RequestFact]:
    if not keys:
        return {}
    rows = db.session.execute(
        sa.select(Request.exclusive_key, *_FACT).where(Request.exclusive_key.in_(keys))
    )
    return {str(row[0]): RequestFact(*row[1:]) for row in rows}


def _history(civil_ids: frozenset[str]) -> dict[str, tuple[RequestFact, ...]]:
    if not civil_ids:
        return {}
    found: dict[str, list[RequestFact]] = {}
    rows = db.session.execute(
        sa.select(Request.civil_id, *_FACT)
        .where(Request.civil_id.in_(civil_ids), Request.status != Status.DRAFT)
        .order_by(Request.id)
    )
    for row in rows:
        found.setdefault(str(row[0]), []).append(RequestFact(*row[1:]))
    return {civil_id: tuple(facts) for civil_id, facts in found.items()}
