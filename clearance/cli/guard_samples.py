"""Sample cases for guards, so that docs/services.md can list every refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from clearance.core.actor import ActiveMembership, Actor
from clearance.core.clock import kuwait_date
from clearance.exams import facts as exam_facts
from clearance.exams.facts import SeatFact
from clearance.exams.statuses import ExamStatus
from clearance.licences import facts as licence_facts
from clearance.licences.facts import LicenceFact
from clearance.models.enums import LicenceStatus, Role, Status, SuspendedBy, ValidityLink
from clearance.services import registry
from clearance.services.facts import Case, Facts, RequestFact, ServiceTerms
from clearance.services.stops import Stop
from clearance.services.target import Target
from clearance.transfers import parties as transfer_parties
from clearance.transfers.parties import OtherOrganisation, Parties

NOW = datetime(2026, 6, 10, 6, 0, tzinfo=UTC)  # fixed, so that the page does not change daily
TODAY = kuwait_date(NOW)
SETTINGS: Mapping[str, Any] = {
    "renewal_window_days": 60,
    "exam_validity_years": 3,
    "exam_waiting_days": 30,
    "exam_attempts": 2,
    "transfer_silence_days": 14,
    "stopped_draft_days": 14,
}
OURS, THEIRS, THIRD = 1, 2, 3
CIVIL_ID = "288010112345"
_ENTITIES = {
    "clearing_agent": {"ar": "وكيل تخليص", "en": "Clearing agent"},
    "company": {"ar": "شركة", "en": "Company"},
}


_SEAT = SeatFact(1, NOW, TODAY, "قاعة", "Hall", "offered")


def cases(service: ServiceTerms) -> Iterator[Case]:
    """Yield cases of `service` in every state that guards distinguish, including valid ones."""
    good = _good(service)
    yield good
    yield from _of_organisation(good)
    yield from _of_claim(good)
    yield from _of_licence(good)
    yield from _of_candidate(good)
    yield from _of_seat(good)
    yield from _of_transfer(good)


def _good(service: ServiceTerms) -> Case:
    """Return a valid case: subscribed organisation, licence about to expire, exam passed."""
    facts = Facts(
        now=NOW,
        actor=_actor(ActiveMembership(OURS, "مكتب الخليج", "Gulf Office", True, frozenset())),
        organisation_id=OURS,
        legal_entity=next(iter(service.legal_entities), "clearing_agent"),
        entity_names=_ENTITIES,
        subscriptions={service.code: "active"},
        settings=SETTINGS,
        claim_end=registry.current().claim_end,
        loaded=_loaded(parties=_parties()),
    )
    return Case(service, facts, Target(CIVIL_ID, 1), 50)


def _with(case: Case, **facts: Any) -> Case:
    return replace(case, facts=replace(case.facts, **facts))


def _loaded(
    licence: LicenceFact | None = None,
    seat: SeatFact | None = _SEAT,
    parties: Parties | None = None,
    passed: date | None = TODAY - timedelta(days=100),
    licensed: frozenset[str] = frozenset(),
) -> dict[Any, Any]:
    """Return what the loaders of the subjects would load, by loader."""
    return {
        licence_facts.licences: {1: licence or _licence()},
        licence_facts.licensed: licensed,
        exam_facts.seats: {50: seat},
        exam_facts.passed: {} if passed is None else {CIVIL_ID: passed},
        transfer_parties.loaded: {50: parties},
    }


def _of_organisation(good: Case) -> Iterator[Case]:
    stop = Stop(TODAY, TODAY + timedelta(days=30), {})
    yield _with(good, stops={good.service.code: stop})
    yield _with(good, actor=None)
    yield _with(good, legal_entity="another")
    for status in ("asked", "left"):
        yield _with(good, subscriptions={good.service.code: status})
    additional = ActiveMembership(OURS, "مكتب الخليج", "Gulf Office", False, frozenset())
    yield _with(good, actor=_actor(additional))


def _of_claim(good: Case) -> Iterator[Case]:
    open_one = RequestFact(8, good.service.code, "AB/8/26", Status.SUBMITTED, OURS, None)
    for holder in (
        open_one,
        replace(open_one, organisation_id=THEIRS),
        replace(open_one, status=ExamStatus.PASSED, organisation_id=THEIRS, decided_at=NOW),
        replace(open_one, status=ExamStatus.PASSED, decided_at=NOW - timedelta(days=100)),
    ):
        yield _with(good, claims={good.claim_key: holder})


def _of_licence(good: Case) -> Iterator[Case]:
    living = _licence()
    for licence in (
        replace(living, organisation_id=THEIRS),
        replace(living, ends=_ends(TODAY + timedelta(days=400))),
        replace(living, expires=TODAY - timedelta(days=1)),
        replace(living, status=LicenceStatus.CANCELLED),
        replace(living, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.OFFICE),
        replace(living, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.HOLDER),
        replace(living, is_general_broker=True),
    ):
        yield _with(good, loaded=_loaded(licence))


def _of_candidate(good: Case) -> Iterator[Case]:
    yield _with(good, loaded=_loaded(passed=None))
    yield _with(good, loaded=_loaded(passed=date(2022, 3, 1)))
    yield _with(good, loaded=_loaded(licensed=frozenset({CIVIL_ID})))
    failed = RequestFact(
        3, good.service.code, "AB/3/26", ExamStatus.FAILED, OURS, NOW - timedelta(days=10)
    )
    yield _with(good, history={CIVIL_ID: (failed,)})
    yield _with(good, history={CIVIL_ID: (failed, replace(failed, id=4, number="AB/4/26"))})


def _of_seat(good: Case) -> Iterator[Case]:
    yield _with(good, loaded=_loaded(seat=None))
    later = SeatFact(
        1, NOW + timedelta(days=5), TODAY - timedelta(days=1), "قاعة", "Hall", "offered"
    )
    yield _with(good, loaded=_loaded(seat=later))


def _of_transfer(good: Case) -> Iterator[Case]:
    agreed = _parties()
    other = OtherOrganisation(THEIRS, True, 1)
    for parties in (
        replace(agreed, is_general_broker=True),
        replace(agreed, other=None, named_id=None),
        replace(agreed, other=replace(other, id=OURS), named_id=OURS),
        replace(agreed, is_fixed=True, named_id=THIRD),
        replace(agreed, other=replace(other, may_hold_licences=False)),
        replace(agreed, other=replace(other, general_users=0)),
        replace(agreed, holder_id=THIRD),
        replace(agreed, mobile=""),
        replace(agreed, asked_at=NOW - timedelta(days=20)),
    ):
        yield _with(good, loaded=_loaded(parties=parties))


def _actor(standing: ActiveMembership) -> Actor:
    return Actor(7, Role.AGENT, "سالم", "العتيبي", "salem@example.com", "ar", standings=(standing,))


def _licence() -> LicenceFact:
    until = TODAY + timedelta(days=20)
    return LicenceFact(
        id=1,
        number="KW-1",
        status=LicenceStatus.ACTIVE,
        suspended_by=None,
        expires=until,
        broker_id=1,
        organisation_id=OURS,
        civil_id=CIVIL_ID,
        is_general_broker=False,
        ends=_ends(until),
    )


def _ends(until: date) -> tuple[tuple[ValidityLink, date], ...]:
    return tuple((link, until) for link in ValidityLink)


def _parties() -> Parties:
    return Parties(
        asking_id=OURS,
        holder_id=OURS,
        releasing_id=None,
        is_general_broker=False,
        mobile="+96555000001",
        is_named=True,
        named_id=THEIRS,
        other=OtherOrganisation(THEIRS, True, 1),
        is_fixed=False,
    )
