"""Facts for guards, loaded for all subjects with a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from types import MappingProxyType
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


Known = Mapping[Callable[[Facts], Any], Any]
"""Loader → what it would find."""


def load(
    actor: Actor | None,
    organisation_id: int | None,
    now: datetime,
    asked: Collection[tuple[ServiceTerms, Target]] = (),
    request_ids: Iterable[int] = (),
    known: Known = MappingProxyType({}),
) -> Facts:
    """Load the facts about an organisation and what it asks for, with one query.

    known: what the caller has read already.
    """
    subjects = Subjects(
        frozenset(target.civil_id for _service, target in asked if target.civil_id),
        frozenset(target.record_id for _service, target in asked if target.record_id is not None),
        frozenset(request_ids),
    )
    keys = {target.exclusive_key(service.exclusive, service.code) for service, target in asked}
    found = _read(organisation_id, {key for key in keys if key is not None}, subjects.civil_ids)
    return Facts(
        now=now,
        actor=actor,
        organisation_id=organisation_id,
        legal_entity=next((key for key, _fact in found[_ORGANISATION]), None),
        entity_names=kept.until_changed("entity names", _entity_names),
        subscriptions={key: fact.status for key, fact in found[_SUBSCRIPTION]},
        stops=stops.by_service(organisation_id),
        claims=dict(found[_CLAIM]),
        history=_by_person(found[_HISTORY]),
        settings=office_settings.all_values(),
        subjects=subjects,
        claim_end=current_app.extensions["services"].claim_end,
        loaded=dict(known),
    )


_FACT = (
    Request.id,
    Request.service_code,
    Request.number,
    Request.status,
    Request.organisation_id,
    Request.decided_at,
)


_ORGANISATION, _SUBSCRIPTION, _CLAIM, _HISTORY = "organisation", "subscription", "claim", "history"
_Found = Mapping[str, Sequence[tuple[str, RequestFact]]]


def _read(organisation_id: int | None, keys: Collection[str], civil_ids: Collection[str]) -> _Found:
    """Read four kinds of facts in one query, as rows of a key and the columns of a request.

    The organisation by its legal entity, its subscriptions by service, which have a status only,
    the requests that hold exclusive keys, and the sent requests of people by civil number.
    """
    statement = _statement(has_keys=bool(keys), has_people=bool(civil_ids))
    given = {"organisation": organisation_id, "keys": [*keys], "people": [*civil_ids]}
    found: dict[str, list[tuple[str, RequestFact]]] = defaultdict(list)
    for kind, key, *fact in db.session.connection().execute(statement, given):
        found[kind].append((key, RequestFact(*fact)))
    return found


@cache
def _statement(*, has_keys: bool, has_people: bool) -> sa.CompoundSelect[Any]:
    """Return the statement of `_read`: building it takes longer than it runs."""
    organisation: Any = sa.bindparam("organisation", type_=sa.Integer())
    of_organisation = Subscription.organisation_id == organisation
    parts = [
        _part(_ORGANISATION, Organisation.legal_entity).where(Organisation.id == organisation),
        _part(_SUBSCRIPTION, Subscription.service_code, Subscription.status).where(of_organisation),
    ]
    if has_keys:
        held = Request.exclusive_key.in_(sa.bindparam("keys", expanding=True))
        parts.append(_part(_CLAIM, Request.exclusive_key, *_FACT).where(held))
    if has_people:
        about = Request.civil_id.in_(sa.bindparam("people", expanding=True))
        is_sent = Request.status != Status.DRAFT
        parts.append(_part(_HISTORY, Request.civil_id, *_FACT).where(about, is_sent))
    return sa.union_all(*parts)


def _part(kind: str, key: Any, *columns: Any) -> sa.Select[Any]:
    known = {column.key: column for column in columns}
    fact = [known.get(c.key, sa.cast(sa.null(), c.type).label(c.key)) for c in _FACT]
    return sa.select(sa.literal_column(f"'{kind}'").label("kind"), key.label("found_by"), *fact)


def _by_person(found: Sequence[tuple[str, RequestFact]]) -> dict[str, tuple[RequestFact, ...]]:
    """Return civil number → requests, oldest first."""
    people: dict[str, list[RequestFact]] = {}
    for civil_id, fact in sorted(found, key=lambda each: each[1].id):
        people.setdefault(civil_id, []).append(fact)
    return {civil_id: tuple(facts) for civil_id, facts in people.items()}


def _entity_names() -> dict[str, Mapping[str, str]]:
    rows = db.session.execute(sa.select(LegalEntity.code, LegalEntity.name_ar, LegalEntity.name_en))
    return {code: {"ar": name_ar, "en": name_en} for code, name_ar, name_en in rows}
