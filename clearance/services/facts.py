"""Facts for guards, loaded for all subjects with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from clearance.core import office_settings
from clearance.core.actor import ActiveMembership, Actor
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.exams import passes
from clearance.licences import validity
from clearance.licences.validity import Validity
from clearance.models import (
    Broker,
    Exam,
    ExamSeat,
    LegalEntity,
    Licence,
    Organisation,
    Request,
    Subscription,
)
from clearance.models.enums import OPEN_STATUSES, LicenceStatus, SeatStatus, Status, ValidityLink
from clearance.transfers import parties as parties_of
from clearance.transfers.parties import Parties


class ServiceTerms(Protocol):
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


@dataclass(frozen=True)
class RequestFact:
    """An earlier request for the same person or licence."""

    id: int
    service_code: str
    number: str | None
    status: str
    organisation_id: int
    decided_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it was sent and is not decided yet."""
        return self.status in OPEN_STATUSES


@dataclass(frozen=True)
class LicenceFact:
    """A licence and its broker as registered.

    is_general_broker: of his organisation. ends: validity links with their last Kuwait days.
    """

    id: int
    number: str
    status: str
    suspended_by: str | None
    expires: date
    broker_id: int
    organisation_id: int
    civil_id: str
    is_general_broker: bool
    ends: tuple[tuple[ValidityLink, date], ...]

    @property
    def validity(self) -> Validity:
        """The effective validity: the earliest end and its link."""
        return validity.earliest(self.ends)


@dataclass(frozen=True)
class SeatFact:
    """The seat a request holds in an exam. confirm_by: Kuwait day, inclusive."""

    exam_id: int
    held_at: datetime
    confirm_by: date
    place_ar: str
    place_en: str
    status: str


@dataclass(frozen=True)
class Facts:
    """The facts available to guards.

    subscriptions: service code → status. claims: exclusive key → the request that holds it.
    history: civil number → that person's sent requests. licences: the requested ones, by id.
    licensed: civil numbers with a licence that is not cancelled. passed: civil number → Kuwait
    day of the last passed exam. settings: the office's, by key.
    """

    now: datetime
    actor: Actor | None
    organisation_id: int | None
    legal_entity: str | None = None
    entity_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, RequestFact] = field(default_factory=dict)
    history: Mapping[str, tuple[RequestFact, ...]] = field(default_factory=dict)
    licences: Mapping[int, LicenceFact] = field(default_factory=dict)
    licensed: frozenset[str] = frozenset()
    passed: Mapping[str, date] = field(default_factory=dict)
    seat: SeatFact | None = None
    parties: Parties | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The Kuwait date of `now`."""
        return kuwait_date(self.now)

    def pass_counts_until(self, passed: date) -> date:
        """Return the last Kuwait day on which an exam passed on `passed` is valid."""
        return passes.valid_until(passed, int(self.settings[passes.VALIDITY_YEARS]))

    def keeps_until(self, holder: RequestFact) -> date | None:
        """Return the last Kuwait day on which a pass excludes others; None for other requests."""
        if holder.status != Status.PASSED or holder.decided_at is None:
            return None
        return self.pass_counts_until(kuwait_date(holder.decided_at))

    @property
    def standing(self) -> ActiveMembership | None:
        """The actor's active membership in the requesting organisation."""
        if self.actor is None or self.organisation_id is None:
            return None
        return self.actor.standing_in(self.organisation_id)


@dataclass(frozen=True)
class Case:
    """Input of a guard: the service, its person or licence, and the facts.

    request_id: the request itself, which never excludes itself.
    """

    service: ServiceTerms
    facts: Facts
    civil_id: str | None = None
    claim_key: str | None = None
    request_id: int | None = None
    licence_id: int | None = None

    @property
    def licence(self) -> LicenceFact | None:
        """The licence concerned, or None."""
        return None if self.licence_id is None else self.facts.licences.get(self.licence_id)

    @property
    def licence_status(self) -> LicenceStatus | None:
        """The licence's status today, including an expiry no job has recorded yet."""
        if self.licence is None:
            return None
        return validity.status_on(self.licence, self.facts.today)

    @property
    def earlier(self) -> tuple[RequestFact, ...]:
        """The person's other sent requests for this service, oldest first."""
        rows = self.facts.history.get(self.civil_id or "", ())
        return tuple(
            row
            for row in rows
            if row.service_code == self.service.code and row.id != self.request_id
        )


def load(
    actor: Actor | None,
    organisation_id: int | None,
    now: datetime,
    *,
    civil_ids: Iterable[str] = (),
    claim_keys: Iterable[str] = (),
    licence_ids: Iterable[int] = (),
    request_id: int | None = None,
    has_parties: bool = False,
) -> Facts:
    """Load the facts for an organisation, people, licences and claims; fixed number of queries.

    request_id: loads its seat too, and with `has_parties` the parties of the transfer.
    """
    people = set(civil_ids)
    history = _history(people)
    return Facts(
        now=now,
        actor=actor,
        organisation_id=organisation_id,
        legal_entity=_legal_entity(organisation_id),
        entity_names=_entity_names(),
        subscriptions=_subscriptions(organisation_id),
        claims=_claims(set(claim_keys)),
        history=history,
        licences=load_licences(set(licence_ids)),
        licensed=_licensed(people),
        passed=_passed(history),
        seat=load_seat(request_id) if request_id is not None else None,
        parties=parties_of.load(request_id) if request_id is not None and has_parties else None,
        settings=office_settings.all_values(),
    )


_FACT = (
    Request.id,
    Request.service_code,
    Request.number,
    Request.status,
    Request.organisation_id,
    Request.decided_at,
)


def _legal_entity(organisation_id: int | None) -> str | None:
    return db.session.scalar(
        sa.select(Organisation.legal_entity).where(Organisation.id == organisation_id)
    )


def _entity_names() -> dict[str, Mapping[str, str]]:
    rows = db.session.execute(sa.select(LegalEntity.code, LegalEntity.name_ar, LegalEntity.name_en))
    return {code: {"ar": name_ar, "en": name_en} for code, name_ar, name_en in rows}


def _subscriptions(organisation_id: int | None) -> dict[str, str]:
    rows = db.session.execute(
        sa.select(Subscription.service_code, Subscription.status).where(
            Subscription.organisation_id == organisation_id
        )
    )
    return {code: status for code, status in rows}


def _claims(keys: set[str]) -> dict[str, RequestFact]:
    if not keys:
        return {}
    rows = db.session.execute(
        sa.select(Request.exclusive_key, *_FACT).where(Request.exclusive_key.in_(keys))
    )
    return {str(row[0]): RequestFact(*row[1:]) for row in rows}


def _history(civil_ids: set[str]) -> dict[str, tuple[RequestFact, ...]]:
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


def _passed(history: Mapping[str, tuple[RequestFact, ...]]) -> dict[str, date]:
    """Return the Kuwait day of the last passed exam by civil number."""
    found: dict[str, date] = {}
    for civil_id, rows in history.items():
        days = [row.decided_at for row in rows if row.status == Status.PASSED and row.decided_at]
        if days:
            found[civil_id] = kuwait_date(max(days))
    return found


def _licensed(civil_ids: set[str]) -> frozenset[str]:
    if not civil_ids:
        return frozenset()
    found = db.session.scalars(
        sa.select(Broker.civil_id)
        .join(Licence, Licence.broker_id == Broker.id)
        .where(Broker.civil_id.in_(civil_ids), Licence.status != LicenceStatus.CANCELLED)
    )
    return frozenset(found)


def load_licences(licence_ids: Collection[int]) -> dict[int, LicenceFact]:
    """Return the facts of these licences by id; one query."""
    if not licence_ids:
        return {}
    rows = db.session.execute(
        sa.select(
            Licence.id,
            Licence.number,
            Licence.status,
            Licence.suspended_by,
            Licence.expires,
            Licence.broker_id,
            Broker.organisation_id,
            Broker.civil_id,
            sa.func.coalesce(Organisation.general_broker_id == Broker.id, sa.false()),
            *validity.LINK_COLUMNS.values(),
        )
        .join(Broker, Broker.id == Licence.broker_id)
        .join(Organisation, Organisation.id == Broker.organisation_id)
        .where(Licence.id.in_(licence_ids))
    )
    return {row[0]: LicenceFact(*(*row[:9], _ends(row[9:]))) for row in rows}


def _ends(days: Iterable[date]) -> tuple[tuple[ValidityLink, date], ...]:
    return tuple(zip(validity.LINK_COLUMNS, days, strict=True))


def load_seat(request_id: int) -> SeatFact | None:
    """Return the seat the request holds now, or None."""
    row = db.session.execute(
        sa.select(
            ExamSeat.exam_id,
            Exam.held_at,
            Exam.confirm_by,
            Exam.place_ar,
            Exam.place_en,
            ExamSeat.status,
        )
        .join(Exam, Exam.id == ExamSeat.exam_id)
        .where(ExamSeat.request_id == request_id, ExamSeat.status != SeatStatus.RELEASED)
        .order_by(ExamSeat.id.desc())
        .limit(1)
    ).one_or_none()
    return SeatFact(*row) if row is not None else None
