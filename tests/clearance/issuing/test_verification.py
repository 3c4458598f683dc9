"""What a document is worth, derived from the state of its licence, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.issuing import operations
from clearance.issuing import verification as document_verification
from clearance.issuing.verification import Authenticity
from clearance.models import IssuedDocument, User
from clearance.models.enums import (
    IssuedKind,
    IssuedState,
    LicenceStatus,
    LicenceStep,
    SuspendedBy,
    VoidReason,
)
from tests.support import issued_factories

NOW = datetime(2026, 3, 15, 7, 0, tzinfo=UTC)
SUSPENDED = NOW + timedelta(days=10)
EXPIRES = issued_factories.EXPIRES
GENUINE = Authenticity(IssuedState.GENUINE)


def worth(document: IssuedDocument, now: datetime) -> Authenticity:
    verdict = document_verification.verify(document.check_code, now)
    assert verdict is not None
    return Authenticity(verdict.state, verdict.since)


def suspend(document: IssuedDocument, by: SuspendedBy = SuspendedBy.OFFICE) -> None:
    assert document.licence is not None
    issued_factories.change_status(
        document.licence,
        LicenceStatus.SUSPENDED,
        LicenceStep.SUSPENDED,
        SUSPENDED,
        suspended_by=by,
    )


def test_the_verdict_tells_what_is_printed_and_no_more(agent: User) -> None:
    document = issued_factories.make_issued(user=agent, now=NOW)
    verdict = document_verification.verify(document.check_code, NOW)
    assert verdict == document_verification.VerificationResult(
        state=IssuedState.GENUINE,
        since=None,
        kind=IssuedKind.CERTIFICATE,
        title=IssuedKind.CERTIFICATE.label,
        number=document.content["number"],
        holder={"ar": "أحمد عبد الله العنزي", "en": "Ahmad Abdullah Alenezi"},
        issued_on=date(2026, 3, 15),
        valid_until=EXPIRES,
    )


@pytest.mark.parametrize("kind", [IssuedKind.CERTIFICATE, IssuedKind.CARD])
def test_a_suspended_licence_makes_void_and_a_reactivated_one_valid_again(
    agent: User, kind: IssuedKind
) -> None:
    document = issued_factories.make_issued(kind, user=agent, now=NOW)
    assert document.licence is not None
    assert worth(document, NOW) == GENUINE
    suspend(document)
    assert worth(document, SUSPENDED) == Authenticity(IssuedState.VOID, date(2026, 3, 25))
    issued_factories.change_status(
        document.licence,
        LicenceStatus.ACTIVE,
        LicenceStep.REINSTATED,
        SUSPENDED + timedelta(days=5),
    )
    assert worth(document, SUSPENDED + timedelta(days=5)) == GENUINE


def test_the_last_day_counts_and_the_next_does_not(agent: User) -> None:
    document = issued_factories.make_issued(user=agent, now=NOW)
    late = datetime(EXPIRES.year, EXPIRES.month, EXPIRES.day, 20, 59, tzinfo=UTC)
    assert worth(document, late) == GENUINE  # 23:59 in Kuwait
    after = Authenticity(IssuedState.EXPIRED, EXPIRES + timedelta(days=1))
    assert worth(document, late + timedelta(minutes=1)) == after
    assert document.licence is not None
    issued_factories.change_status(
        document.licence,
        LicenceStatus.EXPIRED,
        LicenceStep.EXPIRED,
        late + timedelta(days=3),
    )
    assert worth(document, late + timedelta(days=9)) == after


def test_what_came_first_counts(agent: User) -> None:
    document = issued_factories.make_issued(user=agent, now=NOW)
    suspend(document)
    far = datetime(2031, 1, 1, tzinfo=UTC)
    assert worth(document, far) == Authenticity(IssuedState.VOID, date(2026, 3, 25))


def test_a_licence_shortened_by_the_office_shortens_its_documents(agent: User) -> None:
    document = issued_factories.make_issued(user=agent, now=NOW)
    assert document.licence is not None
    document.licence.expires = date(2026, 4, 1)
    db.session.commit()
    verdict = document_verification.verify(document.check_code, NOW)
    assert verdict is not None and verdict.valid_until == date(2026, 4, 1)
    later = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
    assert worth(document, later) == Authenticity(IssuedState.EXPIRED, date(2026, 4, 2))


@pytest.mark.parametrize("reason", [VoidReason.REPLACED, VoidReason.LOST, VoidReason.CANCELLED])
def test_what_is_void_for_good_stays_so_whatever_the_licence_does(
    agent: User, reason: VoidReason
) -> None:
    document = issued_factories.make_issued(IssuedKind.CARD, user=agent, now=NOW)
    operations.void(document, reason, SUSPENDED)
    db.session.commit()
    assert worth(document, SUSPENDED) == Authenticity(IssuedState.VOID, date(2026, 3, 25))


def test_a_cancelled_licence_makes_void_at_once(agent: User) -> None:
    document = issued_factories.make_issued(user=agent, now=NOW)
    assert document.licence is not None
    issued_factories.change_status(
        document.licence, LicenceStatus.CANCELLED, LicenceStep.CANCELLED, SUSPENDED
    )
    assert worth(document, SUSPENDED) == Authenticity(IssuedState.VOID, date(2026, 3, 25))


@pytest.mark.databases
def test_a_letter_counts_while_the_licence_is_as_it_says(agent: User) -> None:
    active = issued_factories.make_issued(IssuedKind.LETTER, user=agent, now=NOW)
    licence = active.licence
    assert licence is not None
    suspend(active, SuspendedBy.HOLDER)
    suspended = issued_factories.make_issued(IssuedKind.LETTER, licence, agent, now=SUSPENDED)
    assert worth(active, SUSPENDED) == Authenticity(IssuedState.VOID, date(2026, 3, 25))
    assert worth(suspended, SUSPENDED) == GENUINE
    again = SUSPENDED + timedelta(days=7)
    issued_factories.change_status(licence, LicenceStatus.ACTIVE, LicenceStep.REACTIVATED, again)
    assert worth(active, again) == GENUINE
    assert worth(suspended, again) == Authenticity(IssuedState.VOID, date(2026, 4, 1))
    over = datetime(2030, 7, 1, 9, 0, tzinfo=UTC)
    assert worth(active, over) == Authenticity(IssuedState.VOID, date(2030, 7, 1))


def test_a_letter_of_a_licence_that_ended_says_so_before_the_job_did(agent: User) -> None:
    licence = issued_factories.make_licence(
        agent.memberships[0].organisation, expires=date(2026, 3, 14)
    )
    letter = issued_factories.make_issued(IssuedKind.LETTER, licence, agent, now=NOW)
    assert letter.content["status"] == LicenceStatus.EXPIRED
    assert worth(letter, NOW) == GENUINE


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("abcd-efgh-ijkl-mnop-qrst", "ABCDEFGHIJKLMNOPQRST"),
        (" ABCD EFGH\u200f IJKL-MNOP QRST ", "ABCDEFGHIJKLMNOPQRST"),
        ("ABCDEFGHIJKLMNOPQR٢7", "ABCDEFGHIJKLMNOPQR27"),
        ("A8CDEFGH1JKLMN0PQRST", "ABCDEFGHIJKLMNOPQRST"),
        ("ABCD", None),
        ("ABCDEFGHIJKLMNOPQRS9", None),
        ("ABCDEFGHIJKLMNOPQRSTU", None),
        ("", None),
        ("'; DROP TABLE issued;", None),
    ],
)
def test_a_code_is_understood_as_people_type_it(typed: str, read: str | None) -> None:
    assert document_verification.normalised(typed) == read


def test_an_unknown_code_has_no_verdict(context: Flask) -> None:
    assert document_verification.verify("ABCDEFGHIJKLMNOPQRST", NOW) is None
