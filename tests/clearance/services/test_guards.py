"""Guards: each lets the right case pass, and tells the wrong one why and what would change it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask_babel import force_locale

from clearance.core.actor import ActiveMembership, Actor
from clearance.core.errors import Refusal
from clearance.exams import facts as exam_facts
from clearance.exams import guards as exam_guards
from clearance.exams import passes
from clearance.exams.facts import SeatFact
from clearance.exams.statuses import ExamStatus
from clearance.models.enums import Status
from clearance.services import guards
from clearance.services.facts import Case, Facts, RequestFact
from clearance.services.target import Target

pytestmark = pytest.mark.usefixtures("english")

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
ENTITIES = {
    "clearing_agent": {"ar": "وكيل تخليص", "en": "Clearing agent"},
    "company": {"ar": "شركة", "en": "Company"},
}


class Terms:
    """What guards ask of a definition."""

    opens_on: date | None = None
    closes_on: date | None = None

    def __init__(self, *, entities: tuple[str, ...] = (), is_automatic: bool = True) -> None:
        self.code = "exam"
        self.legal_entities = entities
        self.is_automatic = is_automatic
        self.exclusive = "person"


def actor(*, is_general: bool = True, services: frozenset[str] = frozenset()) -> Actor:
    standing = ActiveMembership(1, "مكتب", "Office", is_general, services)
    return Actor(7, "agent", "سالم", "العتيبي", "a@example.com", "ar", standings=(standing,))


def case(terms: Terms | None = None, **facts: Any) -> Case:
    known: dict[str, Any] = {
        "now": NOW,
        "actor": actor(),
        "organisation_id": 1,
        "legal_entity": "clearing_agent",
        "entity_names": ENTITIES,
        "settings": {"exam_waiting_days": 0, "exam_attempts": 0, "exam_validity_years": 3},
    }
    if "seat" in facts:
        facts["loaded"] = {exam_facts.seats: {50: facts.pop("seat")}}
    elif "loaded" not in facts:
        facts["loaded"] = {exam_facts.seats: {}}
    known["claim_end"] = lambda holder, facts: passes.CLAIM_END.last_day(holder, facts)
    return Case(terms or Terms(), Facts(**(known | facts)), Target("288010112345"), 50)


def earlier(status: Status, number: int = 1, **columns: Any) -> RequestFact:
    is_open = status in {Status.SUBMITTED, Status.UNDER_REVIEW, Status.RETURNED}
    decided_at = None if is_open else NOW - timedelta(days=10)
    fact = RequestFact(number, "exam", f"CE/{number}/26", status, 1, decided_at)
    return replace(fact, **columns)


def history(*rows: RequestFact) -> dict[str, tuple[RequestFact, ...]]:
    return {"288010112345": rows}


def text(refusal: Refusal | None) -> str:
    assert refusal is not None
    return f"{refusal.text} | {refusal.change} | {refusal.url}"


def test_organisation_of_another_legal_entity_is_told_for_whom_it_is() -> None:
    terms = Terms(entities=("clearing_agent",))
    assert guards.organisation_may_ask(case(terms)) is None
    refusal = guards.organisation_may_ask(case(terms, legal_entity="company"))
    assert "It is only for: Clearing agent." in text(refusal)
    with force_locale("ar"):
        refusal = guards.organisation_may_ask(case(terms, legal_entity="company"))
        assert "وكيل تخليص" in text(refusal)


def test_service_for_everybody_asks_for_no_legal_entity() -> None:
    assert guards.organisation_may_ask(case(legal_entity="company")) is None


@pytest.mark.parametrize(
    "facts", [{"actor": None}, {"organisation_id": None}, {"organisation_id": 2}]
)
def test_user_without_membership_is_refused(facts: dict[str, Any]) -> None:
    assert "not an active member" in text(guards.organisation_may_ask(case(**facts)))
    assert guards.is_granted(case(**facts)) is not None


@pytest.mark.parametrize(
    ("status", "is_automatic", "passes"),
    [
        (None, True, True),
        (None, False, False),
        ("active", False, True),
        ("asked", False, False),
        ("refused", True, False),
        ("left", True, False),
    ],
)
def test_subscription_counts(status: str | None, is_automatic: bool, passes: bool) -> None:
    subscriptions = {"exam": status} if status else {}
    refusal = guards.is_subscribed(
        case(Terms(is_automatic=is_automatic), subscriptions=subscriptions)
    )
    assert (refusal is None) is passes
    if refusal is not None:
        assert refusal.url == "/my/subscriptions/"


def test_additional_user_needs_the_grant() -> None:
    granted = actor(is_general=False, services=frozenset({"exam"}))
    without = actor(is_general=False, services=frozenset({"renewal"}))
    assert guards.is_granted(case()) is None
    assert guards.is_granted(case(actor=granted)) is None
    assert "not have access" in text(guards.is_granted(case(actor=without)))


def test_open_request_about_the_same_is_named_and_linked() -> None:
    claims = {"exam:288010112345": earlier(Status.SUBMITTED, 8)}
    told = text(guards.claim_is_free(case(claims=claims)))
    assert "CE/8/26" in told and "/my/requests/details/?id=8" in told


def test_foreign_or_ungranted_holder_of_the_claim_is_not_named() -> None:
    foreign = {"exam:288010112345": earlier(Status.SUBMITTED, 8, organisation_id=2)}
    assert "CE/8/26" not in text(guards.claim_is_free(case(claims=foreign)))
    own = {"exam:288010112345": earlier(Status.SUBMITTED, 8, service_code="renewal")}
    granted = actor(is_general=False, services=frozenset({"exam"}))
    told = text(guards.claim_is_free(case(claims=own, actor=granted)))
    assert "CE/8/26" not in told and "/my/requests" not in told


def test_finished_holder_says_that_it_is_done() -> None:
    claims = {"exam:288010112345": earlier(ExamStatus.PASSED)}
    told = text(guards.claim_is_free(case(claims=claims)))
    assert "already completed" in told and "valid until 31/05/2029" in told
    foreign = {"exam:288010112345": earlier(ExamStatus.PASSED, organisation_id=2)}
    told = text(guards.claim_is_free(case(claims=foreign)))
    assert "already completed" in told and "2029" not in told


def test_request_does_not_stand_in_its_own_way() -> None:
    claims = {"exam:288010112345": earlier(Status.RETURNED, 50)}
    assert guards.claim_is_free(case(claims=claims)) is None
    assert guards.claim_is_free(case()) is None


def test_waiting_time_after_the_last_result_is_told_by_its_day() -> None:
    rows = history(earlier(ExamStatus.FAILED), earlier(Status.WITHDRAWN, 2, decided_at=NOW))
    settings = {"exam_waiting_days": 30, "exam_attempts": 0}
    assert exam_guards.exam_waiting_time_over(case(history=rows)) is None
    refusal = exam_guards.exam_waiting_time_over(case(history=rows, settings=settings))
    assert "30/06/2026" in text(refusal)
    over = case(history=rows, settings=settings, now=datetime(2026, 6, 29, 21, 0, tzinfo=UTC))
    assert exam_guards.exam_waiting_time_over(over) is None
    assert exam_guards.exam_waiting_time_over(case(settings=settings)) is None


def test_attempts_are_counted_by_results() -> None:
    settings = {"exam_waiting_days": 0, "exam_attempts": 2}
    once = history(
        earlier(ExamStatus.FAILED), earlier(Status.REJECTED, 2), earlier(Status.LAPSED, 3)
    )
    twice = history(*once["288010112345"], earlier(ExamStatus.ABSENT, 4))
    assert exam_guards.exam_attempts_left(case(history=once, settings=settings)) is None
    assert exam_guards.exam_attempts_left(case(history=twice)) is None
    refusal = exam_guards.exam_attempts_left(case(history=twice, settings=settings))
    assert "have been used" in text(refusal)
    again = history(
        *twice["288010112345"], earlier(ExamStatus.PASSED, 5), earlier(ExamStatus.FAILED, 6)
    )
    assert exam_guards.exam_attempts_left(case(history=again, settings=settings)) is None


def test_other_services_and_the_request_itself_do_not_count_as_earlier() -> None:
    rows = history(
        earlier(ExamStatus.FAILED, service_code="renewal"),
        earlier(ExamStatus.FAILED, 50),
        earlier(ExamStatus.FAILED, 3),
    )
    assert [row.id for row in case(history=rows).earlier] == [3]


def test_seat_is_confirmed_while_its_day_lasts() -> None:
    seat = SeatFact(1, NOW + timedelta(days=5), date(2026, 6, 10), "قاعة", "Hall", "offered")
    assert exam_guards.seat_is_confirmable(case(seat=seat)) is None
    late = case(seat=seat, now=datetime(2026, 6, 10, 21, 0, tzinfo=UTC))
    assert "10/06/2026" in text(exam_guards.seat_is_confirmable(late))
    assert exam_guards.seat_is_confirmable(case()) is not None


def test_result_waits_for_the_exam() -> None:
    seat = SeatFact(1, NOW, date(2026, 6, 1), "قاعة", "Hall", "confirmed")
    assert exam_guards.exam_has_begun(case(seat=seat)) is None
    early = case(seat=seat, now=NOW - timedelta(seconds=1))
    assert "not taken place" in text(exam_guards.exam_has_begun(early))
    assert exam_guards.exam_has_begun(case()) is not None
